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

const TWENTY: readonly V1Pod[] = Array.from(
  { length: COUNT },
  (_, at) => pods.aPod(`web-${at}`),
);
const NAMES = TWENTY.map(({ metadata }) => metadata?.name ?? "");

/** The cut comes when some run, some start and some wait. */
export async function cutPower(rig: Rig): Promise<string> {
  await pods.create(rig, TWENTY);
  let before = new Map<string, V1Pod>();
  await rig.until("the first pods to be Ready", async () => {
    before = await twenty(rig);
    return [...before.values()].filter(pods.isReady).length >= 3;
  }, 240_000);
  await powerCut(rig.machine);
  const count = [...before.values()].filter(pods.isReady).length;
  assert.ok(count < COUNT, "the cut came too late");
  await powerOn(rig.machine);
  await rig.booted();
  return `${count} were Ready at the cut; ${await again(rig, before)}`;
}

/** With those that are there, or with new ones. */
export async function reboot(rig: Rig): Promise<string> {
  await pods.create(rig, TWENTY);
  await pods.ready(rig, NAMES);
  const before = await twenty(rig);
  const boot = await rig.bootId();
  await rig.sh("systemctl --no-block reboot");
  await rig.until("the next boot", async () => {
    return await rig.bootId().catch(() => boot) !== boot;
  }, 240_000);
  return await again(rig, before);
}

async function twenty(rig: Rig): Promise<Map<string, V1Pod>> {
  const all = await pods.podsOf(rig);
  return new Map(all.map((pod) => [pod.metadata?.name ?? "", pod]));
}

/** The same pods, not others of the same name, run again on their own. */
async function again(
  rig: Rig,
  before: ReadonlyMap<string, V1Pod>,
): Promise<string> {
  const sinceMs = performance.now();
  // What the API server held before the boot does not count.
  const startMs = await bootTimeMs(rig);
  let found: ReadonlyMap<string, V1Pod> = new Map();
  await rig.until("all pods to run since the boot", async () => {
    found = await twenty(rig);
    return [...found.values()].every((pod) =>
      pods.isReady(pod) && startedMs(pod) >= startMs
    );
  }, 300_000);
  const seconds = ((performance.now() - sinceMs) / 1000).toFixed(0);
  const uids = (of: ReadonlyMap<string, V1Pod>) =>
    new Map(NAMES.map((name) => [name, pods.uidOf(of.get(name))]));
  assert.equal(found.size, COUNT, "no pod is lost, none is new");
  assert.deepEqual(uids(found), uids(before));
  await rig.passes(() => eachOnce(rig, found));
  await nothingStuck(rig);
  const more = restartsSince(before, found);
  return `all run ${seconds} s after the boot; started again: ${more}`;
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

/** `17 once, 3 not`: by how much each one's restart count has grown. */
function restartsSince(
  before: ReadonlyMap<string, V1Pod>,
  found: ReadonlyMap<string, V1Pod>,
): string {
  const counts = new Map<number, number>();
  for (const [name, pod] of found) {
    const old = before.get(name);
    const grown = pods.restartsOf(pod) -
      Math.max(0, old === undefined ? 0 : pods.restartsOf(old));
    counts.set(grown, (counts.get(grown) ?? 0) + 1);
  }
  return [...counts].toSorted(([a], [b]) => a - b)
    .map(([grown, count]) => `${count} by ${grown}`).join(", ");
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
