/**
 * How the gRPC library connects: in plain text, and never with a GOAWAY frame
 * in what Deno's HTTP/2 reads.
 */
import type { Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { guardedSocket } from "../base/http2_guard.ts";

/**
 * Plain-text credentials whose connections end on GOAWAY, and when more than
 * `mostBytes` come, whatever they are.
 */
export function guardedCredentials(
  mostBytes?: number,
): grpc.ChannelCredentials {
  const plain = grpc.credentials.createInsecure();
  const connector: typeof plain._createSecureConnector = (...target) => {
    const inner = plain._createSecureConnector(...target);
    // grpc-js says that it wants a socket, but any duplex stream will do.
    return Object.create(inner, {
      connect: {
        value: async (socket: Socket) => {
          const result = await inner.connect(socket);
          return {
            ...result,
            socket: guardedSocket(result.socket, "client", mostBytes),
          };
        },
      },
    });
  };
  // grpc-js asks for an instance of its own class, so this is one, with one
  // method of our own.
  return Object.create(plain, { _createSecureConnector: { value: connector } });
}
