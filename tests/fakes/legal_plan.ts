/** A decision that is checked for what must hold of every decision. */
import assert from "node:assert/strict";
import { decide } from "../../lib/pod/decide.ts";
import type { Plan } from "../../lib/pod/plan.ts";
import { isLegalMove } from "../../lib/pod/state.ts";
import { type FactParts, NOW_MS, someFacts } from "../build.ts";

export function plan(parts: FactParts, nowMs = NOW_MS): Plan {
  const facts = someFacts(parts);
  const made = decide(facts, nowMs);
  assert.ok(
    isLegalMove(facts.state, made.next),
    `${facts.state.kind} to ${made.next.kind} is legal`,
  );
  assert.ok(
    made.wakeAtMs === undefined || made.wakeAtMs > nowMs,
    "a wake lies in the future",
  );
  return made;
}
