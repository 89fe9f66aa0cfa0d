/**
 * A TLS server of a test's own, that answers as badly as it is told. Every
 * request goes to the script, which writes what it likes.
 */
import * as https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { portOf } from "../listen.ts";
import { FakeAuthority } from "./fake_cluster_authority.ts";

export type Script = (
  request: IncomingMessage,
  answer: ServerResponse,
) => void;

export class FakeServer {
  readonly url: string;
  readonly authority: FakeAuthority;
  readonly #server: https.Server;
  readonly #sockets = new Set<{ destroy(): void }>();
  script: Script;
  /** Connections made so far. */
  connections = 0;

  constructor(server: https.Server, authority: FakeAuthority, script: Script) {
    this.#server = server;
    this.authority = authority;
    this.script = script;
    this.url = `https://127.0.0.1:${portOf(server)}`;
    server.on("secureConnection", (socket: TLSSocket) => {
      this.connections++;
      this.#sockets.add(socket);
    });
    server.on("request", (request, answer) => this.script(request, answer));
  }

  static async open(
    script: Script,
    life: { readonly notBeforeMs?: number; readonly notAfterMs?: number } = {},
  ): Promise<FakeServer> {
    const authority = await FakeAuthority.create();
    const pair = await authority.server(["127.0.0.1", "kube.test"], life);
    const server = https.createServer({
      cert: pair.certificate,
      key: pair.key,
    });
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", resolve)
    );
    return new FakeServer(server, authority, script);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Answers with JSON. */
export function answerJson(
  answer: ServerResponse,
  status: number,
  body: unknown,
): void {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

export function kubeconfigFor(
  server: FakeServer,
  own: {
    readonly cluster?: Record<string, unknown>;
    readonly user?: Record<string, unknown>;
  } = {},
): string {
  return JSON.stringify({
    clusters: [{
      name: "c",
      cluster: {
        server: server.url,
        "certificate-authority-data": btoa(server.authority.pem),
        ...own.cluster,
      },
    }],
    users: [{ name: "u", user: own.user ?? { token: "t0" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}
