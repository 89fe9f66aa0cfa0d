/**
 * The TCP probe: where to connect, and what failing to means. Pure.
 * Compat: kubelet 1.36 pkg/probe/tcp.
 */
import { portOf, type Understood } from "../api/http_get.ts";
import type { V1Container, V1Probe } from "../api/types.ts";
import type { PodTarget } from "../port/net.ts";
import { failed, type Outcome, wordsOf } from "./outcome.ts";

export function tcpQuestion(
  action: NonNullable<V1Probe["tcpSocket"]>,
  container: V1Container,
  { podIp, timeoutMs }: { readonly podIp: string; readonly timeoutMs: number },
): Understood<PodTarget> {
  const port = portOf(action.port, container);
  if (port.kind === "invalid") return port;
  const host = action.host ?? "";
  return { ...port, host: host === "" ? podIp : host, timeoutMs };
}

export function judgeTcpError(error: unknown): Outcome {
  return failed(wordsOf(error));
}
