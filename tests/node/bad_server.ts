/**
 * A server at an address of its own that either hands its clients on to the
 * world's API server, byte by byte, or answers them itself, as badly as a test
 * wants, with a certificate that the node's CA has signed.
 */
import * as https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as net from "node:net";
import { issue } from "../../deploy/cluster/certificates.ts";
import type { ClusterFacts } from "../../deploy/cluster.ts";
import { portOf } from "../listen.ts";

export type Script = (
  request: IncomingMessage,
  answer: ServerResponse,
) => void;

export class BadServer {
  readonly #relay: net.Server;
  readonly #own: https.Server;
  readonly #good: number;
  readonly #sockets = new Set<net.Socket>();
  /** Undefined: the good server answers. */
  #script: Script | undefined;
  /** Requests answered by the script. */
  requests = 0;

  private constructor(relay: net.Server, own: https.Server, good: number) {
    this.#relay = relay;
    this.#own = own;
    this.#good = good;
    relay.on("connection", (socket) => this.#hand(socket));
    own.on("request", (request, answer) => {
      this.requests++;
      answer.on("error", () => {});
      this.#script?.(request, answer);
    });
  }

  static async open(cluster: ClusterFacts): Promise<BadServer> {
    const ca = {
      certificate: await Deno.readTextFile(cluster.ca.certificate),
      key: await Deno.readTextFile(cluster.ca.key),
    };
    const { certificate, key } = await issue(ca, {
      commonName: "kube-apiserver",
      use: "server",
      hosts: ["127.0.0.1"],
    });
    const own = https.createServer({ cert: certificate, key });
    const relay = net.createServer();
    for (const server of [own, relay]) {
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    }
    return new BadServer(relay, own, cluster.ports.apiServer);
  }

  get url(): string {
    return `https://127.0.0.1:${portOf(this.#relay)}`;
  }

  /** From now on; whoever is connected has to come again. */
  answer(script: Script | undefined): void {
    this.#script = script;
    this.requests = 0;
    this.#hangUp();
  }

  async close(): Promise<void> {
    this.#hangUp();
    for (const server of [this.#relay, this.#own]) {
      await new Promise((done) => server.close(done));
    }
  }

  #hand(socket: net.Socket): void {
    const port = this.#script === undefined ? this.#good : portOf(this.#own);
    const onward = net.connect(port, "127.0.0.1");
    for (const [one, other] of [[socket, onward], [onward, socket]] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  #hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
