/**
 * The logs of services, as the node's API reads them from a real journal. It
 * takes a package that may start `journalctl`, which replaces the other one.
 */
import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { openShelf, stockPackage } from "../../deploy/vm/goods.ts";
import type { Rig } from "./rig.ts";

const JOURNALCTL = "journalctl --utc --no-pager --output=short-precise";

export async function journalIsRead(rig: Rig): Promise<string> {
  await refused(rig);
  await install(rig);
  const lines = await lastLines(rig);
  await between(rig);
  await ofPattern(rig);
  const boots = await ofBootBefore(rig);
  return `the same ${lines} lines, by time and pattern too; ${boots} boots`;
}

/** A machine that was just made has had none. */
async function ofBootBefore(rig: Rig): Promise<number> {
  const list = await rig.sh("journalctl --list-boots --quiet --no-pager");
  const boots = list.match(/^ *-?\d+ [0-9a-f]{32} /gm)?.length ?? 0;
  if (boots > 1) {
    assert.equal(
      await ask(rig, "query=containerd&boot=-1&tailLines=2"),
      await rig.sh(`${JOURNALCTL} -n 2 -u containerd -b -1`),
    );
  }
  return boots;
}

function ask(rig: Rig, query: string): Promise<string> {
  const node = `/api/v1/nodes/${rig.machine.name}/proxy`;
  return rig.kubectl("get", "--raw", `${node}/logs/?${query}`);
}

/** The package of a node may start nothing. */
async function refused(rig: Rig): Promise<void> {
  await rig.sh(
    "echo 'enableSystemLogQuery: true' >>/var/lib/kubelet/config.yaml && " +
      "systemctl restart denolet",
  );
  await rig.nodeReady();
  // Its server listens a moment later.
  await rig.passes(() =>
    assert.rejects(ask(rig, "query=containerd"), /--allow-run=journalctl/)
  );
}

async function install(rig: Rig): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const set = { ...deno.permissions.node, run: ["journalctl"] };
    await Deno.writeTextFile(file, JSON.stringify(set));
    await stockPackage(rig.machine, "journal", file);
  } finally {
    await Deno.remove(file);
  }
  await using shelf = openShelf(rig.machine);
  const url = `http://${rig.machine.host}:${shelf.addr.port}/journal.tar`;
  await rig.sh(
    `curl --fail --silent ${url} >/var/tmp/journal.tar && ` +
      "systemctl stop denolet && tar -xC / -f /var/tmp/journal.tar && " +
      "rm /var/tmp/journal.tar && systemctl start denolet",
    120_000,
  );
  await rig.nodeReady();
}

/** A service may say more between the two looks. */
async function lastLines(rig: Rig): Promise<number> {
  let lines = 0;
  await rig.passes(async () => {
    const told = await ask(rig, "query=denolet&tailLines=5");
    const own = await rig.sh(`${JOURNALCTL} -n 5 -u denolet`);
    assert.equal(told, own);
    lines = told.trimEnd().split("\n").length;
  });
  assert.ok(lines >= 5);
  return lines;
}

async function between(rig: Rig): Promise<void> {
  const now = (await rig.sh("date -u +%FT%TZ")).trim();
  const words = now.replace("T", " ").replace("Z", " UTC");
  const boot = (await rig.sh("uptime -s")).trim();
  const since = `${boot.replace(" ", "T")}Z`;
  const told = await ask(
    rig,
    `query=denolet&sinceTime=${since}&untilTime=${now}`,
  );
  const own = await rig.sh(
    `${JOURNALCTL} -S '${boot} UTC' -U '${words}' -u denolet`,
  );
  assert.equal(told, own);
  assert.match(told, /denolet/);
}

async function ofPattern(rig: Rig): Promise<void> {
  const told = await ask(rig, "query=denolet&pattern=Started.*agent&boot=0");
  const own = await rig.sh(
    `${JOURNALCTL} -u denolet -g 'Started.*agent' -b 0`,
  );
  assert.equal(told, own);
  assert.match(told, /Started/);
}
