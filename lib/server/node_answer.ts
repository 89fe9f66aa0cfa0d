/** Answers of the node's API, in the kubelet's forms. Pure. */
import type { NodeResponse } from "../port/node_server.ts";

export const TEXT = "text/plain; charset=utf-8";

/** Prometheus' text format. */
export const EXPOSITION = "text/plain; version=0.0.4; charset=utf-8";

export function text(status: number, body: string): NodeResponse {
  return typed(status, TEXT, body);
}

export function jsonText(body: string): NodeResponse {
  return typed(200, "application/json", body);
}

export function typed(
  status: number,
  contentType: string,
  body: NodeResponse["body"],
): NodeResponse {
  return {
    kind: "response",
    status,
    headers: [["Content-Type", contentType]],
    body,
  };
}
