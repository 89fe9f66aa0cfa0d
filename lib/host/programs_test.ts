import assert from "node:assert/strict";
import type { Command } from "../port/programs.ts";
import { hostPrograms, outputOf } from "./programs.ts";

const SIGNAL = new AbortController().signal;
const SECRET = "planted-secret";

function shell(script: string, own: Partial<Command> = {}): Command {
  return {
    path: "/bin/sh",
    args: ["-c", script],
    env: new Map(),
    limitMs: 10_000,
    limitBytes: 1000,
    ...own,
  };
}

function run(command: Command, signal = new AbortController().signal) {
  return hostPrograms.run(command, signal);
}

Deno.test("hostPrograms.run() hands over input and environment", async () => {
  const ended = await run(shell('cat; echo " $WORD"; echo bad >&2; exit 3', {
    stdin: "in",
    env: new Map([["WORD", "out"]]),
  }));
  assert.deepEqual(ended, { code: 3, stdout: "in out\n", stderr: "bad\n" });
});

Deno.test("hostPrograms.run() needs no reader of its input", async () => {
  const ended = await run(shell("exec true", { stdin: "x".repeat(200_000) }));
  assert.equal(ended.code, 0);
});

Deno.test("hostPrograms.run() ends what hangs, is too loud or unwanted", async () => {
  const cases: [string, Command, RegExp][] = [
    ["hangs", shell("trap '' TERM; sleep 5", { limitMs: 50 }), /over 0.05 s/],
    [
      "its child holds the pipe",
      shell("sleep 5 & exit 0", { limitMs: 200 }),
      /over 0.2 s/,
    ],
    [
      "is loud",
      shell(`while :; do echo ${SECRET}; done`),
      /over 1000 bytes/,
    ],
  ];
  for (const [name, command, words] of cases) {
    await assert.rejects(run(command), (error: Error) => {
      assert.match(error.message, words, name);
      assert.doesNotMatch(error.message, new RegExp(SECRET));
      return true;
    });
  }
  const ending = new AbortController();
  const running = run(shell("sleep 5"), ending.signal);
  ending.abort();
  await assert.rejects(running, { name: "AbortError" });
});

Deno.test("outputOf() gives what is printed, then the complaints", async () => {
  const all = await Array.fromAsync(
    outputOf(shell("echo out; echo bad >&2; exit 3"), SIGNAL),
  );
  assert.equal(
    all.map((each) => new TextDecoder().decode(each)).join(""),
    "out\nbad\n",
  );
});

Deno.test("outputOf() ends the program when nobody reads on, or when told to", async () => {
  const loud = shell("echo $$; while :; do echo more; done");
  for await (const first of outputOf(loud, SIGNAL)) {
    assert.match(new TextDecoder().decode(first), /^\d+\n/);
    break;
  }
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 50);
  const hung = shell("echo here; exec sleep 30");
  const all = await Array.fromAsync(outputOf(hung, ending.signal));
  assert.equal(new TextDecoder().decode(all[0]), "here\n");
});

Deno.test("hostPrograms.run() says what is missing", async () => {
  await assert.rejects(
    run({ ...shell(""), path: "/nowhere/plugin" }),
    { reason: "NotFound", next: "give-up" },
  );
});

Deno.test({
  name: "hostPrograms.run() names the permission that is missing",
  permissions: { run: ["/bin/true"], read: true },
  async fn() {
    await assert.rejects(run(shell("echo hello")), (error: Error) => {
      assert.match(error.message, /--allow-run=\/bin\/sh\b/);
      return true;
    });
  },
});
