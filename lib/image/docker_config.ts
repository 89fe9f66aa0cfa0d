/**
 * Text of a docker configuration to logins by registry. Pure. The text is
 * secret: no error tells anything of it.
 * Compat: kubelet 1.36 credentialprovider.DockerConfigJSON, DockerConfig.
 */
import { isObject, parseJson } from "../base/json.ts";
import type { Login } from "./credential.ts";

/** In the order of the text: registry, or registry and path, and its login. */
export type Logins = readonly (readonly [string, Login])[];

export type DockerConfig =
  | { readonly kind: "ok"; readonly logins: Logins }
  | { readonly kind: "invalid"; readonly why: string };

/** `config.json` has its logins below `auths`; `dockercfg` is only these. */
export function parseDockerConfig(
  text: string,
  format: "config-json" | "dockercfg",
): DockerConfig {
  const root = parseJson(text);
  if (!isObject(root)) return invalid("it is not a JSON object");
  const auths = format === "dockercfg" ? root : memberOf(root, "auths");
  if (auths === undefined || auths === null) return { kind: "ok", logins: [] };
  if (!isObject(auths)) return invalid("auths is not a map");
  const logins: [string, Login][] = [];
  for (const [registry, entry] of Object.entries(auths)) {
    const login = loginOf(entry);
    if (login === undefined) {
      return invalid(
        "an entry is neither a map with username and password nor one with " +
          "auth in base64",
      );
    }
    logins.push([registry, login]);
  }
  return { kind: "ok", logins };
}

function invalid(why: string): DockerConfig {
  return { kind: "invalid", why };
}

function loginOf(entry: unknown): Login | undefined {
  if (entry === null) return { username: "", password: "", email: "" };
  if (!isObject(entry)) return undefined;
  const [username, password, email, auth] = [
    "username",
    "password",
    "email",
    "auth",
  ].map((name) => textOf(entry, name));
  if (
    username === undefined || password === undefined ||
    email === undefined || auth === undefined
  ) return undefined;
  if (auth === "") return { username, password, email };
  const decoded = decodeAuth(auth);
  return decoded && { ...decoded, email };
}

/** Compat: decodeDockerConfigFieldAuth: padded or not, split at the first :. */
function decodeAuth(
  auth: string,
): { username: string; password: string } | undefined {
  const plain = auth.replaceAll(/[\r\n]/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) return undefined;
  const isPadded = plain.endsWith("=");
  if (isPadded ? plain.length % 4 !== 0 : plain.length % 4 === 1) {
    return undefined;
  }
  const bytes = Uint8Array.fromBase64(plain);
  const text = new TextDecoder().decode(bytes);
  const colon = text.indexOf(":");
  return colon < 0
    ? undefined
    : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Absent and null are empty; undefined when it is no text. */
function textOf(object: object, name: string): string | undefined {
  const value = memberOf(object, name);
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : undefined;
}

/** Compat: Go's JSON takes a name in any case when it is not there exactly. */
function memberOf(object: object, name: string): unknown {
  const entries = Object.entries(object);
  const exact = entries.find(([key]) => key === name);
  return (exact ??
    entries.find(([key]) => key.toLowerCase() === name.toLowerCase()))?.[1];
}
