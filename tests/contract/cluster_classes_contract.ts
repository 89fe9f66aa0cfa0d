/** What every `ClusterRuntimeClasses` promises; part of the cluster's contract. */
import assert from "node:assert/strict";
import type { Case } from "./cluster_case.ts";
import { iterate } from "./cluster_iterate.ts";

export async function followsRuntimeClasses(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  const [first, second] = [`${name}-one`, `${name}-two`];
  await harness.runtimeClass(first, "runsc");
  const news = iterate(cluster.runtimeClasses.watch(signal));
  assert.equal((await news.next()).get(first), "runsc");
  await harness.runtimeClass(second, "kata");
  const both = await news.until((handlers) => handlers.has(second));
  assert.deepEqual([both.get(first), both.get(second)], ["runsc", "kata"]);
  await harness.runtimeClass(first, undefined);
  const left = await news.until((handlers) => !handlers.has(first));
  assert.equal(left.get(second), "kata");
  await harness.runtimeClass(second, undefined);
  await news.until((handlers) => !handlers.has(second));
  await news.close();
}
