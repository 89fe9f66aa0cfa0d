import assert from "node:assert/strict";
import { NotifySocket } from "../../tests/fakes/notify_socket.ts";
import { openLibc } from "./libc.ts";
import {
  hostServiceManager,
  type NotifyEnvironment,
  socketOf,
  watchdogMs,
} from "./service_manager.ts";

const NOTHING: NotifyEnvironment = {
  socket: undefined,
  watchdogUs: undefined,
  watchdogPid: undefined,
  execPid: undefined,
};

for (
  const [environment, expected] of [
    [{}, undefined],
    [{ watchdogUs: "30000000" }, 30_000],
    [{ watchdogUs: "30000000", watchdogPid: "7" }, 30_000],
    [{ watchdogUs: "30000000", watchdogPid: "8" }, undefined],
    [{ watchdogPid: "7" }, undefined],
    [{ watchdogUs: "1000001" }, 1_000.001],
  ] as const
) {
  Deno.test(`watchdogMs() of ${JSON.stringify(environment)} is ${expected}`, () => {
    assert.equal(watchdogMs({ ...NOTHING, ...environment }, 7), expected);
  });
}

for (
  const [environment, words] of [
    [{ watchdogUs: "1000000" }, /WATCHDOG_USEC .*"1000000".*above 1000000/],
    [{ watchdogUs: "0" }, /WATCHDOG_USEC/],
    [{ watchdogUs: "-5" }, /WATCHDOG_USEC/],
    [{ watchdogUs: "soon" }, /WATCHDOG_USEC .*"soon"/],
    [{ watchdogUs: "99999999999999999999" }, /WATCHDOG_USEC/],
    [{ watchdogUs: "30000000", watchdogPid: "me" }, /WATCHDOG_PID .*"me"/],
  ] as const
) {
  Deno.test(`watchdogMs() refuses ${JSON.stringify(environment)}`, () => {
    const given = { ...NOTHING, ...environment };
    assert.throws(() => watchdogMs(given, 7), words);
  });
}

for (
  const [address, socket] of [
    ["unix:path=/run/dbus/socket", "/run/dbus/socket"],
    ["unix:path=/a%20b,guid=1f", "/a b"],
    ["unix:abstract=bus;unix:path=/other", "@bus"],
    ["tcp:host=localhost", "tcp:host=localhost"],
  ] as const
) {
  Deno.test(`socketOf() finds ${socket}`, () => {
    assert.equal(socketOf(address), socket);
  });
}

for (const kind of ["file", "abstract name"] as const) {
  Deno.test(`ServiceManager.notify() reaches a socket that is a ${kind}`, async () => {
    const directory = await Deno.makeTempDir();
    const path = kind === "file" ? `${directory}/notify` : `@${directory}`;
    const socket = new NotifySocket(path);
    const libc = openLibc();
    const manager = hostServiceManager(libc, {
      busSocket: "/nowhere",
      ownSocket: "/nowhere",
      environment: { ...NOTHING, socket: path, execPid: "7" },
      pid: 7,
    });
    assert.equal(manager.isListening, true);
    assert.equal(manager.mainPid, undefined);
    assert.equal(manager.notify("READY=1", "STATUS=All is well"), undefined);
    assert.deepEqual(socket.lines(), ["READY=1", "STATUS=All is well"]);
    socket.close();
    if (kind === "file") await Deno.remove(path);
    assert.match(
      manager.notify("READY=1") ?? "",
      /Cannot notify .*(no such file|nobody listens)/,
    );
    libc.close();
    await Deno.remove(directory, { recursive: true });
  });
}

Deno.test("hostServiceManager() tells who it is only inside of a wrapper", () => {
  const libc = openLibc();
  const place = { busSocket: "/nowhere", ownSocket: "/nowhere", pid: 7 };
  const environment = { ...NOTHING, execPid: "6" };
  const manager = hostServiceManager(libc, { ...place, environment });
  assert.equal(manager.mainPid, 7);
  // Nobody listens: that is no failure.
  assert.equal(manager.isListening, false);
  assert.equal(manager.notify("READY=1"), undefined);
  libc.close();
});
