import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { aThreshold, aUsePod, MI, observed, seen } from "./fixture_test.ts";
import { arithmetic, evictionWords, rankedText } from "./message.ts";
import type { ContainerUse, Threshold } from "./types.ts";

const MEMORY: Threshold = aThreshold({
  value: { kind: "quantity", quantity: 100n * MI * 10n ** 9n, form: "binary" },
});
const SHORT = {
  due: [MEMORY],
  observations: seen({
    "memory.available": observed(90n * MI, 1, 1024n * MI),
  }),
};
const LOW = "The node was low on resource: memory. " +
  "Threshold quantity: 100Mi, available: 90Mi. ";

function aUse(name: string, own: Partial<ContainerUse> = {}): ContainerUse {
  return {
    name,
    memoryBytes: undefined,
    layer: undefined,
    logs: undefined,
    ...own,
  };
}

Deno.test("evictionWords() of memory names the containers above requests", () => {
  const resources = { requests: { memory: "10Mi" } };
  const pod = aPod({
    containers: [
      aContainer({ name: "a" }),
      aContainer({ name: "b", resources }),
      aContainer({ name: "c", resources }),
    ],
  });
  const use = aUsePod({
    name: "web",
    pod,
    containers: [
      aUse("a", { memoryBytes: 3n * MI }),
      aUse("b", { memoryBytes: 10n * MI }),
      aUse("c", { memoryBytes: 11n * MI }),
      // An ephemeral container cannot ask for anything.
      aUse("debug", { memoryBytes: 99n * MI }),
    ],
  });
  assert.deepEqual(evictionWords(use, "memory", SHORT), {
    message: LOW +
      "Container a was using 3Mi, request is 0, has larger consumption of " +
      "memory. Container c was using 11Mi, request is 10Mi, has larger " +
      "consumption of memory. ",
    annotations: {
      offending_containers: "a,c",
      offending_containers_usage: "3Mi,11Mi",
      starved_resource: "memory",
    },
  });
});

Deno.test("evictionWords() names a pod that asks for memory as a whole", () => {
  const spec = { resources: { requests: { memory: "1Gi" } } };
  const pod = aPod({ name: "web", spec });
  const use = aUsePod({ name: "web", pod, memoryBytes: 5n * MI });
  const { message, annotations } = evictionWords(use, "memory", SHORT);
  assert.equal(
    message,
    `${LOW}Pod web was using 5Mi, request is 1Gi, has larger consumption of ` +
      "memory. ",
  );
  assert.equal(annotations["offending_pod"], "web");
  assert.equal(annotations["offending_pod_usage"], "5Mi");
});

Deno.test("evictionWords() of the disk adds layer and logs; of inodes nothing", () => {
  const disk = (bytes: bigint) => ({ bytes, inodes: 1n });
  const use = aUsePod({
    name: "web",
    containers: [
      aUse("app", { layer: disk(MI), logs: disk(MI) }),
      aUse("half", { layer: disk(MI) }),
    ],
  });
  const due = [
    aThreshold({
      signal: "nodefs.available",
      value: { kind: "share", percent: 10 },
    }),
    aThreshold({ signal: "nodefs.inodesFree" }),
  ];
  const observations = seen({
    "nodefs.available": observed(4096n, 1, 40_960n),
    "nodefs.inodesFree": observed(5_000n),
  });
  const short = { due, observations };
  assert.equal(
    evictionWords(use, "ephemeral-storage", short).message,
    "The node was low on resource: ephemeral-storage. " +
      "Threshold quantity: 4Ki, available: 4Ki. " +
      "Container app was using 2Mi, request is 0, has larger consumption of " +
      "ephemeral-storage. ",
  );
  assert.equal(
    evictionWords(use, "inodes", short).message,
    "The node was low on resource: inodes. " +
      "Threshold quantity: 100, available: 5k. ",
  );
});

Deno.test("arithmetic() and rankedText() show the numbers", () => {
  assert.equal(
    arithmetic(MEMORY, SHORT.observations),
    "90Mi of 1Gi available; needs 100Mi",
  );
  assert.equal(
    arithmetic(MEMORY, new Map()),
    "could not be measured, so it is ignored",
  );
  const use = aUsePod({ name: "web" });
  const ranked = { use, used: 5n * MI, requested: MI, setOff: MI, priority: 7 };
  assert.equal(
    rankedText(ranked, "memory"),
    "default/web: uses 5Mi, asked for 1Mi (4Mi above), priority 7",
  );
});
