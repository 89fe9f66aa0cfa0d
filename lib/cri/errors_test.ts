import assert from "node:assert/strict";
import { AgentError, chainOf, type Next, toldOf } from "../base/errors.ts";
import {
  absentIsUndefined,
  type Code,
  codeOf,
  failSandbox,
  hasCode,
  isNotImplemented,
  RpcError,
  toAgentError,
  toExecError,
  toPullError,
} from "./errors.ts";

const ATTEMPT = {
  doing: "start container app",
  socketPath: "/run/x.sock",
  deadlineMs: 30_000,
};

function made(code: Code, words: string): AgentError {
  return toAgentError(new RpcError(code, words), ATTEMPT);
}

Deno.test("toAgentError() says what to do after each code", () => {
  const expected: Record<Exclude<Code, "OK">, Next> = {
    CANCELLED: "retry",
    UNKNOWN: "retry",
    INVALID_ARGUMENT: "give-up",
    DEADLINE_EXCEEDED: "retry",
    NOT_FOUND: "give-up",
    ALREADY_EXISTS: "already-so",
    PERMISSION_DENIED: "give-up",
    RESOURCE_EXHAUSTED: "retry",
    FAILED_PRECONDITION: "retry",
    ABORTED: "retry",
    OUT_OF_RANGE: "give-up",
    UNIMPLEMENTED: "give-up",
    INTERNAL: "retry",
    UNAVAILABLE: "retry",
    DATA_LOSS: "retry",
    UNAUTHENTICATED: "give-up",
  };
  for (let number = 1; number <= 16; number++) {
    const code = codeOf(number);
    assert.ok(code !== "OK");
    assert.equal(made(code, "x").next, expected[code], code);
  }
  assert.equal(codeOf(99), "UNKNOWN");
});

Deno.test("toAgentError() keeps the runtime's own words", () => {
  const table: readonly (readonly [Code, string, string])[] = [
    ["UNKNOWN", "no such program", "no such program"],
    ["INTERNAL", "", "INTERNAL"],
    ["DEADLINE_EXCEEDED", "Deadline exceeded after 30.0s", "deadline of 30 s"],
    ["DEADLINE_EXCEEDED", "timeout 1s exceeded", "timeout 1s exceeded"],
    ["UNAVAILABLE", "connect ENOENT", "no such socket /run/x.sock"],
    ["UNAVAILABLE", "ECONNREFUSED", "nobody listens on socket /run/x.sock"],
    ["UNAVAILABLE", "EACCES", "not allowed to open socket /run/x.sock"],
    ["UNAVAILABLE", "going away", "runtime is not available: going away"],
  ];
  for (const [code, words, expected] of table) {
    const error = made(code, words);
    assert.ok(
      error.message.startsWith(`Cannot start container app: ${expected}`),
      error.message,
    );
    assert.ok(error.cause instanceof RpcError);
  }
});

Deno.test("absentIsUndefined() swallows only what is not found", async () => {
  const gone = Promise.reject(made("NOT_FOUND", "gone"));
  assert.equal(await absentIsUndefined(gone), undefined);
  const slow = Promise.reject(made("DEADLINE_EXCEEDED", "slow"));
  await assert.rejects(absentIsUndefined(slow), AgentError);
  assert.equal(await absentIsUndefined(Promise.resolve(1)), 1);
});

Deno.test("isNotImplemented() knows both ways to say so", () => {
  assert.equal(isNotImplemented(made("UNIMPLEMENTED", "")), true);
  assert.equal(isNotImplemented(made("UNKNOWN", "not implemented yet")), true);
  assert.equal(isNotImplemented(made("UNKNOWN", "no such thing")), false);
  assert.equal(isNotImplemented(made("NOT_FOUND", "not implemented")), false);
});

Deno.test("toPullError() finds the reason at the beginning of the text", () => {
  const table: readonly (readonly [Code, string, string, string])[] = [
    ["UNKNOWN", "no host", "ErrImagePull", "Cannot start container app: no"],
    ["NOT_FOUND", "not found", "ErrImagePull", "Cannot start container app"],
    [
      "UNKNOWN",
      "RegistryUnavailable: try later",
      "RegistryUnavailable",
      "image pull failed for a:1 because the registry is unavailable: try l",
    ],
    [
      "UNKNOWN",
      "SignatureValidationFailed: bad key",
      "SignatureValidationFailed",
      "image pull failed for a:1 because the signature validation failed: b",
    ],
  ];
  for (const [code, words, reason, message] of table) {
    const error = toPullError(made(code, words), "a:1");
    assert.ok(error instanceof AgentError);
    assert.equal(error.reason, reason);
    assert.equal(error.next, "retry");
    assert.ok(error.message.startsWith(message), error.message);
    assert.ok(chainOf(error).includes(words.split(" ").at(-1) ?? ""));
  }
  const missing = toPullError(made("UNIMPLEMENTED", "unknown method"), "a:1");
  assert.ok(missing instanceof AgentError && missing.next === "give-up");
  const abort = new Error("enough");
  assert.equal(toPullError(abort, "a:1"), abort);
});

Deno.test("toExecError() marks a command that took too long", () => {
  const late = toExecError(made("DEADLINE_EXCEEDED", "timeout"));
  assert.ok(late instanceof AgentError);
  assert.equal(late.reason, "CommandTimedOut");
  assert.ok(hasCode(late, "DEADLINE_EXCEEDED"));
  const other = made("UNKNOWN", "x");
  assert.equal(toExecError(other), other);
});

Deno.test("errors of pulls and sandboxes are told in the kubelet's words", () => {
  const told = (error: unknown) =>
    error instanceof AgentError ? error.told : "none";
  const ofSandbox = (error: AgentError): unknown => {
    try {
      return failSandbox(error);
    } catch (thrown) {
      return thrown;
    }
  };
  const go = "rpc error: code = NotFound desc = no such tag";
  assert.equal(told(toPullError(made("UNKNOWN", "no host"), "a")), "no host");
  assert.equal(told(toPullError(made("NOT_FOUND", "no such tag"), "a")), go);
  assert.equal(told(ofSandbox(made("NOT_FOUND", "no such tag"))), go);
  assert.equal(
    told(ofSandbox(made("UNKNOWN", "no address"))),
    "rpc error: code = Unknown desc = no address",
  );
  const away = ofSandbox(made("UNAVAILABLE", "connect ENOENT"));
  assert.equal(told(away), undefined);
  assert.ok(away instanceof AgentError);
  assert.equal(away.reason, "RuntimeUnavailable");
  assert.equal(toldOf(away), chainOf(away));
});
