/**
 * The gRPC probe: whose health is asked for, and what the answer means. Pure.
 * Compat: kubelet 1.36 pkg/probe/grpc.
 */
import type { V1Probe } from "../api/types.ts";
import type { PodTarget } from "../port/net.ts";
import { failed, type Outcome, SUCCESS, wordsOf } from "./outcome.ts";

export function grpcQuestion(
  { port, service }: NonNullable<V1Probe["grpc"]>,
  { podIp, timeoutMs }: { readonly podIp: string; readonly timeoutMs: number },
): PodTarget & { readonly service: string } {
  return { host: podIp, port, service: service ?? "", timeoutMs };
}

export function judgeGrpc(status: string): Outcome {
  return status === "SERVING"
    ? SUCCESS
    : failed(`service unhealthy (responded with ${JSON.stringify(status)})`);
}

export function judgeGrpcError(error: unknown): Outcome {
  return failed(wordsOf(error));
}
