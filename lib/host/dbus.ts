/**
 * One connection to a D-Bus socket: calls with their answers, and signals.
 * What comes is read where the kernel says that something is there; nothing
 * here blocks. A connection that broke stays broken: open another one.
 */
import { AgentError, nextOf } from "../base/errors.ts";
import type { Bytes } from "./abi.ts";
import type { Argument, Value } from "./dbus_values.ts";
import {
  argumentsOf,
  decodeMessage,
  encodeMessage,
  ERROR,
  HEAD_BYTES,
  type Incoming,
  messageLength,
  METHOD_CALL,
  METHOD_RETURN,
  SIGNAL,
} from "./dbus_wire.ts";
import { GREETING, greetingLength } from "./dbus_greeting.ts";
import { failure } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { check } from "./beneath.ts";

const ANSWER_MS = 5_000;
/** A unit that is to be made is there; one that is to be stopped is not. */
const ALREADY_SO: ReadonlySet<string> = new Set([
  "org.freedesktop.systemd1.UnitExists",
  "org.freedesktop.systemd1.NoSuchUnit",
]);
const BUS = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

/** What is called, at whom. */
export interface Target {
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
}

export interface Answer {
  readonly values: readonly Value[];
  /** Came with it, for the caller to close. */
  readonly fds: readonly number[];
}

interface Place {
  readonly libc: Libc;
  readonly fd: number;
  readonly socket: string;
  readonly onSignal: OnSignal;
}

interface Waiting {
  readonly signature: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Told of every signal that comes. */
export type OnSignal = (signal: Incoming) => void;

/** `socket`: a path, or `@name`. */
export async function connectBus(
  libc: Libc,
  socket: string,
  onSignal: OnSignal,
): Promise<DbusConnection> {
  const connection = await connectPeer(libc, socket, onSignal);
  try {
    await connection.call(BUS, "Hello", { gives: "s" });
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Without a bus in between: whoever listens answers itself. */
export async function connectPeer(
  libc: Libc,
  socket: string,
  onSignal: OnSignal,
): Promise<DbusConnection> {
  const doing = `Cannot connect to ${socket}`;
  const fd = check(libc.sockets.open("stream"), doing);
  try {
    check(libc.sockets.connect(fd, socket), doing);
  } catch (cause) {
    libc.closeFd(fd);
    // Also where there is no such socket: there may be one later.
    throw new AgentError(doing, { next: "retry", cause });
  }
  const connection = new DbusConnection({ libc, fd, socket, onSignal });
  await connection.begin();
  return connection;
}

export class DbusConnection {
  readonly #at: Place;
  readonly #waiting = new Map<number, Waiting>();
  readonly #over = Promise.withResolvers<AgentError>();
  readonly #greeted = Promise.withResolvers<void>();
  #isGreeted = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #fds: number[] = [];
  #serial = 0;
  #failure: AgentError | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(at: Place) {
    this.#at = at;
  }

  /** Resolves with the reason when nothing comes any more. */
  get over(): Promise<AgentError> {
    return this.#over.promise;
  }

  /** Says who we are; resolves when messages may go. */
  async begin(): Promise<void> {
    this.#send(GREETING);
    this.#reading = this.#read();
    await this.#inTime(this.#greeted.promise, "greet");
  }

  /** Rejects with the other's words, or after five seconds without any. */
  async call(
    target: Target,
    member: string,
    how: { readonly args?: readonly Argument[]; readonly gives: string },
  ): Promise<Answer> {
    const serial = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(serial, { signature: how.gives, resolve, reject });
    try {
      const message = { ...target, type: METHOD_CALL, serial, member };
      this.#send(encodeMessage(message, how.args));
      return await this.#inTime(promise, `call ${member} of`);
    } catch (error) {
      throw new AgentError(`Cannot call ${target.interface}.${member}`, {
        next: nextOf(error),
        cause: error,
      });
    } finally {
      this.#waiting.delete(serial);
    }
  }

  /** Signals that fit are told from now on. */
  async match(rule: string): Promise<void> {
    const args = [{ type: "s", value: rule }] as const;
    await this.call(BUS, "AddMatch", { args, gives: "" });
  }

  /** The connection behind a well-known name. */
  async ownerOf(name: string): Promise<string> {
    const args = [{ type: "s", value: name }] as const;
    const how = { args, gives: "s" };
    const { values } = await this.call(BUS, "GetNameOwner", how);
    return String(values[0]);
  }

  /** Ends it; what was asked is not answered any more. */
  close(): void {
    this.#fail(new AgentError("The connection was closed", { next: "retry" }));
  }

  /** Resolves when the socket is closed, too. */
  async closed(): Promise<void> {
    await this.#reading;
  }

  #send(bytes: Bytes): void {
    if (this.#failure !== undefined) throw this.#failure;
    const { libc, fd, socket } = this.#at;
    const doing = `Cannot write to ${socket}`;
    const sent = check(libc.sockets.send(fd, bytes), doing);
    if (sent < bytes.length) {
      const error = new AgentError(`${doing}: it takes nothing more`, {
        next: "retry",
      });
      this.#fail(error);
      throw error;
    }
  }

  async #read(): Promise<void> {
    const { libc, fd } = this.#at;
    try {
      while (this.#failure === undefined) {
        await libc.sockets.readable(fd);
        this.#receive();
      }
    } catch (error) {
      const next = "retry";
      this.#fail(new AgentError("The bus is gone", { next, cause: error }));
    } finally {
      for (const each of this.#fds) libc.closeFd(each);
      libc.closeFd(fd);
    }
  }

  #receive(): void {
    const { libc, fd, socket } = this.#at;
    const got = libc.sockets.receive(fd);
    if (got === undefined) return;
    if (typeof got === "number") {
      throw failure(`Cannot read from ${socket}`, -got);
    }
    this.#fds.push(...got.fds);
    if (got.bytes.length === 0) throw unfit(`${socket} has ended`);
    if (got.isCut) throw unfit(`${socket} sent too many descriptors`);
    const bytes = new Uint8Array(this.#bytes.length + got.bytes.length);
    bytes.set(this.#bytes);
    bytes.set(got.bytes, this.#bytes.length);
    this.#bytes = bytes;
    if (!this.#isGreeted) this.#greet();
    if (this.#isGreeted) this.#messages();
  }

  #greet(): void {
    const length = greetingLength(this.#bytes);
    if (length === undefined) return;
    this.#bytes = this.#bytes.slice(length);
    this.#isGreeted = true;
    this.#greeted.resolve();
  }

  #messages(): void {
    while (this.#bytes.length >= HEAD_BYTES) {
      const length = messageLength(this.#bytes);
      if (this.#bytes.length < length) return;
      const message = decodeMessage(this.#bytes.slice(0, length));
      this.#bytes = this.#bytes.slice(length);
      this.#take(message, this.#fds.splice(0, message.unixFds ?? 0));
    }
  }

  #take(message: Incoming, fds: readonly number[]): void {
    const { libc, onSignal } = this.#at;
    const waiting = this.#waiting.get(message.replySerial ?? 0);
    const isReturn = message.type === METHOD_RETURN;
    if (waiting !== undefined && isReturn) {
      try {
        const values = argumentsOf(message, waiting.signature);
        return waiting.resolve({ values, fds });
      } catch (error) {
        waiting.reject(error);
      }
    }
    for (const each of fds) libc.closeFd(each);
    if (message.type === SIGNAL) onSignal(message);
    if (message.type === ERROR) waiting?.reject(refusal(message));
  }

  #fail(error: AgentError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#at.libc.sockets.end(this.#at.fd);
    this.#greeted.reject(error);
    this.#greeted.promise.catch(() => undefined);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#over.resolve(error);
  }

  async #inTime<T>(work: Promise<T>, doing: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(
        new AgentError(
          `Cannot ${doing} ${this.#at.socket}: no answer in ${ANSWER_MS} ms`,
          { next: "retry" },
        ),
      );
    }, ANSWER_MS);
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** `org.freedesktop.DBus.Error.ServiceUnknown: …`, as the other says it. */
function refusal(message: Incoming): AgentError {
  const { errorName = "an error without a name", signature } = message;
  const [words] = signature === "s" ? argumentsOf(message, "s") : [];
  const text = words === undefined ? "" : `: ${words}`;
  const next = ALREADY_SO.has(errorName) ? "already-so" : "retry";
  return new AgentError(`${errorName}${text}`, { next });
}

function unfit(message: string): AgentError {
  return new AgentError(message, { next: "retry" });
}
