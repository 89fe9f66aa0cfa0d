import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { FakeKernel } from "../../tests/fakes/fake_kernel.ts";
import { watchOoms } from "./oom.ts";
import { oomMessage, readLine, type Report } from "./oom_lines.ts";

const BEGIN = "stress invoked oom-killer: gfp_mask=0x140cca, order=0";
const HEAD = "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/," +
  "mems_allowed=0,";
const GLOBAL =
  `${HEAD}global_oom,task_memcg=/kubepods/pod1/c1,task=stress,pid=77,uid=0`;
const OF_POD = `${HEAD}oom_memcg=/kubepods/pod1,task_memcg=/kubepods/pod1/c1,` +
  "task=java,pid=5,uid=1000";

function read(lines: readonly string[]): string[] {
  let report: Report;
  return lines.flatMap((line) => {
    const next = readLine(report, line);
    report = next.report;
    const { found } = next;
    return found === undefined
      ? []
      : [`${found.limitedBy}: ${found.victim.name} ${found.victim.pid}`];
  });
}

Deno.test("readLine() finds the victim and whose limit it was", () => {
  const killed = "Out of memory: Killed process 77 (stress) total-vm:1kB";
  const cases: readonly [readonly string[], readonly string[]][] = [
    [[BEGIN, "Call Trace:", GLOBAL, killed], ["/: stress 77"]],
    [[BEGIN, OF_POD, killed], ["/kubepods/pod1: java 5"]],
    // Without the line of newer kernels.
    [[BEGIN, killed], ["/: stress 77"]],
    [
      [BEGIN, "Task in /a/b killed as a result of limit of /a", killed],
      ["/a: stress 77"],
    ],
    // What is no report, or only the end of one.
    [[killed, GLOBAL, "usb 1-1: new device"], []],
    [[BEGIN, BEGIN, GLOBAL, BEGIN, OF_POD], [
      "/: stress 77",
      "/kubepods/pod1: java 5",
    ]],
    [[BEGIN, "Killed process 8 (a (b) c)"], ["/: a (b) c 8"]],
  ];
  for (const [lines, found] of cases) assert.deepEqual(read(lines), found);
});

Deno.test("oomMessage() names the victim where it is known", () => {
  const of = (name: string, pid: number) =>
    oomMessage({ limitedBy: "/", victim: { name, pid } });
  assert.equal(
    of("stress", 77),
    "System OOM encountered, victim process: stress, pid: 77",
  );
  assert.equal(of("", 0), "System OOM encountered");
});

Deno.test("watchOoms() tells of the machine's shortage, not of a pod's", async () => {
  const kernel = new FakeKernel();
  const stop = new AbortController();
  const told = Promise.withResolvers<string>();
  const nodeRecorder = {
    record: ({ reason, message }: { reason: string; message: string }) =>
      told.resolve(`${reason}: ${message}`),
  };
  const log = silentLogger;
  const running = watchOoms({ kernel, nodeRecorder, log }, stop.signal);
  kernel.say(BEGIN, OF_POD, BEGIN, GLOBAL);
  assert.equal(
    await told.promise,
    "SystemOOM: System OOM encountered, victim process: stress, pid: 77",
  );
  stop.abort();
  await running;
});

Deno.test("watchOoms() says once that the log cannot be read", async () => {
  const warnings: string[] = [];
  const log = {
    ...silentLogger,
    warn: (message: string) => void warnings.push(message),
  };
  await watchOoms({
    kernel: {
      log: () => {
        throw new AgentError("Cannot read /dev/kmsg", { next: "give-up" });
      },
    },
    nodeRecorder: { record: () => assert.fail("Nothing happened") },
    log,
  }, AbortSignal.timeout(1_000));
  assert.equal(warnings.length, 1);
});
