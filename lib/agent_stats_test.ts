import assert from "node:assert/strict";
import {
  aContainer,
  anInstance,
  aPod,
  aSandbox,
  SETTINGS,
} from "../tests/build.ts";
import { measuredPod } from "./agent_stats.ts";
import { podTiers } from "./pod/paths.ts";
import { EMPTY_MEMORY } from "./sync/store.ts";

const FS = { ...SETTINGS, cgroupDriver: "cgroupfs" } as const;

function memory(pod = aPod()) {
  const containers = [
    anInstance({ id: "new", pod }),
    anInstance({ id: "old", pod, state: "exited" }),
  ];
  const observed = { sandboxes: [aSandbox({ pod })], containers, atMs: 0 };
  return { ...EMPTY_MEMORY, pod, observed };
}

Deno.test("measuredPod() tells of what runs, where its cgroups are", () => {
  const found = measuredPod(FS, memory(), undefined);
  assert.deepEqual(found?.containers.map(({ id }) => `${id}`), ["new"]);
  assert.equal(
    found?.cgroup,
    "/kubepods/besteffort/pod11111111-2222-3333-4444-555555555555",
  );
  assert.equal(found?.hasOwnCgroup, true);
  assert.match(
    found?.containers[0]?.logDirectory ?? "",
    /\/prod_shop_.*\/web$/,
  );
});

Deno.test("measuredPod() knows nothing of a pod of which nothing runs", () => {
  assert.equal(
    measuredPod(FS, { ...EMPTY_MEMORY, pod: aPod() }, undefined),
    undefined,
  );
  assert.equal(measuredPod(FS, EMPTY_MEMORY, undefined), undefined);
});

Deno.test("measuredPod() walks what is the pod's, and asks file systems of the rest", () => {
  const pod = aPod({
    containers: [aContainer()],
    spec: {
      volumes: [
        { name: "d", emptyDir: {} },
        { name: "m", emptyDir: { medium: "Memory" } },
        { name: "s", secret: { secretName: "x" } },
        { name: "h", hostPath: { path: "/" } },
        { name: "p", persistentVolumeClaim: { claimName: "data" } },
        { name: "e", ephemeral: {} },
        { name: "late", emptyDir: {} },
      ],
    },
  });
  const names = ["d", "m", "s", "h", "p", "e"];
  const paths = new Map(names.map((name) => [name, `/v/${name}`]));
  const found = measuredPod(FS, memory(pod), {
    kind: "ready",
    paths,
    mounted: new Map(),
  });
  assert.deepEqual(
    found?.volumes.map(({ name, measuredBy, medium, claim }) =>
      [name, measuredBy, medium, claim ?? ""].join(" ").trim()
    ),
    [
      "d walk disk",
      "m walk memory",
      "s walk memory",
      "p file-system disk data",
      "e file-system disk shop-e",
    ],
  );
});

for (
  const [driver, all, burstable] of [
    ["cgroupfs", "/a/kubepods", "/a/kubepods/burstable"],
    [
      "systemd",
      "/a.slice/a-kubepods.slice",
      "/a.slice/a-kubepods.slice/a-kubepods-burstable.slice",
    ],
  ] as const
) {
  Deno.test(`podTiers() names what is above pods with ${driver}`, () => {
    const settings = { ...SETTINGS, cgroupRoot: "/a", cgroupDriver: driver };
    const tiers = podTiers(settings);
    assert.equal(tiers.all, all);
    assert.equal(tiers.classes[0], burstable);
    assert.equal(podTiers({ ...settings, usesQosCgroups: false }).all, "");
  });
}
