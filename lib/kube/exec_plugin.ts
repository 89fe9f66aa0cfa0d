/**
 * Runs a credential plugin: a program that prints an ExecCredential. It gets
 * no terminal and a limited time. What it prints is secret and never logged;
 * what it complains of on stderr goes into the error.
 */
import { AgentError } from "../base/errors.ts";
import type { ApiObject } from "../port/cluster.ts";
import { objectIn, parseObject, textIn } from "./json.ts";
import type { Access, ExecPlugin } from "./translate_kubeconfig.ts";

const LIMIT_MS = 60_000;

export interface PluginCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Undefined: until the server refuses it. */
  readonly expiresAtMs: number | undefined;
}

/** Another implementation stands in for the operating system in tests. */
export type RunProgram = (
  command: {
    readonly path: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
) => Promise<
  { readonly code: number; readonly stdout: string; readonly stderr: string }
>;

export async function askPlugin(
  plugin: ExecPlugin,
  target: { readonly access: Access; readonly ca: string | undefined },
  run: RunProgram,
): Promise<PluginCredential> {
  const doing = `get a credential from ${plugin.command}`;
  const { code, stdout, stderr } = await start(plugin, target, run);
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
  run: RunProgram,
): ReturnType<RunProgram> {
  const info = {
    kind: "ExecCredential",
    apiVersion: plugin.apiVersion,
    spec: {
      interactive: false,
      ...(plugin.wantsClusterInfo ? { cluster: clusterInfo(target) } : {}),
    },
  };
  const env = {
    ...Object.fromEntries(plugin.env),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
  try {
    return await run({ path: plugin.command, args: plugin.args, env });
  } catch (cause) {
    throw new AgentError(
      `Cannot run ${plugin.command} for a credential: ${why(cause, plugin)}`,
      { next: "retry", cause },
    );
  }
}

function why(cause: unknown, plugin: ExecPlugin): string {
  if (cause instanceof Deno.errors.NotCapable) {
    return "the agent's permission set does not let it start this program; " +
      `add ${plugin.command} to "run" of the permissions`;
  }
  if (cause instanceof Deno.errors.NotFound) {
    const hint = plugin.installHint === undefined
      ? ""
      : ` (${plugin.installHint.trim()})`;
    return `there is no such program${hint}`;
  }
  return cause instanceof Error ? cause.message : String(cause);
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

/** Starts a real program; needs the permission to run just that one. */
export const runProgram: RunProgram = async ({ path, args, env }) => {
  const output = await new Deno.Command(path, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
};
