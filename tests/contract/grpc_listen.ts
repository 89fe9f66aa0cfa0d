/**
 * Lets a gRPC server of a test listen, each connection up to a GOAWAY frame:
 * Deno's HTTP/2 dies of one on this side too; see lib/base/http2_guard.ts.
 */
import * as net from "node:net";
import * as grpc from "@grpc/grpc-js";
import { guardedSocket } from "../../lib/base/http2_guard.ts";
import { listening } from "../listen.ts";

export interface GrpcListener {
  /** 0 on a Unix socket. */
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens until closed: on a free port of `host`, or on a Unix socket. */
export async function listenGrpc(
  server: grpc.Server,
  where: { readonly host: string } | { readonly path: string },
): Promise<GrpcListener> {
  const injector = server.createConnectionInjector(
    grpc.ServerCredentials.createInsecure(),
  );
  const sockets = new Set<net.Socket>();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    injector.injectConnection(guardedSocket(socket, "server"));
  });
  return {
    port: await listening(listener, where),
    close() {
      for (const each of sockets) each.destroy();
      server.forceShutdown();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
