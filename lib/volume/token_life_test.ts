import assert from "node:assert/strict";
import { jwt } from "../../tests/fakes/fake_cluster_referred.ts";
import { lifeOf, lifeOfNew, renewalAtMs } from "./token_life.ts";

const HOUR_MS = 3_600_000;
const YEAR_SECONDS = 365 * 24 * 3600;

Deno.test("renewalAtMs() is after 80 % of a life, or a day, less some chance", () => {
  const at = (lifeMs: number, fraction = 0) =>
    renewalAtMs({ issuedAtMs: 1000, expiresAtMs: 1000 + lifeMs }, fraction) -
    1000;
  assert.equal(at(HOUR_MS), 0.8 * HOUR_MS);
  assert.equal(at(HOUR_MS, 0.99), 0.8 * HOUR_MS - 9000);
  assert.equal(at(48 * HOUR_MS), 24 * HOUR_MS);
  assert.equal(at(20 * HOUR_MS), 16 * HOUR_MS);
});

Deno.test("lifeOf() reads what is asked for, however long the server's is", () => {
  const asked = { podUid: "u1", expirationSeconds: 3607, nowMs: 2_000_000 };
  const claims = {
    iat: 1000,
    exp: 1000 + YEAR_SECONDS,
    "kubernetes.io": { pod: { uid: "u1" } },
  };
  assert.deepEqual(lifeOf(jwt(claims), asked), {
    issuedAtMs: 1_000_000,
    expiresAtMs: 4_607_000,
  });
  assert.equal(
    lifeOf(jwt({ ...claims, exp: 1600 }), asked)?.expiresAtMs,
    1_600_000,
  );
  const others = [
    "",
    "no token",
    "a.!.c",
    "a.bm90IGpzb24.c",
    jwt({ ...claims, exp: "soon" }),
    jwt({ iat: 1, exp: 2 }),
    jwt({ ...claims, "kubernetes.io": { pod: { uid: "u2" } } }),
    jwt(["x"]),
    jwt({ ...claims, iat: 2061, exp: 9000 }),
  ];
  for (const token of others) assert.equal(lifeOf(token, asked), undefined);
});

Deno.test("lifeOfNew() goes by our clock, and by the request if that is off", () => {
  assert.deepEqual(lifeOfNew(1000, 61_000, 3600), {
    issuedAtMs: 1000,
    expiresAtMs: 61_000,
  });
  const lifeMs = (nowMs: number) =>
    lifeOfNew(nowMs, 3_600_000, 3600).expiresAtMs - nowMs;
  assert.equal(lifeMs(-HOUR_MS), HOUR_MS);
  assert.equal(lifeMs(5 * HOUR_MS), HOUR_MS);
});
