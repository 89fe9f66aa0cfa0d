/**
 * A gRPC server on a Unix socket that speaks the CRI as told, for tests of
 * the adapter: answers are given per RPC, the rest is UNIMPLEMENTED.
 */
import type { Buffer } from "node:buffer";
import * as grpc from "@grpc/grpc-js";
import { parseSchema, rpcShapes } from "../../lib/cri/schema.ts";
import { decodeMessage, encodeMessage } from "../../lib/cri/translate_bytes.ts";
import { listenGrpc } from "./grpc_listen.ts";

export type Answer = (request: object) => Promise<object> | object;
export type Answers = (
  request: object,
  stopped: Promise<void>,
) => AsyncIterable<object>;

export interface CriServerSpec {
  readonly unary?: Readonly<Record<string, Answer>>;
  readonly stream?: Readonly<Record<string, Answers>>;
}

/** Listens until the returned function is called. */
export async function serveCri(
  socketPath: string,
  spec: CriServerSpec,
): Promise<() => Promise<void>> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const definition: Record<string, grpc.MethodDefinition<object, object>> = {};
  const calls: grpc.UntypedServiceImplementation = {};
  for (const [name, shape] of rpcShapes(parseSchema())) {
    definition[name] = {
      path: shape.path,
      requestStream: false,
      responseStream: shape.isStream,
      requestSerialize: (value) => encodeMessage(shape.request, value),
      requestDeserialize: (bytes: Buffer) =>
        decodeMessage<object>(shape.request, bytes),
      responseSerialize: (value) => encodeMessage(shape.response, value),
      responseDeserialize: (bytes: Buffer) =>
        decodeMessage<object>(shape.response, bytes),
    };
    const answer = spec.unary?.[name];
    const answers = spec.stream?.[name];
    if (answer !== undefined) calls[name] = unaryCall(answer);
    if (answers !== undefined) calls[name] = streamCall(answers);
  }
  server.addService(definition, calls);
  return (await listenGrpc(server, { path: socketPath })).close;
}

function unaryCall(answer: Answer): grpc.handleUnaryCall<object, object> {
  return (call, callback) => {
    Promise.resolve(call.request).then(answer).then(
      (response) => callback(null, response),
      (error) => callback(statusOf(error)),
    );
  };
}

function streamCall(
  answers: Answers,
): grpc.handleServerStreamingCall<object, object> {
  return async (call) => {
    const stopped = new Promise<void>((resolve) =>
      call.once("cancelled", () => resolve())
    );
    try {
      for await (const each of answers(call.request, stopped)) call.write(each);
      call.end();
    } catch (error) {
      call.emit("error", statusOf(error));
    }
  };
}

function statusOf(error: unknown): Partial<grpc.StatusObject> {
  return error instanceof Error && "code" in error &&
      typeof error.code === "number"
    ? { code: error.code, details: error.message }
    : { code: grpc.status.UNKNOWN, details: String(error) };
}
