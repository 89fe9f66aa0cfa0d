import assert from "node:assert/strict";
import {
  aContainer,
  aCrashLoop,
  ago,
  aPod,
  aStatus,
  aView,
  ended,
  MINUTE,
  NOW,
  SECOND,
} from "./fixture_test.ts";
import {
  parseTable,
  podRow,
  podTable,
  renderTable,
  statusWord,
} from "./table.ts";
import type { PodView } from "./view.ts";

const waiting = (reason: string) =>
  aContainer({ state: { waiting: { reason } }, ready: false });
const done = (more: Parameters<typeof ended>[0] = {}) =>
  aContainer({ name: "job", state: { terminated: ended(more) }, ready: false });
const stopping = {
  kind: "stopping",
  order: { kind: "removed", graceSeconds: 30, message: "No source wants it" },
  killAtMs: NOW + 30 * SECOND,
} as const;

Deno.test("statusWord() says what kubectl says", () => {
  const failed = { exitCode: 3, reason: "Error" };
  const status = (
    more: Parameters<typeof aStatus>[0],
  ): Partial<PodView> => ({ status: aStatus(more) });
  const cases: [string, Partial<PodView>][] = [
    ["Running", {}],
    ["CrashLoopBackOff", aCrashLoop()],
    [
      "ImagePullBackOff",
      status({ containerStatuses: [waiting("ImagePullBackOff")] }),
    ],
    [
      "ContainerCreating",
      status({
        phase: "Pending",
        containerStatuses: [waiting("ContainerCreating")],
      }),
    ],
    ["Pending", status({ phase: "Pending", containerStatuses: [] })],
    ["Evicted", status({ reason: "Evicted", containerStatuses: [] })],
    ["Completed", status({ phase: "Succeeded", containerStatuses: [done()] })],
    ["Error", status({ phase: "Failed", containerStatuses: [done(failed)] })],
    [
      "OOMKilled",
      status({
        phase: "Failed",
        containerStatuses: [done({ exitCode: 137, reason: "OOMKilled" })],
      }),
    ],
    [
      "ExitCode:3",
      status({ containerStatuses: [done({ exitCode: 3, reason: "" })] }),
    ],
    // One has completed, another one runs.
    ["Running", status({ containerStatuses: [done(), aContainer()] })],
    [
      "NotReady",
      status({ conditions: [], containerStatuses: [done(), aContainer()] }),
    ],
    ["Error", status({ containerStatuses: [done(), done(failed)] })],
    ["Terminating", { state: stopping }],
    ["Terminating", { state: { kind: "cleaning" } }],
    [
      "Completed",
      {
        ...status({ phase: "Succeeded", containerStatuses: [done()] }),
        state: stopping,
      },
    ],
  ];
  for (const [word, more] of cases) assert.equal(statusWord(aView(more)), word);
});

Deno.test("podRow() counts containers, restarts and the last of them", () => {
  const view = aView({
    pod: aPod({ containers: ["app", "job", "late"] }),
    status: aStatus({
      containerStatuses: [
        aContainer({
          restartCount: 3,
          lastState: { terminated: ended({ finishedAt: ago(2 * MINUTE) }) },
        }),
        aContainer({
          name: "job",
          restartCount: 1,
          lastState: { terminated: ended({ finishedAt: ago(MINUTE) }) },
        }),
      ],
    }),
  });
  assert.deepEqual(podRow(view), {
    namespace: "default",
    name: "web",
    ready: "2/3",
    status: "Running",
    restarts: 4,
    lastRestartAt: ago(MINUTE),
    createdAt: ago(3 * MINUTE),
    ip: "10.88.0.7",
  });
});

Deno.test("podRow() leaves out what is not known", () => {
  const { startTime: _start, podIP: _ip, ...status } = aStatus();
  const row = podRow(aView({ status }));
  assert.equal("ip" in row, false);
  assert.equal("createdAt" in row, false);
});

Deno.test("renderTable() draws aligned columns", () => {
  const { podIP: _ip, startTime: _start, ...bare } = aStatus({
    phase: "Pending",
    containerStatuses: [],
  });
  const table = podTable("n1", [
    aCrashLoop(),
    aView({
      pod: aPod({ name: "a-longer-name", namespace: "x" }),
      status: bare,
    }),
  ], NOW);
  assert.equal(
    renderTable(table, "shown"),
    `
NAMESPACE   NAME            READY   STATUS             RESTARTS     AGE         IP
default     web             0/1     CrashLoopBackOff   4 (8s ago)   3m          10.88.0.7
x           a-longer-name   0/1     Pending            0            <unknown>   <none>
`.slice(1),
  );
  assert.match(renderTable(table, "hidden"), /^NAME +READY/);
  assert.equal(renderTable({ ...table, rows: [] }, "shown"), "");
});

Deno.test("parseTable() reads what was sent and refuses anything else", () => {
  const table = podTable("n1", [aView()], NOW);
  assert.deepEqual(parseTable(JSON.stringify(table)), table);
  for (const text of ["", "[]", "null", '{"rows":[]}', "<html>"]) {
    assert.equal(parseTable(text), undefined, text);
  }
  const broken = JSON.stringify({ ...table, rows: [{ name: "web" }] });
  assert.equal(parseTable(broken), undefined);
});
