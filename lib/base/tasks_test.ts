import assert from "node:assert/strict";
import { silentLogger } from "./log.ts";
import { TaskScope } from "./tasks.ts";

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    })
  );

Deno.test("TaskScope ends every loop when one fails, and tells which failure", async () => {
  const scope = new TaskScope(new AbortController().signal, silentLogger);
  scope.run("steady", untilAborted);
  scope.run("broken", () => Promise.reject(new Error("broken")));
  await assert.rejects(scope.closed(), /broken/);
  assert.ok(scope.signal.aborted);
});

Deno.test("TaskScope closes in peace, on its own or with its parent", async () => {
  const own = new TaskScope(new AbortController().signal, silentLogger);
  own.run("steady", untilAborted);
  await own.close("the end");
  const parent = new AbortController();
  const child = new TaskScope(parent.signal, silentLogger);
  child.run("steady", untilAborted);
  parent.abort();
  await child.closed();
});
