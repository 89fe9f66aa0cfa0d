import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { nearNames, noSuchPod, podsNamed, sortedPods } from "./find_pod.ts";
import { aPod, aView } from "./fixture_test.ts";

Deno.test("nearNames() guesses what was meant, nearest first", () => {
  const known = ["default/web-n1", "kube-system/etcd-n1", "x/weh", "x/wxyz"];
  const cases: [string, string[]][] = [
    ["web", ["default/web-n1", "x/weh"]],
    ["default/etcd", ["kube-system/etcd-n1"]],
    ["n1", []],
    ["tcd-n1", ["kube-system/etcd-n1"]],
    ["web-n2", ["default/web-n1"]],
    ["elsewhere/weh", ["x/weh"]],
    ["completely-different", []],
    ["", []],
  ];
  for (const [wanted, near] of cases) {
    assert.deepEqual(nearNames(wanted, known), near, wanted);
  }
});

Deno.test("noSuchPod() is one line whatever there is", () => {
  assert.equal(noSuchPod("a/b", []), "No pod a/b here: there are no pods");
  assert.equal(noSuchPod("a/b", ["x/zzzzzz"]), "No pod a/b here");
  assert.equal(
    noSuchPod("a/web", ["b/web", "b/wep"]),
    "No pod a/web here; near: b/web, b/wep",
  );
});

Deno.test("podsNamed() puts the pod that stays before its predecessor", () => {
  const old = aView({ uid: podUid("1"), state: { kind: "cleaning" } });
  const young = aView({ uid: podUid("2") });
  const other = aView({ pod: aPod({ name: "other" }) });
  assert.deepEqual(podsNamed([old, other, young], "default", "web"), [
    young,
    old,
  ]);
  assert.deepEqual(podsNamed([old], "x", "web"), []);
});

Deno.test("sortedPods() is the same for every order", () => {
  const a = aView({ pod: aPod({ namespace: "a", name: "z" }) });
  const b = aView({ pod: aPod({ namespace: "b", name: "a" }) });
  const c = aView({ pod: aPod({ namespace: "b", name: "b" }) });
  assert.deepEqual(sortedPods([c, b, a]), [a, b, c]);
  assert.deepEqual(sortedPods([b, a, c]), [a, b, c]);
});
