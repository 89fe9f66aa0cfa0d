import assert from "node:assert/strict";
import { EACCES, ENAMETOOLONG, failure, isAbsent } from "./errno.ts";

Deno.test("isAbsent() knows that nothing is at a path that is too long", () => {
  assert.ok(isAbsent(ENAMETOOLONG));
  assert.ok(!isAbsent(EACCES));
});

Deno.test("failure() says that a name is too long to be made", () => {
  const { message, next } = failure("Cannot create /x", ENAMETOOLONG);
  assert.match(message, /^Cannot create \/x: name too long/);
  assert.equal(next, "give-up");
});
