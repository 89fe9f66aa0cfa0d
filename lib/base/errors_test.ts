import assert from "node:assert/strict";
import { AgentError, chainOf, isAbort, nextOf } from "./errors.ts";

Deno.test("chainOf() tells the whole chain, outermost first, each once", () => {
  const cause = new Error("no route");
  const inner = new AgentError("Cannot dial", { next: "retry", cause });
  const outer = new Error("Cannot pull: no route", { cause: inner });
  assert.equal(chainOf(inner), "Cannot dial: no route");
  assert.equal(chainOf(outer), "Cannot pull: no route: Cannot dial");
  assert.equal(chainOf("text"), "text");
});

Deno.test("nextOf() takes an unknown error for worth a retry", () => {
  assert.equal(nextOf(new AgentError("x", { next: "give-up" })), "give-up");
  assert.equal(nextOf(new Error("x")), "retry");
});

Deno.test("isAbort() tells the abort of a signal from a failure", () => {
  const live = new AbortController().signal;
  const reason = new Error("stop");
  const gone = AbortSignal.abort(reason);
  assert.ok(isAbort(reason, gone));
  assert.ok(isAbort(new Error("wrapped", { cause: reason }), gone));
  assert.ok(!isAbort(reason, live));
  assert.ok(!isAbort(new Error("other"), gone));
});
