import assert from "node:assert/strict";
import { iptablesView } from "./agent_iptables.ts";

const BEFORE = {
  kept: [],
  letBe: new Map(),
  failing: new Map(),
  lastAtMs: undefined,
  nextAtMs: undefined,
} as const;

Deno.test("iptablesView() tells of each family, and of no problem where none is", () => {
  assert.equal(iptablesView(BEFORE).detail, "makes its chains");
  const both = iptablesView({ ...BEFORE, kept: ["iptables", "ip6tables"] });
  assert.equal(both.detail, "keeps the chains of iptables and ip6tables");
  assert.equal(both.problem, undefined);
  const mixed = iptablesView({
    ...BEFORE,
    kept: ["iptables"],
    letBe: new Map([["ip6tables", "Cannot run ip6tables: there is none"]]),
  });
  assert.equal(
    mixed.detail,
    "keeps the chains of iptables; " +
      "keeps none: Cannot run ip6tables: there is none",
  );
  assert.equal(mixed.problem, undefined, "no pod of this node misses it");
  const failing = new Map([["iptables", "ended with 4"] as const]);
  assert.equal(iptablesView({ ...BEFORE, failing }).problem, "ended with 4");
});
