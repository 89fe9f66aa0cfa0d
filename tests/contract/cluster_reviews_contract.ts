/** What every `ClusterReviews` promises; part of the cluster's contract. */
import assert from "node:assert/strict";
import type { User } from "../../lib/port/reviews.ts";
import {
  type ObjectsCase,
  podWithAccount,
} from "./cluster_objects_contract.ts";

export async function reviewsTokens(at: ObjectsCase): Promise<void> {
  const { cluster, signal, name } = at;
  const { reviews, objects, pods } = cluster;
  const ask = await podWithAccount(at);
  const { namespace, pod: { uid } } = ask;
  const { token } = await objects.createToken(ask, signal);
  const user = await reviews.token(token, signal);
  assert.equal(user?.name, `system:serviceaccount:${namespace}:${name}`);
  assert.notEqual(user?.uid, "");
  // Meant for somebody else, or nobody's.
  const other = await objects.createToken({ ...ask, audience: "x" }, signal);
  for (const foreign of [other.token, `${token.slice(0, -8)}AAAAAAAA`]) {
    assert.equal(
      await unlessRefused(reviews.token(foreign, signal)),
      undefined,
    );
  }
  await pods.remove({ namespace, name, uid }, signal);
}

/** A server that has words for its no may say so by failing. */
async function unlessRefused(
  review: Promise<User | undefined>,
): Promise<User | undefined> {
  try {
    return await review;
  } catch (error) {
    assert.match(String(error), /Cannot review/);
    return undefined;
  }
}

export async function reviewsAccess(
  { cluster: { reviews }, signal, name }: ObjectsCase,
): Promise<void> {
  const may = (groups: readonly string[], verb: string) =>
    reviews.access({
      user: { name, uid: "", groups, extra: new Map([["a/b", ["c"]]]) },
      verb,
      subresource: "proxy",
      node: name,
    }, signal);
  assert.equal(await may([], "get"), false);
  assert.equal(await may(["system:authenticated"], ""), false);
  assert.equal(await may(["system:masters"], "create"), true);
}
