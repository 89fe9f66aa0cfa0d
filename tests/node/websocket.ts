/**
 * WebSockets straight to the node, in `v5.channel.k8s.io`: the first byte of a
 * message names its channel.
 */
import { issue } from "../../deploy/cluster/certificates.ts";
import { until } from "./agent_world.ts";
import { cluster } from "./member_world.ts";
import { BASE } from "./server_world.ts";

/** Of the group that may do everything. */
export async function anAdmin(): Promise<Deno.HttpClient> {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  const { certificate: cert, key } = await issue(ca, {
    commonName: "admin",
    organization: "system:masters",
    use: "client",
  });
  return Deno.createHttpClient({ caCerts: [ca.certificate], cert, key });
}

/** Nobody but by what it says. */
export async function aStranger(): Promise<Deno.HttpClient> {
  const caCerts = [await Deno.readTextFile(cluster.ca.certificate)];
  return Deno.createHttpClient({ caCerts });
}

export function on(channel: number, text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([channel, ...new TextEncoder().encode(text)]);
}
export const END_OF_INPUT = Uint8Array.of(255, 0);

/** One WebSocket, and what was said by it, by channel. */
export class Talk {
  readonly #socket: WebSocket;
  readonly #texts = new Map<number, string>();
  readonly #opened = Promise.withResolvers<boolean>();
  readonly #closed = Promise.withResolvers<number>();

  constructor(
    client: Deno.HttpClient,
    path: string,
    headers: Record<string, string> = {},
  ) {
    const url = `${BASE.replace("https", "wss")}${path}`;
    const protocols = ["v5.channel.k8s.io"];
    this.#socket = new WebSocket(url, { protocols, client, headers });
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#opened.resolve(true);
    this.#socket.onmessage = ({ data }) => {
      const [channel = -1, ...bytes] = new Uint8Array(data);
      const said = new TextDecoder("latin1").decode(Uint8Array.from(bytes));
      this.#texts.set(channel, this.said(channel) + said);
    };
    this.#socket.onclose = ({ code }) => {
      this.#opened.resolve(false);
      this.#closed.resolve(code);
    };
  }

  /** Whether it could be opened. */
  get isOpened(): Promise<boolean> {
    return this.#opened.promise;
  }

  /** The code of the end, which the node says. */
  get isClosed(): Promise<number> {
    return this.#closed.promise;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  said(channel: number): string {
    return this.#texts.get(channel) ?? "";
  }

  async send(...messages: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    await this.isOpened;
    for (const each of messages) this.#socket.send(each);
  }

  async heard(channel: number, words: RegExp): Promise<void> {
    const heard = () => Promise.resolve(words.test(this.said(channel)));
    await until(`${words} on channel ${channel}`, heard);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.isClosed;
  }
}
