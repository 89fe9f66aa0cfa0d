/**
 * Starts that cannot be: a second copy, state of a newer agent, a disk that is
 * full or cannot be written. Each is one clear line, and nothing is damaged.
 */
import assert from "node:assert/strict";
import { startAgent, stopAgent } from "../../deploy/world.ts";
import { agentPids } from "../../deploy/world/agent.ts";
import {
  aPod,
  gone,
  nodeTest,
  pause,
  put,
  runningOne,
  runProgram,
  take,
  until,
  world,
} from "./agent_world.ts";

const OWN = [
  `--config=${world.agentConfig}`,
  `--hostname-override=${world.name}`,
];
const ROOT = `${world.root}/var/lib/kubelet`;

async function sh(script: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-euc", script],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  return text(stdout);
}

/** Every file of the agent's, with size and time. */
function state(): Promise<string> {
  return sh(
    `find ${ROOT} -xdev -type f -printf '%p %s %T@\n' | grep -v /pods/ | sort`,
  );
}

/** The first agent has files of its own to write. */
async function settled(): Promise<string> {
  let last = await state();
  await until("files that stay", async () => {
    await pause(1_000);
    const now = await state();
    const isSame = now === last;
    last = now;
    return isSame;
  });
  return last;
}

nodeTest(
  "a second copy says which process has the node, and ends",
  async (node) => {
    await put(aPod("first"));
    const { id } = await runningOne(node, "first");
    const [pid] = await agentPids(world);
    const before = await settled();
    const { code, out, err } = await runProgram(...OWN);
    assert.equal(code, 1);
    assert.equal(out, "");
    assert.ok(
      err.includes(
        `Cannot start: another agent runs on ${world.root}/run/` +
          `denolet, as process ${pid}; end it first`,
      ),
      err,
    );
    assert.ok(!err.includes("Started"), "nothing was begun");
    assert.equal(await state(), before, "no file of the first was touched");
    assert.deepEqual(await agentPids(world), [pid]);
    assert.equal((await runningOne(node, "first")).id, id);
    await take("first");
    await gone(node, "first");
  },
);

nodeTest(
  "an older agent leaves the state of a newer one alone",
  async (node) => {
    await put(aPod("kept"));
    const { id } = await runningOne(node, "kept");
    await stopAgent(world);
    const stamp = `${ROOT}/denolet.json`;
    const own = await Deno.readTextFile(stamp);
    const newer = JSON.stringify({ stateFormat: 99, version: "9.9.9" });
    await Deno.writeTextFile(stamp, newer);
    const before = await state();
    try {
      const { code, err } = await runProgram(...OWN);
      assert.equal(code, 1);
      assert.match(
        err,
        /^denolet: Cannot start: \S+denolet\.json says that denolet 9\.9\.9/m,
      );
      assert.equal(await state(), before);
      // Half of one does not stop it.
      await Deno.writeTextFile(stamp, newer.slice(0, 9));
      await startAgent(world);
      assert.equal(await Deno.readTextFile(stamp), own);
      assert.equal((await runningOne(node, "kept")).id, id);
    } finally {
      await Deno.writeTextFile(stamp, own);
    }
    await take("kept");
    await gone(node, "kept");
  },
);

nodeTest(
  "a disk that is full or read-only at first start is named",
  async () => {
    await stopAgent(world);
    const small = `${world.root}/small`;
    await sh(`mkdir -p ${small}; mount -t tmpfs -o size=64k tmpfs ${small}`);
    const args = [...OWN, `--root-dir=${small}/kubelet`, "--cert-dir="];
    try {
      await sh(`dd if=/dev/zero of=${small}/fill bs=4k 2>/dev/null || true`);
      const full = await runProgram(...args);
      assert.equal(full.code, 1);
      assert.match(
        full.err,
        new RegExp(`^denolet: Cannot \\w+ ${small}/kubelet.*space`, "m"),
      );
      await sh(`rm ${small}/fill; mount -o remount,ro ${small}`);
      const locked = await runProgram(...args);
      assert.equal(locked.code, 1);
      assert.match(
        locked.err,
        new RegExp(`^denolet: Cannot \\w+ ${small}/kubelet.*[Rr]ead-only`, "m"),
      );
      assert.equal(await sh(`find ${small} -type f`), "", "nothing half-made");
    } finally {
      await sh(`umount ${small}; rmdir ${small}`);
      await startAgent(world);
    }
  },
);
