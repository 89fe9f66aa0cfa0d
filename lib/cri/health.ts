/**
 * `PodNet`'s gRPC part: asks a container's health service, on a connection of
 * its own and in plain text. It lives here because the gRPC library does.
 * Compat: kubelet 1.36 pkg/probe/grpc, its failure texts included.
 */
import type { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import protobuf from "protobufjs";
import health from "../../proto/health.proto" with { type: "text" };
import { AgentError } from "../base/errors.ts";
import type { PodNet, PodTarget } from "../port/net.ts";
import { guardedCredentials } from "./credentials.ts";
import { codeOf } from "./errors.ts";
import { decodeMessage, encodeMessage } from "./translate_bytes.ts";

/** Compat: the limit Go's client sets. */
const LONGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** For all else that a server has to say before and after its answer. */
const BESIDE_BYTES = 64 * 1024;

const OPTIONS: grpc.ClientOptions = {
  "grpc.primary_user_agent": "kube-probe/1.36",
  "grpc.max_receive_message_length": LONGEST_ANSWER_BYTES,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
};

const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

interface Answer {
  readonly status: number | string;
}

/** Parses the schema once; nothing is connected before the first call. */
export function openHealth(): Pick<PodNet, "health"> {
  const root = protobuf.parse(health, new protobuf.Root()).root.resolveAll();
  const request = root.lookupType("grpc.health.v1.HealthCheckRequest");
  const response = root.lookupType("grpc.health.v1.HealthCheckResponse");
  return {
    async health(target, signal) {
      signal.throwIfAborted();
      const { host, port } = target;
      const address = host.includes(":")
        ? `[${host}]:${port}`
        : `${host}:${port}`;
      const scheme = host.includes(":") ? "ipv6" : "ipv4";
      const client = new grpc.Client(
        `${scheme}:${address}`,
        guardedCredentials(LONGEST_ANSWER_BYTES + BESIDE_BYTES),
        OPTIONS,
      );
      const stop = () => client.close();
      signal.addEventListener("abort", stop, { once: true });
      try {
        const deadline = Date.now() + target.timeoutMs;
        await connected(client, { address, deadline, ...target }, signal);
        const message = encodeMessage(request, { service: target.service });
        const bytes = await check(client, { ...target, message, deadline });
        return statusOf(response, bytes);
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        signal.removeEventListener("abort", stop);
        client.close();
      }
    },
  };
}

/** The name of the status that was answered. */
function statusOf(response: protobuf.Type, bytes: Uint8Array): string {
  try {
    return nameOf(decodeMessage<Answer>(response, bytes).status);
  } catch (cause) {
    throw new AgentError(
      "error: health rpc probe failed: rpc error: code = Internal " +
        "desc = the answer is no HealthCheckResponse",
      { next: "retry", cause },
    );
  }
}

interface Call extends PodTarget {
  readonly address: string;
  readonly service: string;
  readonly deadline: number;
}

/** Compat: a server that refuses is dialled again until the time is over. */
function connected(
  client: grpc.Client,
  call: Call,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  client.waitForReady(call.deadline, (error) => {
    signal.removeEventListener("abort", stop);
    if (error === undefined) return resolve();
    const within = goDuration(call.timeoutMs);
    const message =
      `timeout: failed to connect service "${call.address}" within ` +
      `${within}: context deadline exceeded`;
    reject(new AgentError(message, { next: "retry", reason: "TimedOut" }));
  });
  return promise;
}

function check(
  client: grpc.Client,
  call: PodTarget & { readonly message: Buffer; readonly deadline: number },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  client.makeUnaryRequest(
    "/grpc.health.v1.Health/Check",
    (message: Buffer) => message,
    (bytes: Buffer) => bytes,
    call.message,
    new grpc.Metadata(),
    { deadline: call.deadline },
    (error, bytes) => {
      if (error !== null) reject(failureOf(error, call.timeoutMs));
      else resolve(bytes ?? new Uint8Array());
    },
  );
  return promise;
}

function failureOf(error: grpc.ServiceError, timeoutMs: number): AgentError {
  const { code, details, message } = error;
  const cause = new Error(message);
  if (code === grpc.status.UNIMPLEMENTED) {
    return new AgentError(
      "error: this server does not implement the grpc health protocol " +
        `(grpc.health.v1.Health): ${details}`,
      { next: "give-up", cause },
    );
  }
  if (code === grpc.status.DEADLINE_EXCEEDED) {
    const within = goDuration(timeoutMs);
    return new AgentError(
      `timeout: health rpc did not complete within ${within}`,
      { next: "retry", reason: "TimedOut", cause },
    );
  }
  const name = codeOf(code).toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return new AgentError(
    "error: health rpc probe failed: " +
      `rpc error: code = ${name} desc = ${details}`,
    { next: "retry", cause },
  );
}

function nameOf(status: number | string): string {
  return typeof status === "string" ? status : STATUSES[status] ?? `${status}`;
}

/** Compat: how Go writes whole seconds, `1m30s`. */
function goDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const rest = `${minutes % 60}m${seconds % 60}s`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}h${rest}`;
}
