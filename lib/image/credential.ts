/**
 * One way to prove to a registry that an image may be pulled, and where it is
 * from. Holds secrets: never logged, never part of an error.
 */
import { createHash } from "node:crypto";

/** An object of the API server whose pods a credential belongs to. */
export interface Coordinates {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** The same object; one made anew under the same name is another. */
export function isSame(a: Coordinates, b: Coordinates): boolean {
  return a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;
}

export type CredentialSource =
  | { readonly kind: "secret"; readonly at: Coordinates }
  | { readonly kind: "service-account"; readonly at: Coordinates }
  /** Any pod of this node may use it. */
  | { readonly kind: "node" };

/** User and password, as a docker configuration holds them. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly email: string;
}

export interface Credential {
  readonly login: Login;
  readonly source: CredentialSource;
}

/**
 * SHA-256 of the login, in hex.
 * Compat: kubelet 1.36 hashAuthConfig, so that records of a kubelet hold here
 * and the other way round: Go's JSON, which escapes what HTML would read.
 */
export function hashOf({ username, password, email }: Login): string {
  const text = JSON.stringify({
    ...username === "" ? {} : { username },
    ...password === "" ? {} : { password },
    ...email === "" ? {} : { email },
  }).replace(
    /[<>&\u2028\u2029]/g,
    (found) => GO_ESCAPES.get(found) ?? found,
  );
  return createHash("sha256").update(text).digest("hex");
}

const GO_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["<", "\\u003c"],
  [">", "\\u003e"],
  ["&", "\\u0026"],
  ["\u2028", "\\u2028"],
  ["\u2029", "\\u2029"],
]);
