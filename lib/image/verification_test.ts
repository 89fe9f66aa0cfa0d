import assert from "node:assert/strict";
import type { PullCredentials } from "./pull_record.ts";
import {
  judge,
  needsProof,
  type Proofs,
  standingOf,
  type VerificationSettings,
} from "./verification.ts";

const AT = { uid: "u1", namespace: "ns", name: "a" };
const OTHER = { uid: "u2", namespace: "ns", name: "b" };

function settings(own: Partial<VerificationSettings>): VerificationSettings {
  return { policy: "AlwaysVerify", allowlist: [], ...own };
}

Deno.test("needsProof() by policy", () => {
  const allowlist = ["r.io/exact", "r.io/all/*"];
  const listed = { policy: "NeverVerifyAllowlistedImages", allowlist } as const;
  const cases: [Partial<VerificationSettings>, string, boolean, boolean][] = [
    [{ policy: "NeverVerify" }, "r.io/a", true, false],
    [{ policy: "NeverVerify" }, "r.io/a", false, false],
    [{ policy: "NeverVerifyPreloadedImages" }, "r.io/a", true, true],
    [{ policy: "NeverVerifyPreloadedImages" }, "r.io/a", false, false],
    [{ policy: "AlwaysVerify" }, "r.io/a", true, true],
    [{ policy: "AlwaysVerify" }, "r.io/a", false, true],
    [listed, "r.io/exact:1", true, false],
    [listed, `r.io/exact@sha256:${"a".repeat(64)}`, false, false],
    [listed, "r.io/exactly:1", false, true],
    [listed, "r.io/all/a/b:1", true, false],
    [listed, "r.io/all", false, true],
    [listed, "r.io/a", false, true],
  ];
  for (const [own, image, isPulledHere, expected] of cases) {
    assert.equal(
      needsProof(settings(own), { image, isPulledHere }),
      expected,
      `${own.policy} ${image} ${isPulledHere}`,
    );
  }
});

function record(own: Partial<PullCredentials>) {
  const nothing = { isForAll: false, secrets: [], serviceAccounts: [] };
  return {
    ref: "sha256:x",
    updatedAtMs: 0,
    credentials: new Map([["r.io/a", { ...nothing, ...own }]]),
  };
}

Deno.test("standingOf() opens an image to all only when a record says so", () => {
  const secrets = [{ at: AT, hash: "h" }];
  const cases: [Parameters<typeof standingOf>, string][] = [
    [[undefined, "r.io/a:1"], "closed"],
    [[record({}), "r.io/a:1"], "closed"],
    [[record({ isForAll: true }), "r.io/a:1"], "open"],
    [[record({ isForAll: true }), "r.io/b:1"], "closed"],
    [[record({ isForAll: true }), "Not A Name"], "closed"],
    [[record({ secrets }), "r.io/a:2"], "guarded"],
    [[record({ serviceAccounts: [AT] }), "r.io/a:2"], "guarded"],
  ];
  for (const [[found, image], kind] of cases) {
    assert.equal(standingOf(found, image).kind, kind, image);
  }
});

Deno.test("judge() takes the same secret or the same content", () => {
  const known = [{ at: AT, hash: "h" }];
  const cases: [string, Partial<Proofs>, unknown][] = [
    ["nothing to show", {}, { kind: "pull" }],
    ["the same", { secrets: known }, { kind: "use" }],
    ["the same with other content", { secrets: [{ at: AT, hash: "new" }] }, {
      kind: "use",
      remember: { at: AT, hash: "new" },
    }],
    ["another with the same content", { secrets: [{ at: OTHER, hash: "h" }] }, {
      kind: "use",
      remember: { at: OTHER, hash: "h" },
    }],
    ["another", { secrets: [{ at: OTHER, hash: "x" }] }, { kind: "pull" }],
    [
      "made anew under its name",
      { secrets: [{ at: { ...AT, uid: "u9" }, hash: "x" }] },
      { kind: "pull" },
    ],
    ["a known account", { serviceAccount: OTHER }, { kind: "use" }],
    ["an unknown account", { serviceAccount: AT }, { kind: "pull" }],
  ];
  for (const [name, own, expected] of cases) {
    const proofs = { secrets: [], serviceAccount: undefined, ...own };
    const standing = {
      kind: "guarded",
      secrets: known,
      serviceAccounts: [OTHER],
    } as const;
    assert.deepEqual(judge(standing, proofs), expected, name);
  }
});

Deno.test("judge() takes no empty hash for equal content", () => {
  const standing = {
    kind: "guarded",
    secrets: [{ at: AT, hash: "" }],
    serviceAccounts: [],
  } as const;
  const secrets = [{ at: OTHER, hash: "" }];
  assert.deepEqual(
    judge(standing, { secrets, serviceAccount: undefined }),
    { kind: "pull" },
  );
});

Deno.test("judge() lets a long list grow no more by what only matches", () => {
  const secrets = Array.from({ length: 100 }, (_, n) => ({
    at: { ...AT, name: `s${n}` },
    hash: `h${n}`,
  }));
  const standing = { kind: "guarded", secrets, serviceAccounts: [] } as const;
  const verdictOf = (at: typeof AT, hash: string) =>
    judge(standing, { secrets: [{ at, hash }], serviceAccount: undefined });
  assert.deepEqual(verdictOf(OTHER, "h5"), { kind: "use" });
  assert.deepEqual(verdictOf({ ...AT, name: "s5" }, "new"), { kind: "pull" });
});
