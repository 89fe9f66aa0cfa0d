/**
 * `ServiceManager` for systemd: datagrams to the socket that it named, and a
 * question to PID 1. Others that speak sd_notify(3) are served by it too.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type { ServiceManager } from "../port/service_manager.ts";
import { connectBus, connectPeer, type DbusConnection } from "./dbus.ts";
import { failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

const SYSTEMD = {
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.DBus.Properties",
};
const STATE = {
  args: [
    { type: "s", value: "org.freedesktop.systemd1.Manager" },
    { type: "s", value: "SystemState" },
  ],
  gives: "v",
} as const;

/** What the service manager put into our environment. */
export interface NotifyEnvironment {
  readonly socket: string | undefined;
  readonly watchdogUs: string | undefined;
  readonly watchdogPid: string | undefined;
  /** The process that systemd started, which may be a shell around us. */
  readonly execPid: string | undefined;
}

/** What is there of it, and where the bus is if that is said. */
export function managerEnvironment(): NotifyEnvironment & {
  readonly busAddress: string | undefined;
} {
  return {
    socket: Deno.env.get("NOTIFY_SOCKET"),
    watchdogUs: Deno.env.get("WATCHDOG_USEC"),
    watchdogPid: Deno.env.get("WATCHDOG_PID"),
    execPid: Deno.env.get("SYSTEMD_EXEC_PID"),
    busAddress: Deno.env.get("DBUS_SYSTEM_BUS_ADDRESS"),
  };
}

/** The socket of a D-Bus address, the first of several; else the text. */
export function socketOf(address: string): string {
  const [, kind, value] = /^unix:(path|abstract)=([^,;]+)/.exec(address) ?? [];
  if (value === undefined) return address;
  return `${kind === "abstract" ? "@" : ""}${decodeURIComponent(value)}`;
}

export interface ManagerPlace {
  /** The system bus, and where PID 1 listens itself. */
  readonly busSocket: string;
  readonly ownSocket: string;
  readonly environment: NotifyEnvironment;
  readonly pid: number;
}

/** Throws (`give-up`) for an environment that nobody could have meant. */
export function hostServiceManager(
  libc: Libc,
  place: ManagerPlace,
): ServiceManager {
  const { environment, pid } = place;
  const { socket } = environment;
  return {
    isListening: socket !== undefined,
    watchdogMs: watchdogMs(environment, pid),
    mainPid: isWrapped(environment, pid) ? pid : undefined,
    notify: (...lines) =>
      socket === undefined ? undefined : notify(libc, socket, lines),
    isGoingDown: () => isGoingDown(libc, place),
  };
}

function isWrapped({ execPid }: NotifyEnvironment, pid: number): boolean {
  return execPid !== undefined && execPid !== String(pid);
}

/** Compat: go-systemd SdWatchdogEnabled, kubelet 1.36 NewHealthChecker. */
export function watchdogMs(
  { watchdogUs, watchdogPid }: NotifyEnvironment,
  pid: number,
): number | undefined {
  if (watchdogUs === undefined) return undefined;
  const us = wholeNumber("WATCHDOG_USEC", watchdogUs, "above 1000000");
  if (watchdogPid !== undefined) {
    const meant = wholeNumber("WATCHDOG_PID", watchdogPid, "a process id");
    if (meant !== pid) return undefined;
  }
  if (us <= 1_000_000) {
    throw invalid("WATCHDOG_USEC", watchdogUs, "above 1000000");
  }
  return us / 1000;
}

function wholeNumber(name: string, text: string, allowed: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw invalid(name, text, allowed);
}

function invalid(name: string, text: string, allowed: string): AgentError {
  return new AgentError(
    `Cannot start: ${name} in the environment is ${JSON.stringify(text)}; ` +
      `allowed is a whole number, ${allowed}`,
    { next: "give-up" },
  );
}

function notify(
  libc: Libc,
  socket: string,
  lines: readonly string[],
): string | undefined {
  const doing = `Cannot notify ${socket}`;
  const fd = libc.sockets.open("datagram");
  if (fd < 0) return failure(doing, -fd).message;
  try {
    const bytes = new TextEncoder().encode(lines.join("\n"));
    const sent = libc.sockets.send(fd, bytes, socket);
    return sent < 0 ? failure(doing, -sent).message : undefined;
  } catch (error) {
    return chainOf(error);
  } finally {
    libc.closeFd(fd);
  }
}

async function isGoingDown(
  libc: Libc,
  { busSocket, ownSocket }: ManagerPlace,
): Promise<boolean> {
  const name = { ...SYSTEMD, destination: "org.freedesktop.systemd1" };
  // The bus may be down already, PID 1 is not.
  const asked = [
    { target: name, connect: () => connectBus(libc, busSocket, ignore) },
    { target: SYSTEMD, connect: () => connectPeer(libc, ownSocket, ignore) },
  ];
  for (const { target, connect } of asked) {
    let connection: DbusConnection | undefined;
    try {
      connection = await connect();
      const { values } = await connection.call(target, "Get", STATE);
      return values[0] === "stopping";
    } catch (error) {
      // The next one may know.
      if (!(error instanceof AgentError)) throw error;
    } finally {
      connection?.close();
    }
  }
  return false;
}

function ignore(): void {}
