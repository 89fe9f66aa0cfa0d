/**
 * The text of a kubeconfig → how to reach the server and as whom. Pure: files
 * that it names are not read here. Unlike client-node's own loader it keeps
 * `tokenFile`, refuses what it cannot honour, and never runs anything.
 */
import {
  newClusters,
  newContexts,
  newUsers,
} from "@kubernetes/client-node/dist/config_types.js";
import { dirname, resolve } from "node:path/posix";
import { parse } from "yaml";
import { AgentError } from "../base/errors.ts";
import type { Material } from "../port/cluster.ts";

/** A program that prints credentials, as `users[].user.exec` names it. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly wantsClusterInfo: boolean;
  readonly installHint: string | undefined;
}

/** One server and one credential: what the current context points to. */
export interface Access {
  readonly server: string;
  readonly ca: Material | undefined;
  readonly tlsServerName: string | undefined;
  readonly proxyUrl: string | undefined;
  readonly isInsecure: boolean;
  readonly certificate: Material | undefined;
  readonly key: Material | undefined;
  readonly token: string | undefined;
  readonly tokenPath: string | undefined;
  readonly basic:
    | { readonly user: string; readonly password: string }
    | undefined;
  readonly exec: ExecPlugin | undefined;
}

interface Tree {
  readonly [key: string]: unknown;
}

/** Throws `give-up` with the file's name and what is wrong in it. */
export function parseKubeconfig(text: string, path: string): Access {
  try {
    return accessFrom(treeOf(parse(text), "it"), dirname(path));
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError(
      `Cannot use kubeconfig ${path}: ${words.split("\n")[0]}`,
      { next: "give-up" },
    );
  }
}

function accessFrom(root: Tree, folder: string): Access {
  const wanted = textOf(root["current-context"]);
  if (wanted === undefined) throw new Error("it has no current-context");
  const context = named(newContexts(root.contexts), "context", wanted);
  const cluster = named(newClusters(root.clusters), "cluster", context.cluster);
  const user = context.user === undefined || context.user === ""
    ? undefined
    : named(newUsers(withoutTokenFiles(root.users)), "user", context.user);
  const own = userTree(root.users, context.user);
  if (own["auth-provider"] !== undefined && own["auth-provider"] !== null) {
    throw new Error("auth-provider is not supported, use exec");
  }
  const at = (file: string | undefined) =>
    file === undefined || file === "" ? undefined : resolve(folder, file);
  const material = (data?: string, file?: string): Material | undefined => {
    // Compat: client-go: data wins over a file.
    if (data !== undefined && data !== null && data !== "") {
      return { kind: "data", text: fromBase64(data) };
    }
    const found = at(file);
    return found === undefined ? undefined : { kind: "file", path: found };
  };
  const { username, password } = own;
  return {
    server: checkedServer(cluster.server),
    ca: material(cluster.caData, cluster.caFile),
    tlsServerName: textOf(cluster.tlsServerName),
    proxyUrl: textOf(cluster.proxyUrl),
    isInsecure: cluster.skipTLSVerify,
    certificate: material(user?.certData, user?.certFile),
    key: material(user?.keyData, user?.keyFile),
    token: textOf(own.token),
    tokenPath: at(textOf(own.tokenFile)),
    basic: textOf(username) === undefined
      ? undefined
      : { user: textOf(username) ?? "", password: textOf(password) ?? "" },
    exec: own.exec === undefined || own.exec === null
      ? undefined
      : execFrom(treeOf(own.exec, "exec"), folder),
  };
}

/** The library reads `token-file`, which is no field, from disk at once. */
function withoutTokenFiles(users: unknown): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((each) => {
    if (!isTree(each) || !isTree(each.user)) return each;
    return { ...each, user: { ...each.user, "token-file": undefined } };
  });
}

function userTree(users: unknown, name: string | undefined): Tree {
  const found = Array.isArray(users)
    ? users.find((each) => isTree(each) && each.name === name)
    : undefined;
  return isTree(found) && isTree(found.user) ? found.user : {};
}

function named<T extends { readonly name: string }>(
  all: readonly T[],
  kind: string,
  name: string,
): T {
  const found = all.find((each) => each.name === name);
  if (found === undefined) {
    throw new Error(`there is no ${kind} ${JSON.stringify(name)}`);
  }
  return found;
}

function checkedServer(server: string): string {
  // Compat: client-go: a bare host means http.
  const full = /^[a-z]+:\/\//i.test(server) ? server : `http://${server}`;
  const url = URL.parse(full);
  // Without its host, `https` would become the host's name.
  const isCut = /^https?:(?!\/\/)/i.test(server);
  if (
    isCut || url === null || !/^https?:$/.test(url.protocol) ||
    url.hostname === ""
  ) {
    throw new Error(`server ${JSON.stringify(server)} is not a URL`);
  }
  return full.replace(/(?<!\/)\/+$/, "");
}

function execFrom(exec: Tree, folder: string): ExecPlugin {
  const command = textOf(exec.command);
  if (command === undefined) throw new Error("exec has no command");
  const apiVersion = textOf(exec.apiVersion) ?? "";
  if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion)) {
    throw new Error(
      `exec of ${command} has apiVersion ${JSON.stringify(apiVersion)}, ` +
        "supported are client.authentication.k8s.io/v1 and v1beta1",
    );
  }
  if (exec.interactiveMode === "Always") {
    throw new Error(`exec of ${command} wants a terminal, and there is none`);
  }
  const env = new Map<string, string>();
  for (const each of Array.isArray(exec.env) ? exec.env : []) {
    if (isTree(each)) env.set(String(each.name), String(each.value ?? ""));
  }
  return {
    apiVersion,
    // Compat: client-go: a path with a slash is relative to the file.
    command: command.includes("/") ? resolve(folder, command) : command,
    args: Array.isArray(exec.args) ? exec.args.map(String) : [],
    env,
    wantsClusterInfo: exec.provideClusterInfo === true,
    installHint: textOf(exec.installHint),
  };
}

function fromBase64(text: string): string {
  try {
    return new TextDecoder().decode(
      Uint8Array.fromBase64(text.replace(/\s/g, "")),
    );
  } catch (cause) {
    throw new Error("a ...-data field is not base64", { cause });
  }
}

function treeOf(value: unknown, what: string): Tree {
  if (isTree(value)) return value;
  throw new Error(value === null ? `${what} is empty` : `${what} is no map`);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
