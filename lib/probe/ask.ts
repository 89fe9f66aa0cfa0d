/**
 * Asks one probe's question through the port it needs. Called by run.ts when
 * a probe is due; decides nothing about what comes of the answer.
 * Compat: kubelet 1.36 prober.go runProbeWithRetries.
 */
import { isAbort } from "../base/errors.ts";
import type { ContainerId } from "../api/id.ts";
import type { V1Container, V1Probe } from "../api/types.ts";
import type { PodNet } from "../port/net.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import {
  execQuestion,
  type Expand,
  judgeExec,
  judgeExecError,
} from "./exec.ts";
import { grpcQuestion, judgeGrpc, judgeGrpcError } from "./grpc.ts";
import { httpQuestion, judgeHttp, judgeHttpError } from "./http.ts";
import { errored, type Outcome, SUCCESS } from "./outcome.ts";
import { judgeTcpError, tcpQuestion } from "./tcp.ts";

const MOST_TRIES = 3;

export interface AskPorts {
  readonly podNet: PodNet;
  readonly runtime: Pick<ContainerRuntime, "execSync">;
  readonly expand: Expand;
}

export interface Asked {
  readonly spec: V1Probe;
  readonly container: V1Container;
  readonly id: ContainerId;
  readonly podIp: string;
}

/** An error is asked again at once; rejects only when `signal` aborts. */
export async function ask(
  ports: AskPorts,
  asked: Asked,
  signal: AbortSignal,
): Promise<Outcome> {
  let outcome = await askOnce(ports, asked, signal);
  for (let tries = 1; tries < MOST_TRIES; tries++) {
    if (outcome.kind !== "error") break;
    outcome = await askOnce(ports, asked, signal);
  }
  return outcome;
}

async function askOnce(
  ports: AskPorts,
  asked: Asked,
  signal: AbortSignal,
): Promise<Outcome> {
  const { spec, container, id, podIp } = asked;
  const { podNet, runtime, expand } = ports;
  const timeoutSeconds = spec.timeoutSeconds ?? 1;
  const around = { podIp, timeoutMs: timeoutSeconds * 1000 };
  if (spec.exec !== undefined) {
    const own = { id, timeoutSeconds, expand };
    const question = execQuestion(spec.exec, container, own);
    return await judged(runtime.execSync(question, signal), judgeExec, {
      judgeError: (error) => judgeExecError(error, question),
      signal,
    });
  }
  if (spec.httpGet !== undefined) {
    const question = httpQuestion(spec.httpGet, container, around);
    if (question.kind === "invalid") return errored(question.message);
    const answer = podNet.get(question, signal);
    const judgeError = judgeHttpError;
    return await judged(answer, judgeHttp, { judgeError, signal });
  }
  if (spec.tcpSocket !== undefined) {
    const question = tcpQuestion(spec.tcpSocket, container, around);
    if (question.kind === "invalid") return errored(question.message);
    const answer = podNet.connect(question, signal);
    const judgeError = judgeTcpError;
    return await judged(answer, () => SUCCESS, { judgeError, signal });
  }
  if (spec.grpc !== undefined) {
    const answer = podNet.health(grpcQuestion(spec.grpc, around), signal);
    const judgeError = judgeGrpcError;
    return await judged(answer, judgeGrpc, { judgeError, signal });
  }
  return errored(`missing probe handler for ${container.name}`);
}

async function judged<T>(
  answer: Promise<T>,
  judge: (answer: T) => Outcome,
  { judgeError, signal }: {
    readonly judgeError: (error: unknown) => Outcome;
    readonly signal: AbortSignal;
  },
): Promise<Outcome> {
  try {
    return judge(await answer);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return judgeError(error);
  }
}
