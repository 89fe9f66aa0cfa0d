/**
 * Runs a credential plugin: a program that prints an ExecCredential. It gets
 * no terminal and a limited time. What it prints is secret and never logged;
 * what it complains of on stderr goes into the error.
 */
import { AgentError } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Ended, Programs } from "../port/programs.ts";
import { parseObject } from "./json.ts";
import type { Access, ExecPlugin } from "./translate_kubeconfig.ts";

const LIMIT_MS = 60_000;
const LIMIT_BYTES = 1 << 20;

export interface PluginCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Undefined: until the server refuses it. */
  readonly expiresAtMs: number | undefined;
}

export async function askPlugin(
  plugin: ExecPlugin,
  target: { readonly access: Access; readonly ca: string | undefined },
  programs: Programs,
): Promise<PluginCredential> {
  const doing = `get a credential from ${plugin.command}`;
  const { code, stdout, stderr } = await start(plugin, target, programs);
  if (code !== 0) {
    const words = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    throw new AgentError(`Cannot ${doing}: it ended with ${code}: ${words}`, {
      next: "retry",
    });
  }
  const answer = parsePrivately(stdout, doing);
  const status = objectIn(answer, "status");
  const credential = {
    token: textIn(status, "token"),
    certificate: textIn(status, "clientCertificateData"),
    key: textIn(status, "clientKeyData"),
    expiresAtMs: timeOf(textIn(status, "expirationTimestamp")),
  };
  const hasPair = credential.certificate !== undefined &&
    credential.key !== undefined;
  if (textIn(answer, "apiVersion") !== plugin.apiVersion) {
    throw new AgentError(
      `Cannot ${doing}: it did not answer in ${plugin.apiVersion}`,
      { next: "retry" },
    );
  }
  if (credential.token === undefined && !hasPair) {
    throw new AgentError(
      `Cannot ${doing}: there is neither a token nor a certificate with its ` +
        "key in the answer",
      { next: "retry" },
    );
  }
  return credential;
}

/** The text of a bad answer may hold a token: it stays out of the error. */
function parsePrivately(text: string, doing: string): ApiObject {
  try {
    return parseObject(text, doing);
  } catch {
    throw new AgentError(`Cannot ${doing}: its answer is not JSON`, {
      next: "retry",
    });
  }
}

async function start(
  plugin: ExecPlugin,
  target: { readonly access: Access; readonly ca: string | undefined },
  programs: Programs,
): Promise<Ended> {
  const info = {
    kind: "ExecCredential",
    apiVersion: plugin.apiVersion,
    spec: {
      interactive: false,
      ...(plugin.wantsClusterInfo ? { cluster: clusterInfo(target) } : {}),
    },
  };
  const env = new Map(plugin.env)
    .set("KUBERNETES_EXEC_INFO", JSON.stringify(info));
  try {
    return await programs.run({
      path: plugin.command,
      args: plugin.args,
      env,
      limitMs: LIMIT_MS,
      limitBytes: LIMIT_BYTES,
    }, new AbortController().signal);
  } catch (cause) {
    if (!(cause instanceof AgentError)) throw cause;
    const hint = cause.reason === "NotFound" && plugin.installHint !== undefined
      ? ` (${plugin.installHint.trim()})`
      : "";
    throw new AgentError(
      `Cannot get a credential from ${plugin.command}${hint}`,
      { next: "retry", cause },
    );
  }
}

function clusterInfo(
  { access, ca }: { readonly access: Access; readonly ca: string | undefined },
): Record<string, unknown> {
  return {
    server: access.server,
    ...(access.tlsServerName === undefined
      ? {}
      : { "tls-server-name": access.tlsServerName }),
    ...(access.isInsecure ? { "insecure-skip-tls-verify": true } : {}),
    ...(ca === undefined ? {} : {
      "certificate-authority-data": new TextEncoder().encode(ca).toBase64(),
    }),
    ...(access.proxyUrl === undefined ? {} : { "proxy-url": access.proxyUrl }),
    config: null,
  };
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}
