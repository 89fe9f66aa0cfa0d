/**
 * `Logind` over the system bus. The names and texts are upstream's, whom
 * `systemd-inhibit --list` shows. A signal counts only from the connection
 * that owns logind's name: anybody on the bus may send us one like it.
 * Compat: kubelet 1.36 nodeshutdown/systemd.
 */
import { join } from "node:path";
import { AgentError, chainOf } from "../base/errors.ts";
import type {
  Logind,
  LogindSession,
  ShutdownLock,
} from "../port/service_manager.ts";
import { connectBus, type DbusConnection } from "./dbus.ts";
import { argumentsOf, type Incoming } from "./dbus_wire.ts";
import { HostFiles } from "./files.ts";
import type { Libc } from "./libc.ts";

const NAME = "org.freedesktop.login1";
const PATH = "/org/freedesktop/login1";
const MANAGER = "org.freedesktop.login1.Manager";
const LOGIND = { destination: NAME, path: PATH, interface: MANAGER };
const PROPERTIES = { ...LOGIND, interface: "org.freedesktop.DBus.Properties" };
const SYSTEMD = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
};
const SIGHUP = 1;
const PREPARE = "PrepareForShutdown";
const BUS_NAME = "org.freedesktop.DBus";
const MATCHES = [
  `type='signal',sender='${NAME}',path='${PATH}',interface='${MANAGER}',` +
  `member='${PREPARE}'`,
  `type='signal',sender='${BUS_NAME}',interface='${BUS_NAME}',` +
  `member='NameOwnerChanged',arg0='${NAME}'`,
];
const CONFIG_DIRECTORY = "/etc/systemd/logind.conf.d";
const CONFIG_FILE = "99-kubelet.conf";

export interface BusPlace {
  /** The system bus. */
  readonly socket: string;
  readonly hostRoot: string;
}

export function hostLogind(libc: Libc, place: BusPlace): Logind {
  return {
    async open() {
      const session = new HostSession(libc, place);
      await session.begin();
      return session;
    },
  };
}

class HostSession implements LogindSession {
  readonly #libc: Libc;
  readonly #place: BusPlace;
  #bus: DbusConnection | undefined;
  #owner = "";
  /** What was told and not yet taken. */
  #told: boolean[] = [];
  #news = Promise.withResolvers<void>();
  #end: AgentError | undefined;

  constructor(libc: Libc, place: BusPlace) {
    this.#libc = libc;
    this.#place = place;
  }

  async begin(): Promise<void> {
    const bus = await connectBus(
      this.#libc,
      this.#place.socket,
      (signal) => this.#hear(signal),
    );
    this.#bus = bus;
    bus.over.then((reason) => this.#finish(reason));
    try {
      for (const rule of MATCHES) await bus.match(rule);
      this.#owner = await bus.ownerOf(NAME);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async inhibitDelayMs(): Promise<number> {
    const us = await this.#property("InhibitDelayMaxUSec");
    if (typeof us !== "bigint") {
      throw new AgentError("InhibitDelayMaxUSec of logind is no number", {
        next: "retry",
      });
    }
    return Number(us / 1000n);
  }

  async isPreparing(): Promise<boolean> {
    return await this.#property("PreparingForShutdown") === true;
  }

  async configureDelay(seconds: number): Promise<void> {
    const directory = join(this.#place.hostRoot, CONFIG_DIRECTORY);
    const files = new HostFiles({
      libc: this.#libc,
      roots: [join(directory, "..")],
      links: "refuse",
    });
    await files.makeDirectory(directory, 0o755);
    const text =
      `# Kubelet logind override\n[Login]\nInhibitDelayMaxSec=${seconds}\n`;
    const bytes = new TextEncoder().encode(text);
    await files.replace(`${directory}/${CONFIG_FILE}`, bytes, 0o644);
    await this.#connection().call(SYSTEMD, "KillUnit", {
      args: [
        { type: "s", value: "systemd-logind.service" },
        { type: "s", value: "all" },
        { type: "i", value: SIGHUP },
      ],
      gives: "",
    });
  }

  async inhibit(): Promise<ShutdownLock> {
    const { fds } = await this.#connection().call(LOGIND, "Inhibit", {
      args: [
        { type: "s", value: "shutdown" },
        { type: "s", value: "kubelet" },
        { type: "s", value: "Kubelet needs time to handle node shutdown" },
        { type: "s", value: "delay" },
      ],
      gives: "h",
    });
    const [fd, ...more] = fds;
    for (const each of more) this.#libc.closeFd(each);
    if (fd === undefined) {
      throw new AgentError("Logind gave no descriptor for its lock", {
        next: "retry",
      });
    }
    let held: number | undefined = fd;
    return {
      release: () => {
        if (held !== undefined) this.#libc.closeFd(held);
        held = undefined;
      },
    };
  }

  async *changes(signal: AbortSignal): AsyncGenerator<boolean> {
    const stop = () => this.#news.resolve();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        const next = this.#told.shift();
        if (next !== undefined) {
          yield next;
          continue;
        }
        if (this.#end !== undefined) throw this.#end;
        await this.#news.promise;
        this.#news = Promise.withResolvers();
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  close(): void {
    this.#bus?.close();
  }

  async #property(name: string) {
    const { values } = await this.#connection().call(PROPERTIES, "Get", {
      args: [{ type: "s", value: MANAGER }, { type: "s", value: name }],
      gives: "v",
    });
    return values[0];
  }

  #connection(): DbusConnection {
    if (this.#bus === undefined) throw new Error("The session has not begun");
    return this.#bus;
  }

  #hear(signal: Incoming): void {
    const { sender, interface: from, member } = signal;
    if (sender === this.#owner && from === MANAGER && member === PREPARE) {
      const [isGoingDown] = argumentsOf(signal, "b");
      // Nothing is gained by keeping more than the last of each kind.
      if (this.#told.at(-1) !== isGoingDown) {
        this.#told.push(isGoingDown === true);
        this.#told = this.#told.slice(-2);
      }
      this.#news.resolve();
    }
    const isOwner = sender === BUS_NAME && member === "NameOwnerChanged";
    if (isOwner && this.#owner !== "") {
      this.#finish(
        new AgentError("Logind has ended or is another one", { next: "retry" }),
      );
      this.close();
    }
  }

  #finish(reason: AgentError): void {
    this.#end ??= new AgentError(
      `Nobody tells of a shutdown any more: ${chainOf(reason)}`,
      { next: "retry" },
    );
    this.#news.resolve();
  }
}
