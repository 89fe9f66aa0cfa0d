/**
 * The adapter of logind against a real message bus: locks are descriptors that
 * cross it. Needs dbus-daemon; says so where there is none.
 */
import assert from "node:assert/strict";
import { chainOf } from "../../lib/base/errors.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { hostLogind } from "../../lib/host/logind.ts";
import { hostServiceManager } from "../../lib/host/service_manager.ts";
import { decodeMessage, METHOD_RETURN } from "../../lib/host/dbus_wire.ts";
import {
  BusLogind,
  hasBus,
  startBus,
  variantMessage,
} from "../fakes/bus_logind.ts";
import { logindContract, type LogindWorld, turns } from "./logind_contract.ts";

const NOTHING = {
  socket: undefined,
  watchdogUs: undefined,
  watchdogPid: undefined,
  execPid: undefined,
};

interface BusWorld extends LogindWorld {
  readonly directory: string;
  readonly socket: string;
  readonly logind: BusLogind;
}

const ignore = !hasBus();
if (ignore) {
  console.warn("SKIP: no test of logind, because dbus-daemon is missing");
}

async function busWorld(): Promise<BusWorld> {
  const directory = await Deno.makeTempDir();
  await Deno.mkdir(`${directory}/etc/systemd`, { recursive: true });
  const bus = await startBus(directory);
  const libc = openLibc();
  const logind = new BusLogind(bus.socket);
  await logind.begin();
  return {
    directory,
    socket: bus.socket,
    logind,
    port: hostLogind(libc, { socket: bus.socket, hostRoot: directory }),
    heldCount: () => logind.heldCount,
    prepare: (what) => logind.prepare(what),
    leave: () => logind.close(),
    async close() {
      await logind.close();
      await bus.stop();
      // Readers of connections that are closed see it now.
      await turns();
      libc.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

logindContract("logind on a bus", busWorld, { ignore });

function busTest(name: string, run: (world: BusWorld) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      const world = await busWorld();
      try {
        await run(world);
      } finally {
        await world.close();
      }
    },
  });
}

busTest("hostLogind() says and writes what upstream does", async ({
  logind,
  port,
  directory,
}) => {
  const session = await port.open();
  const lock = await session.inhibit();
  assert.deepEqual(logind.asked, [
    "shutdown|kubelet|Kubelet needs time to handle node shutdown|delay",
  ]);
  await session.configureDelay(42);
  const file = `${directory}/etc/systemd/logind.conf.d/99-kubelet.conf`;
  assert.equal(
    await Deno.readTextFile(file),
    "# Kubelet logind override\n[Login]\nInhibitDelayMaxSec=42\n",
  );
  lock.release();
  session.close();
});

busTest("hostLogind() believes nobody but logind", async ({
  logind,
  port,
  socket,
}) => {
  const session = await port.open();
  const liar = new BusLogind(socket, ["org.example.liar"]);
  await liar.begin();
  // Connections are counted: logind, ours, the liar.
  for (const to of [undefined, ":1.0", ":1.1", ":1.2"]) {
    liar.prepare("shutdown", to);
  }
  await turns();
  logind.prepare("cancellation");
  for await (const told of session.changes(new AbortController().signal)) {
    assert.equal(told, false);
    break;
  }
  session.close();
  await liar.close();
});

busTest(
  "hostLogind() gives up a connection that is flooded, not its lock",
  async ({ logind, port, socket }) => {
    const session = await port.open();
    const lock = await session.inhibit();
    const liar = new BusLogind(socket, ["org.example.liar"]);
    await liar.begin();
    // Connections are counted: logind is :1.0.
    liar.say("short, and of no interest", ":1.1");
    assert.equal(await session.isPreparing(), false);
    const over = Array.fromAsync(session.changes(new AbortController().signal));
    const ended = over.then(String, chainOf);
    liar.say("x".repeat(100_000), ":1.1");
    assert.match(await ended, /a message of \d+ bytes/);
    assert.equal(logind.heldCount, 1);
    const next = await port.open();
    assert.equal(await next.isPreparing(), false);
    next.close();
    lock.release();
    await liar.close();
  },
);

busTest(
  "hostLogind() cannot be made to wait by a bus that says nothing",
  async ({
    directory,
  }) => {
    const socket = `${directory}/mute`;
    const mute = Deno.listen({ transport: "unix", path: socket });
    const libc = openLibc();
    const opened = hostLogind(libc, { socket, hostRoot: directory }).open();
    const guest = await mute.accept();
    // A greeting that never ends.
    await guest.write(new TextEncoder().encode("DATA ".padEnd(4096, "x")));
    await assert.rejects(
      opened,
      (error) => /does not let us in/.test(chainOf(error)),
    );
    guest.close();
    mute.close();
    await turns();
    libc.close();
  },
);

busTest("ServiceManager.isGoingDown() believes systemd alone", async ({
  logind,
  socket,
}) => {
  const libc = openLibc();
  const asked = (busSocket: string) =>
    hostServiceManager(libc, {
      busSocket,
      ownSocket: "/nowhere/private",
      environment: NOTHING,
      pid: 1,
    }).isGoingDown();
  assert.equal(await asked(socket), false);
  logind.systemState = "stopping";
  assert.equal(await asked(socket), true);
  assert.equal(await asked("/nowhere/bus"), false);
  await turns();
  libc.close();
});

Deno.test("ServiceManager.isGoingDown() asks PID 1 itself where no bus is", async () => {
  const directory = await Deno.makeTempDir();
  const ownSocket = `${directory}/private`;
  const listener = Deno.listen({ transport: "unix", path: ownSocket });
  const libc = openLibc();
  const manager = hostServiceManager(libc, {
    busSocket: `${directory}/bus`,
    ownSocket,
    environment: NOTHING,
    pid: 1,
  });
  const answer = manager.isGoingDown();
  const guest = await listener.accept();
  const buffer = new Uint8Array(1024);
  await guest.read(buffer);
  const hello = "DATA\r\nOK 1f\r\nAGREE_UNIX_FD\r\n";
  await guest.write(new TextEncoder().encode(hello));
  const length = await guest.read(buffer) ?? 0;
  const { serial, destination } = decodeMessage(buffer.slice(0, length));
  // There is no bus that would pass it on.
  assert.equal(destination, undefined);
  const reply = { type: METHOD_RETURN, serial: 1, replySerial: serial };
  const value = { type: "s", value: "stopping" } as const;
  await guest.write(variantMessage(reply, value));
  assert.equal(await answer, true);
  guest.close();
  listener.close();
  await turns();
  libc.close();
  await Deno.remove(directory, { recursive: true });
});
