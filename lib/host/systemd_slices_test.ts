/** Orders to a PID 1 that the test plays, on a socket of its own. */
import assert from "node:assert/strict";
import { AgentError, chainOf } from "../base/errors.ts";
import {
  decodeMessage,
  encodeMessage,
  ERROR,
  HEAD_BYTES,
  messageLength,
  METHOD_RETURN,
} from "./dbus_wire.ts";
import type { Argument } from "./dbus_values.ts";
import { openLibc } from "./libc.ts";
import { SystemdSlices } from "./systemd_slices.ts";

const PATH = "kubepods.slice/kubepods-podx.slice";
const VALUES = [{
  name: "CPUWeight",
  value: { type: "t", value: 4n },
}] as const;
const JOB: readonly Argument[] = [{ type: "o", value: "/job/1" }];

/** Gives the answer to a call: arguments, or the name of an error. */
type Answers = (member: string) => readonly Argument[] | string;

async function withPid1(
  answers: Answers,
  fn: (
    slices: SystemdSlices,
    calls: { readonly member: string; readonly body: string }[],
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/private`;
  const listener = Deno.listen({ transport: "unix", path });
  const calls: { member: string; body: string }[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      await serve(connection, (member, body) => {
        calls.push({ member, body });
        return answers(member);
      });
    }
  })();
  const libc = openLibc();
  try {
    await fn(new SystemdSlices(libc, path), calls);
  } finally {
    listener.close();
    await serving;
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function serve(
  connection: Deno.Conn,
  answer: (member: string, body: string) => readonly Argument[] | string,
): Promise<void> {
  let bytes = new Uint8Array(0);
  let isGreeted = false;
  for await (const chunk of connection.readable) {
    bytes = new Uint8Array([...bytes, ...chunk]);
    const begin = new TextDecoder("latin1").decode(bytes).indexOf("BEGIN\r\n");
    if (!isGreeted && begin >= 0) {
      isGreeted = true;
      bytes = bytes.slice(begin + 7);
      await connection.write(
        new TextEncoder().encode("DATA\r\nOK 0123\r\nAGREE_UNIX_FD\r\n"),
      );
    }
    while (isGreeted && bytes.length >= HEAD_BYTES) {
      const length = messageLength(bytes);
      if (bytes.length < length) break;
      const { serial, member, body } = decodeMessage(bytes.slice(0, length));
      bytes = bytes.slice(length);
      const said = answer(member ?? "", new TextDecoder().decode(body));
      const head = { serial: 1, replySerial: serial };
      await connection.write(
        typeof said === "string"
          ? encodeMessage({ ...head, type: ERROR, errorName: said })
          : encodeMessage({ ...head, type: METHOD_RETURN }, said),
      );
    }
  }
}

const members = (calls: readonly { readonly member: string }[]) =>
  calls.map(({ member }) => member);

Deno.test("SystemdSlices.set() makes a unit with its values", () =>
  withPid1(() => JOB, async (slices, calls) => {
    await slices.set(PATH, VALUES);
    assert.deepEqual(members(calls), ["StartTransientUnit"]);
    const body = calls[0]?.body ?? "";
    for (
      const word of ["kubepods-podx.slice", "replace", "Wants", "CPUWeight"]
    ) {
      assert.ok(body.includes(word), word);
    }
  }));

Deno.test("SystemdSlices.set() gives the values to a unit that is there", () =>
  withPid1(
    (member) =>
      member === "StartTransientUnit"
        ? "org.freedesktop.systemd1.UnitExists"
        : [],
    async (slices, calls) => {
      await slices.set(PATH, VALUES);
      assert.deepEqual(members(calls), [
        "StartTransientUnit",
        "SetUnitProperties",
      ]);
      assert.doesNotMatch(calls[1]?.body ?? "", /Wants/);
    },
  ));

Deno.test("SystemdSlices.set() says what systemd says", () =>
  withPid1(() => "org.freedesktop.DBus.Error.AccessDenied", async (slices) => {
    await assert.rejects(
      slices.set(PATH, VALUES),
      (error: unknown) =>
        error instanceof AgentError && error.next === "retry" &&
        chainOf(error).includes("AccessDenied"),
    );
  }));

Deno.test("SystemdSlices.stop() is content when there is no such unit", () =>
  withPid1(
    () => "org.freedesktop.systemd1.NoSuchUnit",
    async (slices, calls) => {
      await slices.stop(PATH);
      assert.deepEqual(members(calls), ["StopUnit"]);
    },
  ));

Deno.test("SystemdSlices does nothing where there is no systemd", async () => {
  const libc = openLibc();
  try {
    const slices = new SystemdSlices(libc, "/nowhere/private");
    await slices.set(PATH, VALUES);
    await slices.stop(PATH);
  } finally {
    libc.close();
  }
});
