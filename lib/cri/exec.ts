/**
 * Commands inside containers, and the addresses of the runtime's streaming
 * server. Called by `runtime.ts` only; keeps no state.
 */
import type { SandboxId } from "../api/id.ts";
import { collectYoung, release } from "../base/young.ts";
import type {
  ContainerRuntime,
  ExecResult,
  StreamRequest,
} from "../port/runtime.ts";
import type { Channel } from "./channel.ts";
import { toExecError } from "./errors.ts";
import { int64Of } from "./translate.ts";
import type { AttachRequest } from "./wire_container.ts";

const SERVICE = "runtime.v1.RuntimeService";

export type ExecRequest = Parameters<ContainerRuntime["execSync"]>[0];
export type AttachSpec = Omit<StreamRequest, "command">;
export interface PortForwardSpec {
  readonly id: SandboxId;
  readonly ports: readonly number[];
}

/**
 * Compat: kubelet 1.36 ExecSync: the ordinary deadline on top of the
 * command's own, so that the runtime has time to report the timeout; none
 * when the command has none.
 */
export async function execSync(
  channel: Channel,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  const seconds = Math.max(0, Math.ceil(request.timeoutSeconds));
  try {
    const answer = await channel.unary(
      `${SERVICE}/ExecSync`,
      {
        containerId: request.id,
        cmd: request.command,
        timeout: int64Of(BigInt(seconds)),
      },
      {
        doing: `run a command in container ${request.id}`,
        deadlineMs: seconds === 0
          ? "none"
          : seconds * 1000 + channel.requestTimeoutMs,
        signal,
      },
    );
    const { exitCode } = answer;
    return { ...outputOf(answer, request.outputLimitBytes), exitCode };
  } catch (error) {
    throw toExecError(error);
  }
}

/** A message of this size has come in many pieces, and is one buffer now. */
const LARGE_BYTES = 1024 * 1024;

/** Of a large answer of which only the beginning is wanted nothing stays. */
function outputOf(answer: Outputs, limitBytes: number | undefined): Outputs {
  const stdout = plain(answer.stdout);
  const stderr = plain(answer.stderr);
  if (limitBytes === undefined) return { stdout, stderr };
  const kept = {
    stdout: stdout.slice(0, limitBytes),
    stderr: stderr.slice(0, limitBytes),
  };
  const { buffer } = stdout.length > 0 ? stdout : stderr;
  if (buffer.byteLength >= LARGE_BYTES) {
    release(new Uint8Array(buffer));
    collectYoung();
  }
  return kept;
}

type Outputs = Pick<ExecResult, "stdout" | "stderr">;

/**
 * The same bytes, which may be 16 MiB, as nobody's `Buffer`. None at all come
 * as an empty list of no type.
 */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

export async function execUrl(
  channel: Channel,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<string> {
  const answer = await channel.unary(
    `${SERVICE}/Exec`,
    { ...attachRequest(request), cmd: request.command },
    { doing: `prepare exec in container ${request.containerId}`, signal },
  );
  return answer.url;
}

export async function attachUrl(
  channel: Channel,
  request: AttachSpec,
  signal: AbortSignal,
): Promise<string> {
  const answer = await channel.unary(
    `${SERVICE}/Attach`,
    attachRequest(request),
    { doing: `prepare attach to container ${request.containerId}`, signal },
  );
  return answer.url;
}

export async function portForwardUrl(
  channel: Channel,
  request: PortForwardSpec,
  signal: AbortSignal,
): Promise<string> {
  const answer = await channel.unary(
    `${SERVICE}/PortForward`,
    { podSandboxId: request.id, port: request.ports },
    { doing: `prepare port forwarding to sandbox ${request.id}`, signal },
  );
  return answer.url;
}

function attachRequest(request: AttachSpec): AttachRequest {
  return {
    containerId: request.containerId,
    tty: request.hasTty,
    stdin: request.hasStdin,
    stdout: request.hasStdout,
    stderr: request.hasStderr,
  };
}
