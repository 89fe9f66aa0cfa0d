/**
 * Runs one lifecycle hook to its end. Called when a container has started and
 * before it is stopped; bounded only by its signal. Never touches the
 * container itself. Compat: kubelet 1.36 handlerRunner.Run.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import { unreachable } from "../base/unreachable.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { Hook } from "../pod/hook.ts";
import type { PodNet } from "../port/net.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";

/** Compat: kubelet 1.36 maxRespBodyLength. */
const MOST_BODY_BYTES = 10 * 1024;
/** Ours: the kubelet passes on whatever a command printed. */
const MOST_OUTPUT_BYTES = 4096;
const NO_LIMIT_MS = 2 ** 31 - 1;

export interface HookPorts {
  readonly runtime: Pick<ContainerRuntime, "execSync">;
  readonly podNet: Pick<PodNet, "get">;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly meters?: Pick<Meters, "hookFallbacks" | "sleepsCut">;
}

/**
 * Resolves when the hook has done its work; rejects with an `AgentError` that
 * says what was wrong, in words that may hold secrets, or with the signal's
 * reason.
 */
export type RunHook = (
  hook: Hook,
  at: { readonly uid: PodUid; readonly id: ContainerId },
  signal: AbortSignal,
) => Promise<void>;

export function hookRunner(ports: HookPorts): RunHook {
  return (hook, at, signal) => {
    switch (hook.kind) {
      case "exec":
        return exec(ports, hook, { id: at.id, signal });
      case "http-get":
        return httpGet(ports, hook, { uid: at.uid, signal });
      case "sleep":
        if (hook.seconds <= 0) return Promise.resolve();
        return sleep(ports, hook.seconds, signal);
      case "impossible":
        return Promise.reject(
          new AgentError(hook.message, { next: "give-up" }),
        );
      default:
        return unreachable(hook);
    }
  };
}

function sleep(
  { clock, meters }: HookPorts,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const done = clock.sleep(seconds * 1000, signal);
  done.catch(() => meters?.sleepsCut.add({}));
  return done;
}

async function exec(
  { runtime }: HookPorts,
  { command, title }: Extract<Hook, { kind: "exec" }>,
  { id, signal }: { readonly id: ContainerId; readonly signal: AbortSignal },
): Promise<void> {
  const request = { id, command, timeoutSeconds: 0 };
  const { exitCode, stdout, stderr } = await runtime.execSync(request, signal)
    .catch((error) => {
      if (isAbort(error, signal)) throw error;
      throw execFailed(title, chainOf(error), "");
    });
  if (exitCode === 0) return;
  const words = textOf(stderr);
  const why = `command '${command.join(" ")}' exited with ${exitCode}: `;
  throw execFailed(title, why + words, textOf(stdout) + words);
}

function execFailed(title: string, why: string, output: string): AgentError {
  return new AgentError(
    `${title} failed - error: ${why}, message: ${JSON.stringify(output)}`,
    { next: "retry" },
  );
}

async function httpGet(
  ports: HookPorts,
  hook: Extract<Hook, { kind: "http-get" }>,
  at: { readonly uid: PodUid; readonly signal: AbortSignal },
): Promise<void> {
  const { scheme, host, port, path, headers, title } = hook;
  const request = {
    ...{ scheme, host, port, path, headers },
    timeoutMs: NO_LIMIT_MS,
    limitBytes: MOST_BODY_BYTES,
  };
  try {
    // Compat: whatever the status is, somebody has heard.
    await ports.podNet.get(request, at.signal);
  } catch (error) {
    if (isAbort(error, at.signal)) throw error;
    if (hasReason(error, "BodyBroken")) return;
    if (scheme === "https" && hasReason(error, "PlainHttp")) {
      return await inPlain(ports, { ...request, title }, at);
    }
    throw failed(title, error);
  }
}

/** An `https` hook of a server that speaks plain HTTP. */
async function inPlain(
  { podNet, recorder, meters }: HookPorts,
  { title, ...request }: Parameters<PodNet["get"]>[0] & {
    readonly title: string;
  },
  { uid, signal }: { readonly uid: PodUid; readonly signal: AbortSignal },
): Promise<void> {
  const headers = request.headers
    .filter(([name]) => name.toLowerCase() !== "authorization");
  try {
    await podNet.get({ ...request, scheme: "http", headers }, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    if (!hasReason(error, "BodyBroken")) throw failed(title, error);
  }
  meters?.hookFallbacks.add({});
  const { host, port } = request;
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  recorder.record(uid, {
    type: "Warning",
    reason: "LifecycleHTTPFallback",
    message: `request to HTTPS lifecycle hook ${where} got HTTP response, ` +
      "retry with HTTP succeeded",
  });
}

function hasReason(error: unknown, reason: string): boolean {
  return error instanceof AgentError && error.reason === reason;
}

function failed(title: string, cause: unknown): AgentError {
  return new AgentError(`${title} failed - error: ${chainOf(cause)}`, {
    next: "retry",
  });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, MOST_OUTPUT_BYTES));
}
