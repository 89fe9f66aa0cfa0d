import assert from "node:assert/strict";
import { hostJournal, journalArgs } from "./journal.ts";

const SIGNAL = new AbortController().signal;

async function isHere(): Promise<boolean> {
  const found = await Deno.stat("/usr/bin/journalctl").catch(() => undefined);
  if (found === undefined) console.warn("SKIP: no journalctl here");
  return found !== undefined;
}

Deno.test("journalArgs() asks in UTC for what is wanted", () => {
  const usual = ["--utc", "--no-pager", "--output=short-precise"];
  assert.deepEqual(journalArgs({ units: ["kubelet"] }), [
    ...usual,
    "--unit=kubelet",
  ]);
  assert.deepEqual(
    journalArgs({
      units: ["kubelet", "containerd"],
      sinceMs: Date.UTC(2026, 10, 7, 1, 2, 3, 4),
      untilMs: Date.UTC(2026, 11, 27),
      lines: 5,
      boot: -1,
      pattern: "-x",
    }),
    [
      ...usual,
      "--since=2026-11-07 01:02:03 UTC",
      "--until=2026-12-27 00:00:00 UTC",
      "--pager-end",
      "--lines=5",
      "--unit=kubelet",
      "--unit=containerd",
      "--grep=-x",
      "--boot",
      "-1",
    ],
  );
});

Deno.test("hostJournal asks the real program, whatever it has", async () => {
  if (!await isHere()) return;
  const units = await hostJournal.units(SIGNAL);
  assert.ok([...units].every((name) => /^\S*$/.test(name)));
  const parts = await Array.fromAsync(hostJournal.read({
    units: ["denolet-no-such"],
    ...{ sinceMs: Date.now() - 1000, untilMs: Date.now(), lines: 1 },
    pattern: "x",
  }, SIGNAL));
  const said = parts.map((part) => new TextDecoder().decode(part)).join("");
  assert.doesNotMatch(said, /unrecognized|invalid|Failed to parse/i);
});

Deno.test({
  name: "hostJournal names the permission that is missing",
  permissions: { run: ["/bin/true"], read: true },
  async fn() {
    if (!await isHere()) return;
    await assert.rejects(hostJournal.units(SIGNAL), {
      reason: "NotAllowed",
    });
  },
});
