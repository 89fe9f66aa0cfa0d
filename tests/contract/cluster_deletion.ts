/**
 * What every `Cluster` promises of pods that are deleted while their node has
 * a say. Part of `cluster_contract.ts`.
 */
import assert from "node:assert/strict";
import { aPod, type Case, refOf } from "./cluster_case.ts";
import { iterate } from "./cluster_iterate.ts";

/** Grace only shrinks; it is counted from the first deletion. */
export async function keepsDeleted(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  const made = await cluster.pods.create(aPod(name, "a"), signal);
  assert.equal(made.metadata?.generation, 1);
  assert.equal(made.status?.phase, "Pending");
  const ref = refOf(made);
  const news = iterate(cluster.pods.watch(name, signal));
  assert.equal((await news.next()).kind, "listed");
  const ends: number[] = [];
  for (const [asked, kept] of [[60, 60], [300, 60], [20, 20]] as const) {
    await harness.deletePod(ref, asked);
    const found = await cluster.pods.get(ref, signal);
    const metadata = found?.metadata;
    assert.equal(metadata?.deletionGracePeriodSeconds, kept);
    assert.equal(metadata?.generation, 2);
    ends.push(Date.parse(String(metadata?.deletionTimestamp)));
  }
  const [first = 0, ...later] = ends;
  assert.deepEqual(later, [first, first - 40_000]);
  await news.until((each) =>
    each.kind === "changed" &&
    each.pod.metadata?.deletionGracePeriodSeconds === 20
  );
  await cluster.pods.patchStatus(ref, { phase: "Failed" }, signal);
  assert.ok(await cluster.pods.get(ref, signal));
  await cluster.pods.remove(ref, signal);
  await news.until((each) => each.kind === "deleted");
  await news.close();
}

export async function dropsEnded(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  for (const [suffix, phase, seconds] of ENDS) {
    const ref = refOf(await cluster.pods.create(aPod(name, suffix), signal));
    await cluster.pods.patchStatus(ref, { phase }, signal);
    await harness.deletePod(ref, seconds);
    assert.equal(await cluster.pods.get(ref, signal), undefined);
  }
}

const ENDS = [
  ["succeeded", "Succeeded", 30],
  ["failed", "Failed", 30],
  ["forced", "Running", 0],
] as const;
