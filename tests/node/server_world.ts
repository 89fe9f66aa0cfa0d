/**
 * What the tests of the node's own API share: callers of every kind, and a
 * plain HTTPS client that shows what each of them gets.
 */
import {
  issue,
  makeAuthority,
  type Pair,
} from "../../deploy/cluster/certificates.ts";
import { until } from "./agent_world.ts";
import { cluster, kubectl } from "./member_world.ts";

export const BASE = `https://${cluster.nodeIp}:${cluster.ports.kubelet}`;

export interface Caller {
  readonly pair?: Pair;
  readonly token?: string;
}

async function pairOf(name: string): Promise<Pair> {
  return {
    certificate: await Deno.readTextFile(`${cluster.pki}/${name}.crt`),
    key: await Deno.readTextFile(`${cluster.pki}/${name}.key`),
  };
}

/** A certificate of the cluster's CA, good or odd in one way. */
async function issued(wish: Partial<Parameters<typeof issue>[1]>) {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  return await issue(ca, ofMasters(wish));
}

function ofMasters(wish: Partial<Parameters<typeof issue>[1]>) {
  return {
    commonName: "mallory",
    organization: "system:masters",
    use: "client" as const,
    ...wish,
  };
}

/** Those who must be nobody, whatever their certificate says. */
export async function impostors(): Promise<Map<string, Caller>> {
  const other = await makeAuthority("kubernetes");
  return new Map<string, Caller>([
    ["anonymous", {}],
    ["another CA", { pair: await issue(other, ofMasters({})) }],
    ["expired", { pair: await issued({ lifetimeMs: -60_000 }) }],
    ["for servers only", { pair: await issued({ use: "server" }) }],
    ["without a name", { pair: await issued({ commonName: "" }) }],
    ["unknown token", { token: "eyJhbGciOiJub25lIn0.e30." }],
  ]);
}

/** Those whom the API server knows, with and without rights. */
export async function knownCallers(): Promise<Map<string, Caller>> {
  return new Map<string, Caller>([
    [
      "API server",
      { pair: await pairOf("kube-apiserver-kubelet-client") },
    ],
    ["admin", { pair: await issued({ commonName: "admin" }) }],
    ["reader", { token: await tokenOf("reader") }],
    ["getter", { token: await tokenOf("getter") }],
    ["stranger", { token: await tokenOf("stranger") }],
  ]);
}

const ROLES = [
  ["reader", "nodes/metrics,nodes/pods,nodes/stats,nodes/healthz"],
  ["getter", "nodes/proxy"],
] as const;

export async function grantRoles(): Promise<void> {
  await dropRoles();
  await kubectl("create", "serviceaccount", "stranger");
  for (const [name, resources] of ROLES) await grant(name, "get", resources);
}

export async function dropRoles(): Promise<void> {
  await drop([...ROLES.map(([name]) => name), "stranger"]);
}

/** A service account of this name that may do this, and nothing else. */
export async function grant(
  name: string,
  verb: string,
  resources: string,
): Promise<void> {
  const role = roleOf(name);
  await kubectl("create", "serviceaccount", name);
  await kubectl(
    ...["create", "clusterrole", role],
    ...[`--verb=${verb}`, `--resource=${resources}`],
  );
  await kubectl(
    ...["create", "clusterrolebinding", role, `--clusterrole=${role}`],
    `--serviceaccount=default:${name}`,
  );
}

/** Takes service accounts and what they may away; none there is fine. */
export async function drop(names: readonly string[]): Promise<void> {
  const roles = names.map(roleOf);
  const gone = "--ignore-not-found";
  await kubectl("delete", "clusterrolebinding,clusterrole", ...roles, gone);
  await kubectl("delete", "serviceaccount", ...names, gone);
}

function roleOf(name: string): string {
  return `server-test-${name}`;
}

export async function tokenOf(name: string): Promise<string> {
  return (await kubectl("create", "token", name)).trim();
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A client of its own, so that no connection outlives its caller. */
export async function asking<T>(
  caller: Caller,
  work: (ask: (method: string, path: string) => Promise<Answer>) => Promise<T>,
): Promise<T> {
  const { pair, token } = caller;
  const client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(cluster.ca.certificate)],
    ...pair === undefined ? {} : { cert: pair.certificate, key: pair.key },
  });
  try {
    return await work(async (method, path) => {
      const response = await fetch(BASE + path, {
        client,
        method,
        redirect: "manual",
        headers: token === undefined
          ? {}
          : { authorization: `Bearer ${token}` },
      });
      return { status: response.status, text: await response.text() };
    });
  } finally {
    client.close();
  }
}

/** Bytes as they are to the server, and all that comes back until it ends. */
export async function raw(bytes: string, caller: Caller = {}): Promise<string> {
  const { pair } = caller;
  const connection = await Deno.connectTls({
    hostname: cluster.nodeIp,
    port: cluster.ports.kubelet,
    caCerts: [await Deno.readTextFile(cluster.ca.certificate)],
    ...pair === undefined ? {} : { cert: pair.certificate, key: pair.key },
  });
  try {
    const whole = new TextEncoder().encode(bytes);
    for (let sent = 0; sent < whole.length;) {
      sent += await connection.write(whole.subarray(sent));
    }
    let text = "";
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      const length = await connection.read(chunk).catch(() => null);
      if (length === null) return text;
      text += new TextDecoder().decode(chunk.subarray(0, length));
    }
  } finally {
    connection.close();
  }
}

/** Until the node has a certificate that callers take. */
export async function served(): Promise<void> {
  await until(
    "a serving certificate of the cluster",
    () =>
      asking({}, (ask) => ask("GET", "/healthz")).then(() => true, () => false),
  );
}
