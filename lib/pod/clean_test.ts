import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  someFacts,
} from "../../tests/build.ts";
import { purge, surplus } from "./clean.ts";
import { decide } from "./decide.ts";
import type { Facts } from "./facts.ts";

const LOGS = "/var/log/pods/prod_shop_11111111-2222-3333-4444-555555555555";

/** What is done for a pod that is being taken away. */
const cleaning = (facts: Facts) =>
  decide({ ...facts, state: { kind: "cleaning" } }, NOW_MS);

Deno.test("surplus() keeps one dead instance of each container", () => {
  const facts = someFacts({
    sandboxes: [aSandbox()],
    containers: [
      anInstance({ id: "c3", attempt: 3 }),
      aFailed({ id: "c2", attempt: 2 }),
      aFailed({ id: "c1", attempt: 1 }),
      aFailed({ id: "c0", attempt: 0 }),
      aFailed({ id: "l0", name: "log" }),
    ],
  });
  assert.deepEqual(surplus(facts), [
    {
      kind: "remove-container",
      id: "c1",
      name: "web",
      log: {
        file: `${LOGS}/web/1.log`,
        link: "/var/log/containers/shop_prod_web-c1.log",
      },
    },
    {
      kind: "remove-container",
      id: "c0",
      name: "web",
      log: {
        file: `${LOGS}/web/0.log`,
        link: "/var/log/containers/shop_prod_web-c0.log",
      },
    },
  ]);
});

Deno.test("surplus() removes old sandboxes with nothing left to keep", () => {
  const facts = someFacts({
    sandboxes: [
      aSandbox({ id: "s3" }),
      aSandbox({ id: "s2" }),
      aSandbox({ id: "s1", isReady: false }),
      aSandbox({ id: "s0", isReady: false }),
    ],
    containers: [aFailed({ id: "c1", sandboxId: "s1" })],
  });
  assert.deepEqual(surplus(facts), [{ kind: "remove-sandbox", id: "s0" }]);
});

Deno.test("clean() removes everything that the pod has, found by its labels", () => {
  const facts = someFacts({
    pod: undefined,
    sandboxes: [aSandbox({ id: "s1" }), aSandbox({ isReady: false })],
    containers: [aFailed({ sandboxId: "s1" })],
  });
  const { actions } = cleaning(facts);
  const ids = (kind: string) =>
    actions.flatMap((a) => a.kind === kind && "id" in a ? [`${a.id}`] : []);
  assert.ok(ids("stop-sandbox").includes("s1"));
  assert.deepEqual(ids("remove-sandbox").sort(), ["s0", "s1"]);
  const files = actions.find(({ kind }) => kind === "remove-pod-files");
  assert.deepEqual(files, {
    kind: "remove-pod-files",
    trees: [
      "/var/lib/kubelet/pods/11111111-2222-3333-4444-555555555555",
      LOGS,
    ],
    links: ["/var/log/containers/shop_prod_web-c0.log"],
  });
  const cgroups = actions.flatMap((a) =>
    a.kind === "remove-cgroup" ? [a.path] : []
  );
  const slice = "pod11111111_2222_3333_4444_555555555555.slice";
  assert.deepEqual(cgroups, [
    `/kubepods.slice/kubepods-${slice}`,
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-${slice}`,
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-${slice}`,
  ]);
});

Deno.test("clean() removes containers whose sandbox is gone", () => {
  const facts = someFacts({ pod: undefined, containers: [aFailed()] });
  const kinds = cleaning(facts).actions.map(({ kind }) => kind);
  assert.ok(kinds.includes("remove-container"));
});

Deno.test("clean() has nothing to do when nothing is left", () => {
  assert.deepEqual(cleaning(someFacts({ pod: undefined })).actions, []);
});

Deno.test("purge() takes init containers away, but not what counts their runs", () => {
  const pod = aPod({
    spec: { initContainers: [aContainer({ name: "setup" })] },
  });
  const setup = anInstance({
    pod,
    id: "c1",
    name: "setup",
    state: "exited",
  });
  const facts = someFacts({ pod, containers: [anInstance({ pod }), setup] });
  const [removed] = purge(facts, pod);
  assert.deepEqual(removed, {
    kind: "remove-container",
    id: setup.id,
    name: "setup",
  });
});
