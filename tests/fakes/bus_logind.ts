/**
 * A system bus of a test's own (the real dbus-daemon) and somebody on it who
 * speaks as logind and as systemd do. Its locks are real pipes, handed over
 * through the bus: a lock is let go of when its other end is closed.
 */
import { dirname } from "node:path";
import {
  argumentsOf,
  decodeMessage,
  encodeMessage,
  HEAD_BYTES,
  type Incoming,
  messageLength,
  METHOD_CALL,
  METHOD_RETURN,
  SIGNAL,
} from "../../lib/host/dbus_wire.ts";
import type { Argument } from "../../lib/host/dbus_values.ts";
import { GREETING, greetingLength } from "../../lib/host/dbus_greeting.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { libcPath } from "./notify_socket.ts";

const NAMES = ["org.freedesktop.login1", "org.freedesktop.systemd1"];
const O_CLOEXEC_NONBLOCK = 0o2004000;

const SYMBOLS = {
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i64" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

export function hasBus(): boolean {
  return new Deno.Command("sh", { args: ["-c", "command -v dbus-daemon"] })
    .outputSync().success;
}

/** The real message bus on a socket below `directory`. */
export async function startBus(directory: string) {
  const socket = `${directory}/bus`;
  const config = `${directory}/bus.conf`;
  // As the system's: names and calls are free here, everything else is alike.
  await Deno.writeTextFile(
    config,
    `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=${socket}</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/>
<allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true"/>
<allow receive_type="method_call"/><allow receive_type="signal"/>
<allow receive_type="method_return"/><allow receive_type="error"/>
</policy></busconfig>`,
  );
  const child = new Deno.Command("dbus-daemon", {
    args: [`--config-file=${config}`, "--nofork", "--print-address"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  // The address is told once it listens.
  await reader.read();
  reader.releaseLock();
  return {
    socket,
    async stop() {
      child.kill("SIGTERM");
      await child.stdout.cancel();
      await child.status;
    },
  };
}

export class BusLogind {
  readonly #libc = openLibc();
  readonly #more = Deno.dlopen(libcPath(), SYMBOLS);
  readonly #fd: number;
  readonly #names: readonly string[];
  readonly #directory: string;
  readonly #locks: number[] = [];
  #bytes = new Uint8Array(0);
  #serial = 0;
  #reading: Promise<void> = Promise.resolve();
  #isGreeted = false;
  #isOver = false;
  delayUs = 5_000_000n;
  isPreparing = false;
  systemState = "running";
  /** What `Inhibit` was asked with. */
  readonly asked: string[] = [];

  constructor(socket: string, names: readonly string[] = NAMES) {
    this.#names = names;
    this.#directory = dirname(socket);
    this.#fd = this.#libc.sockets.open("stream");
    if (this.#libc.sockets.connect(this.#fd, socket) < 0) {
      throw new Error("The bus is not there");
    }
  }

  /** Resolves when the names are taken. */
  async begin(): Promise<void> {
    this.#libc.sockets.send(this.#fd, GREETING);
    const ready = Promise.withResolvers<void>();
    this.#reading = this.#read(() => ready.resolve());
    await ready.promise;
  }

  /** Tells everybody, as logind does; `to`: only one of them. */
  prepare(what: "shutdown" | "cancellation", to?: string): void {
    this.isPreparing = what === "shutdown";
    this.#send({
      type: SIGNAL,
      path: "/org/freedesktop/login1",
      interface: "org.freedesktop.login1.Manager",
      member: "PrepareForShutdown",
      ...to === undefined ? {} : { destination: to },
    }, [{ type: "b", value: this.isPreparing }]);
  }

  /** Says something that nobody asked for to one connection. */
  say(text: string, to: string): void {
    this.#send({
      type: SIGNAL,
      path: "/",
      interface: "org.example.Noise",
      member: "Said",
      destination: to,
    }, [{ type: "s", value: text }]);
  }

  /** How many locks somebody holds just now. */
  get heldCount(): number {
    const byte = new Uint8Array(1);
    return this.#locks
      .filter((fd) => this.#more.symbols.read(fd, byte, 1n) !== 0n).length;
  }

  /** More than once is once. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#libc.sockets.end(this.#fd);
    await this.#reading;
    for (const fd of this.#locks) this.#more.symbols.close(fd);
    this.#libc.closeFd(this.#fd);
    this.#libc.close();
    this.#more.close();
  }

  async #read(ready: () => void): Promise<void> {
    const { sockets } = this.#libc;
    while (!this.#isOver) {
      await sockets.readable(this.#fd);
      const got = sockets.receive(this.#fd);
      if (got === undefined) continue;
      if (typeof got === "number" || got.bytes.length === 0) return;
      this.#bytes = new Uint8Array([...this.#bytes, ...got.bytes]);
      if (!this.#isGreeted) this.#greet();
      while (this.#isGreeted && this.#bytes.length >= HEAD_BYTES) {
        const length = messageLength(this.#bytes);
        if (this.#bytes.length < length) break;
        this.#take(decodeMessage(this.#bytes.slice(0, length)), ready);
        this.#bytes = this.#bytes.slice(length);
      }
    }
  }

  #greet(): void {
    const length = greetingLength(this.#bytes);
    if (length === undefined) return;
    this.#bytes = this.#bytes.slice(length);
    this.#isGreeted = true;
    this.#callBus("Hello", []);
    for (const value of this.#names) {
      this.#callBus("RequestName", [
        { type: "s", value },
        { type: "u", value: 0 },
      ]);
    }
  }

  #callBus(member: string, args: readonly Argument[]): void {
    const name = "org.freedesktop.DBus";
    const path = "/org/freedesktop/DBus";
    this.#send(
      { type: METHOD_CALL, destination: name, interface: name, path, member },
      args,
    );
  }

  #take(message: Incoming, ready: () => void): void {
    // The answer to the last of our own calls.
    if (message.replySerial === this.#names.length + 1) ready();
    if (message.type !== METHOD_CALL) return;
    switch (message.member) {
      case "Get":
        return this.#property(message);
      case "KillUnit":
        this.delayUs = this.#configured();
        return this.#reply(message, []);
      case "Inhibit":
        this.asked.push(argumentsOf(message, "ssss").join("|"));
        return this.#lock(message);
    }
  }

  /** As the drop-in beside the bus says, which it reads again. */
  #configured(): bigint {
    const folder = `${this.#directory}/etc/systemd/logind.conf.d`;
    const text = Deno.readTextFileSync(`${folder}/99-kubelet.conf`);
    const [, seconds = "5"] = /InhibitDelayMaxSec=(\d+)/.exec(text) ?? [];
    return BigInt(seconds) * 1_000_000n;
  }

  #property(message: Incoming): void {
    switch (argumentsOf(message, "ss")[1]) {
      case "InhibitDelayMaxUSec":
        return this.#variant(message, { type: "t", value: this.delayUs });
      case "PreparingForShutdown":
        return this.#variant(message, { type: "b", value: this.isPreparing });
      case "SystemState":
        return this.#variant(message, { type: "s", value: this.systemState });
    }
  }

  #variant(to: Incoming, value: Argument): void {
    const bytes = variantMessage(this.#answer(to), value);
    this.#libc.sockets.send(this.#fd, bytes);
  }

  #answer(to: Incoming) {
    return {
      type: METHOD_RETURN,
      serial: ++this.#serial,
      replySerial: to.serial,
      ...to.sender === undefined ? {} : { destination: to.sender },
    };
  }

  #reply(to: Incoming, args: readonly Argument[]): void {
    const bytes = encodeMessage(this.#answer(to), args);
    this.#libc.sockets.send(this.#fd, bytes);
  }

  #send(
    message: Omit<Parameters<typeof encodeMessage>[0], "serial">,
    args: readonly Argument[],
  ): void {
    const whole = { ...message, serial: ++this.#serial };
    this.#libc.sockets.send(this.#fd, encodeMessage(whole, args));
  }

  #lock(to: Incoming): void {
    const ends = new Int32Array(2);
    this.#more.symbols.pipe2(new Uint8Array(ends.buffer), O_CLOEXEC_NONBLOCK);
    const [ours = -1, theirs = -1] = ends;
    this.#locks.push(ours);
    const bytes = encodeMessage(
      { ...this.#answer(to), unixFds: 1 },
      [{ type: "h", value: 0 }],
    );
    this.#sendWith(bytes, theirs);
    this.#more.symbols.close(theirs);
  }

  /** `sendmsg(2)` with one descriptor. */
  #sendWith(bytes: Uint8Array<ArrayBuffer>, fd: number): void {
    const part = new BigUint64Array([addressOf(bytes), BigInt(bytes.length)]);
    const control = new Uint8Array(24);
    const rights = new DataView(control.buffer);
    rights.setBigUint64(0, 20n, true);
    rights.setInt32(8, 1, true);
    rights.setInt32(12, 1, true);
    rights.setInt32(16, fd, true);
    const head = new BigUint64Array([
      ...[0n, 0n, addressOf(part), 1n],
      ...[addressOf(control), 24n, 0n],
    ]);
    const sent = this.#more.symbols
      .sendmsg(this.#fd, new Uint8Array(head.buffer), 0);
    if (sent < 0n) throw new Error("Cannot send the descriptor");
  }
}

/** Laid out by hand: the program has no use for writing variants. */
export function variantMessage(
  message: Parameters<typeof encodeMessage>[0],
  value: Argument,
): Uint8Array<ArrayBuffer> {
  const plain = encodeMessage(message, [value]);
  const bodyLength = new DataView(plain.buffer).getUint32(4, true);
  const inner = plain.slice(plain.length - bodyLength);
  const pad = value.type === "t" ? 8 : 4;
  const body = new Uint8Array(pad + inner.length);
  body.set(new TextEncoder().encode(`\x01${value.type}\0`));
  body.set(inner, pad);
  // The header of a message with a text, saying `v` where it says `s`.
  const text = encodeMessage(message, [{ type: "s", value: "" }]);
  const header = text.slice(0, text.length - 5);
  header[header.lastIndexOf(0x73)] = 0x76;
  new DataView(header.buffer).setUint32(4, body.length, true);
  return new Uint8Array([...header, ...body]);
}

function addressOf(
  bytes: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>,
) {
  const pointer = Deno.UnsafePointer.of(bytes);
  return BigInt(Deno.UnsafePointer.value(pointer));
}
