import assert from "node:assert/strict";
import { aPod } from "../tests/build.ts";
import { followDuplicates } from "./agent_duplicates.ts";
import { cell } from "./base/cell.ts";
import { type Desired, NOTHING_YET } from "./source/types.ts";

Deno.test("followDuplicates() tells of a pod once, for as long as it is one", async () => {
  const [desired, reader] = cell<Desired>(NOTHING_YET);
  const told: string[] = [];
  const stop = new AbortController();
  const running = followDuplicates({
    desired: reader,
    tell: (_pod, { reason, message }) => void told.push(`${reason} ${message}`),
  }, stop.signal).catch(() => {});
  const problem = {
    severity: "error",
    message: "",
    location: "/m/b.yaml",
    sinceMs: 0,
    duplicate: {
      pod: aPod({ name: "web", namespace: "prod", uid: "u1" }),
      kind: "file",
    },
  } as const;
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  for (const problems of [[], [problem], [problem], [], [problem]]) {
    desired.set({ ...NOTHING_YET, problems });
    await turn();
  }
  const line = "FailedValidation Error validating pod web_prod(u1) from file " +
    'due to duplicate pod name "web", ignoring';
  assert.deepEqual(told, [line, line]);
  stop.abort();
  desired.set(NOTHING_YET);
  await running;
});
