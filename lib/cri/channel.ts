/**
 * One gRPC connection to a container runtime on a Unix socket, and the typed
 * way to call each RPC on it. It connects with the first call and reconnects
 * by itself; every call has a deadline, ends when its signal aborts and fails
 * with an `AgentError`. It knows methods and bytes, not what they mean.
 */
import type { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { isAbort } from "../base/errors.ts";
import { guardedCredentials } from "./credentials.ts";
import { socketPathOf } from "./endpoint.ts";
import { type Code, codeOf, RpcError, toAgentError } from "./errors.ts";
import type {
  Method,
  StreamMethod,
  StreamMethods,
  UnaryMethod,
  UnaryMethods,
} from "./methods.ts";
import { parseSchema, type RpcShape, rpcShapes } from "./schema.ts";
import { decodeMessage, encodeMessage } from "./translate_bytes.ts";

/** 24 days, as timers know no longer; who still waits then asks again. */
const LONGEST_DEADLINE_MS = 24 * 24 * 3_600_000;
/** Compat: kubelet 1.36 maxMsgSize. */
const LONGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
/**
 * A call that finds no connection waits this long for one, so that the first
 * call after a restart of the runtime succeeds instead of failing fast.
 */
const CONNECT_WAIT_MS = 1000;

const GRPC_OPTIONS: grpc.ClientOptions = {
  "grpc.max_send_message_length": LONGEST_MESSAGE_BYTES,
  "grpc.max_receive_message_length": LONGEST_MESSAGE_BYTES,
  // Trying a Unix socket costs next to nothing, so try often.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 250,
  // Callers decide what is retried and when.
  "grpc.enable_retries": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  // Channels share nothing, so that one never sees another's backoff.
  "grpc.use_local_subchannel_pool": 1,
};

/** Called once for each finished call, streams included. */
export type OnCall = (method: string, durationMs: number, code: Code) => void;

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Verb and object for the error's message; the RPC's name when absent. */
  readonly doing?: string;
  /** Absent: the channel's request timeout, or none for a stream. */
  readonly deadlineMs?: number | "none";
}

export interface ChannelParts {
  readonly client: grpc.Client;
  readonly shapes: ReadonlyMap<string, RpcShape>;
  readonly socketPath: string;
  readonly requestTimeoutMs: number;
  readonly onCall: OnCall | undefined;
}

/** Makes a channel; nothing is connected before the first call. */
export function openChannel(options: {
  readonly endpoint: string;
  /** Compat: `runtimeRequestTimeout`, 2 minutes by default. */
  readonly requestTimeoutMs?: number;
  /** Told the RPC's short name, `RunPodSandbox`. */
  readonly onCall?: OnCall;
}): Channel {
  const socketPath = socketPathOf(options.endpoint);
  return new Channel({
    client: new grpc.Client(
      `unix:${socketPath}`,
      guardedCredentials(),
      GRPC_OPTIONS,
    ),
    shapes: rpcShapes(parseSchema()),
    socketPath,
    requestTimeoutMs: options.requestTimeoutMs ?? 120_000,
    onCall: options.onCall,
  });
}

export class Channel {
  readonly #parts: ChannelParts;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  get requestTimeoutMs(): number {
    return this.#parts.requestTimeoutMs;
  }

  /** Sends one request and resolves with its answer. */
  async unary<M extends UnaryMethod>(
    method: M,
    request: UnaryMethods[M]["request"],
    options: CallOptions,
  ): Promise<UnaryMethods[M]["response"]> {
    const startMs = performance.now();
    const deadlineMs = options.deadlineMs ?? this.#parts.requestTimeoutMs;
    try {
      await this.#connected(options.signal, deadlineMs);
      const response = await this.#send<UnaryMethods[M]["response"]>(
        method,
        request,
        { signal: options.signal, deadlineMs },
      );
      this.#report(method, startMs, "OK");
      return response;
    } catch (error) {
      throw this.#failed(error, { method, startMs, options, deadlineMs });
    }
  }

  /** Sends one request and yields its answers until the runtime ends them. */
  async *stream<M extends StreamMethod>(
    method: M,
    request: StreamMethods[M]["request"],
    options: CallOptions,
  ): AsyncGenerator<StreamMethods[M]["response"], void, undefined> {
    const startMs = performance.now();
    const deadlineMs = options.deadlineMs ?? "none";
    let call: grpc.ClientReadableStream<StreamMethods[M]["response"]>;
    const stop = () => call?.cancel();
    try {
      await this.#connected(options.signal, deadlineMs);
      call = this.#follow(method, request, deadlineMs);
      options.signal.addEventListener("abort", stop, { once: true });
      for await (const message of call) yield message;
      this.#report(method, startMs, "OK");
    } catch (error) {
      throw this.#failed(error, { method, startMs, options, deadlineMs });
    } finally {
      options.signal.removeEventListener("abort", stop);
      stop();
    }
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#parts.client.close();
  }

  /** Resolves when there is a connection, or when waiting is no use. */
  async #connected(
    signal: AbortSignal,
    deadlineMs: number | "none",
  ): Promise<void> {
    signal.throwIfAborted();
    const channel = this.#parts.client.getChannel();
    const ready = grpc.connectivityState.READY;
    let state = channel.getConnectivityState(true);
    const untilMs = Date.now() +
      (deadlineMs === "none"
        ? CONNECT_WAIT_MS
        : Math.min(deadlineMs, CONNECT_WAIT_MS));
    while (state !== ready && Date.now() < untilMs) {
      await changeFrom(channel, state, { untilMs, signal });
      signal.throwIfAborted();
      state = channel.getConnectivityState(true);
    }
  }

  #send<Response>(
    method: Method,
    request: object,
    options: { signal: AbortSignal; deadlineMs: number | "none" },
  ): Promise<Response> {
    const shape = this.#shape(method);
    const { signal } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const call = this.#parts.client.makeUnaryRequest(
      shape.path,
      (message: object) => encodeMessage(shape.request, message),
      (bytes: Buffer) => decodeMessage<Response>(shape.response, bytes),
      request,
      new grpc.Metadata(),
      deadlineOf(options.deadlineMs),
      (error, response) => {
        signal.removeEventListener("abort", stop);
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new RpcError("INTERNAL", "no answer"));
      },
    );
    const stop = () => {
      call.cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    return promise;
  }

  #follow<Response>(
    method: Method,
    request: object,
    deadlineMs: number | "none",
  ): grpc.ClientReadableStream<Response> {
    const shape = this.#shape(method);
    const call = this.#parts.client.makeServerStreamRequest(
      shape.path,
      (message: object) => encodeMessage(shape.request, message),
      (bytes: Buffer) => decodeMessage<Response>(shape.response, bytes),
      request,
      new grpc.Metadata(),
      deadlineOf(deadlineMs),
    );
    // Iterating reports errors; this listener only keeps the cancellation
    // after the last look from becoming an uncaught one.
    call.on("error", () => undefined);
    return call;
  }

  #shape(method: Method): RpcShape {
    const shape = this.#parts.shapes.get(method);
    if (shape === undefined) throw new Error(`No such RPC: ${method}`);
    return shape;
  }

  #report(method: Method, startMs: number, code: Code): void {
    const name = method.slice(method.indexOf("/") + 1);
    this.#parts.onCall?.(name, performance.now() - startMs, code);
  }

  /** Reports a failed call and returns what to throw for it. */
  #failed(
    error: unknown,
    call: {
      readonly method: Method;
      readonly startMs: number;
      readonly options: CallOptions;
      readonly deadlineMs: number | "none";
    },
  ): unknown {
    const { signal, doing } = call.options;
    if (signal.aborted && (isAbort(error, signal) || isCancelled(error))) {
      this.#report(call.method, call.startMs, "CANCELLED");
      return signal.reason;
    }
    const failure = rpcErrorOf(error);
    this.#report(call.method, call.startMs, failure.code);
    return toAgentError(failure, {
      doing: doing ?? `call ${call.method}`,
      socketPath: this.#parts.socketPath,
      deadlineMs: call.deadlineMs,
    });
  }
}

/** The library throws past us at what its header has no digits for. */
function deadlineOf(deadlineMs: number | "none"): grpc.CallOptions {
  if (deadlineMs === "none") return {};
  return { deadline: Date.now() + Math.min(deadlineMs, LONGEST_DEADLINE_MS) };
}

/** Resolves when the connection is no longer in `state`, or too late. */
function changeFrom(
  channel: ReturnType<grpc.Client["getChannel"]>,
  state: grpc.connectivityState,
  limits: { readonly untilMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    limits.signal.removeEventListener("abort", done);
    resolve();
  };
  limits.signal.addEventListener("abort", done, { once: true });
  channel.watchConnectivityState(state, limits.untilMs, done);
  return promise;
}

function isCancelled(error: unknown): boolean {
  return rpcErrorOf(error).code === "CANCELLED";
}

/** grpc-js throws plain errors with `code` and `details` beside the text. */
function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof Error) {
    const code = "code" in error && typeof error.code === "number"
      ? codeOf(error.code)
      : "INTERNAL";
    const details = "details" in error && typeof error.details === "string"
      ? error.details
      : error.message;
    return new RpcError(code, details);
  }
  return new RpcError("UNKNOWN", String(error));
}
