/**
 * Twenty pods over a reboot, and over a power cut in the middle of their
 * starts: each is there again, once, and nothing is stuck, doubled or lost.
 */
import assert from "node:assert/strict";
import { powerCut, powerOn } from "../../deploy/vm/machine.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import * as pods from "./pods.ts";
import type { Rig } from "./rig.ts";

const COUNT = 20;
/** A sandbox and a container. */
const GROUPS = 2;

function twenty(prefix: string): readonly V1Pod[] {
  return Array.from({ length: COUNT }, (_, at) => pods.aPod(`${prefix}-${at}`));
}

function namesOf(all: readonly V1Pod[]): string[] {
  return all.map(({ metadata }) => metadata?.name ?? "");
}

/** All are Ready, and the kernel has each once. */
export async function start(rig: Rig): Promise<string> {
  const all = twenty("web");
  await pods.create(rig, all);
  const made = await pods.ready(rig, namesOf(all));
  await rig.passes(() => eachOnce(rig, made));
  assert.deepEqual(restarts(made), new Map([[0, COUNT]]));
  return "each runs once";
}

export async function reboot(rig: Rig): Promise<string> {
  const all = twenty("web");
  // They are there already, when the step before has run.
  await pods.create(rig, all);
  const before = await pods.ready(rig, namesOf(all));
  const boot = await rig.bootId();
  await rig.sh("systemctl --no-block reboot");
  await rig.until("the next boot", async () => {
    return await rig.bootId().catch(() => boot) !== boot;
  }, 240_000);
  const seen = await again(rig, before);
  await pods.removeAll(rig);
  return seen;
}

/** The cut comes when some run, some start and some wait. */
export async function cutPower(rig: Rig): Promise<string> {
  const all = twenty("cut");
  const names = namesOf(all);
  await pods.create(rig, all);
  let before = new Map<string, V1Pod>();
  await rig.until("the first pods to be Ready", async () => {
    const found = await pods.podsOf(rig);
    before = new Map(found.map((pod) => [pod.metadata?.name ?? "", pod]));
    return found.filter(pods.isReady).length >= 3;
  }, 240_000);
  await powerCut(rig.machine);
  const count = [...before.values()].filter(pods.isReady).length;
  assert.ok(count < COUNT, "the cut came too late");
  assert.deepEqual([...before.keys()].toSorted(), names.toSorted());
  await powerOn(rig.machine);
  await rig.booted();
  const seen = await again(rig, before);
  await pods.removeAll(rig);
  return `${count} were Ready at the cut; ${seen}`;
}

/** The same pods, not others of the same name, run again on their own. */
async function again(
  rig: Rig,
  before: ReadonlyMap<string, V1Pod>,
): Promise<string> {
  const bootedMs = performance.now();
  // What the API server held before the boot does not count.
  const startMs = await bootTimeMs(rig);
  let found: ReadonlyMap<string, V1Pod> = new Map();
  await rig.until("all pods to run since the boot", async () => {
    const all = await pods.podsOf(rig);
    found = new Map(all.map((pod) => [pod.metadata?.name ?? "", pod]));
    return all.every((pod) => pods.isReady(pod) && startedMs(pod) >= startMs);
  }, 300_000);
  const seconds = ((performance.now() - bootedMs) / 1000).toFixed(0);
  assert.equal(found.size, COUNT, "no pod is lost, none is new");
  for (const [name, pod] of found) {
    assert.equal(pods.uidOf(pod), pods.uidOf(before.get(name)), name);
  }
  await rig.passes(() => eachOnce(rig, found));
  await nothingStuck(rig);
  const counts = [...restarts(found)].toSorted()
    .map(([restarts, count]) => `${count} with ${restarts}`).join(", ");
  return `all run ${seconds} s after the boot; restarts: ${counts}`;
}

async function bootTimeMs(rig: Rig): Promise<number> {
  const text = await rig.sh("awk '/^btime/ { print $2 }' /proc/stat");
  return Number(text) * 1000;
}

function startedMs({ status }: V1Pod): number {
  const running = status?.containerStatuses?.[0]?.state?.running;
  return running?.startedAt === undefined
    ? 0
    : new Date(running.startedAt).getTime();
}

function restarts(found: ReadonlyMap<string, V1Pod>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const pod of found.values()) {
    const restarts = pods.restartsOf(pod);
    counts.set(restarts, (counts.get(restarts) ?? 0) + 1);
  }
  return counts;
}

/**
 * By the kernel's cgroups, the agent's directories and the pods' addresses:
 * nothing is doubled, and nothing is left of others.
 */
async function eachOnce(
  rig: Rig,
  found: ReadonlyMap<string, V1Pod>,
): Promise<void> {
  const wanted = new Map(
    [...found.values()].map((pod) => [pods.uidOf(pod), GROUPS]),
  );
  assert.deepEqual(
    new Map([...await pods.groupsByPod(rig)].toSorted()),
    new Map([...wanted].toSorted()),
  );
  const directories = await rig.sh("ls /var/lib/kubelet/pods");
  assert.deepEqual(
    directories.trim().split("\n").toSorted(),
    [...wanted.keys()].toSorted(),
  );
  const ips = new Set([...found.values()].map(({ status }) => status?.podIP));
  assert.equal(ips.size, found.size, "each has an address of its own");
}

/** Neither the agent nor systemd has anything unfinished. */
async function nothingStuck(rig: Rig): Promise<void> {
  const failed = await rig.sh("systemctl list-units --failed --no-legend");
  assert.equal(failed, "", "no unit has failed");
}
