import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1Volume, V1VolumeMount } from "../api/types.ts";
import { volumeMounts } from "./mounts.ts";

function mounted(volume: V1Volume, mount: Partial<V1VolumeMount> = {}) {
  const container = aContainer({
    volumeMounts: [{ name: volume.name, mountPath: "/m", ...mount }],
  });
  const pod = aPod({ containers: [container], spec: { volumes: [volume] } });
  const result = volumeMounts(pod, container, new Map([["v", "/host/v"]]));
  assert.ok(result.kind === "ok");
  const [made] = result.mounts;
  assert.ok(made);
  return made;
}

Deno.test("volumeMounts() lets containers write what is theirs", () => {
  const table: [V1Volume, boolean][] = [
    [{ name: "v", emptyDir: {} }, false],
    [{ name: "v" }, false],
    [{ name: "v", hostPath: { path: "/host/v" } }, false],
    [{ name: "v", secret: { secretName: "s" } }, true],
    [{ name: "v", configMap: { name: "c" } }, true],
    [{ name: "v", projected: { sources: [] } }, true],
    [{ name: "v", downwardAPI: { items: [] } }, true],
  ];
  for (const [volume, isReadOnly] of table) {
    assert.equal(
      mounted(volume).isReadOnly,
      isReadOnly,
      JSON.stringify(volume),
    );
    assert.equal(mounted(volume, { readOnly: true }).isReadOnly, true);
  }
});

Deno.test("volumeMounts() keeps the order and makes paths absolute", () => {
  const made = mounted({ name: "v", hostPath: { path: "/host/v" } }, {
    mountPath: "data",
  });
  assert.deepEqual(made, {
    containerPath: "/data",
    hostPath: "/host/v",
    isReadOnly: false,
    isRecursiveReadOnly: false,
    isSelinuxRelabelled: false,
    propagation: "private",
    uidMappings: [],
    gidMappings: [],
  });
  assert.equal(mounted({ name: "v" }).isSelinuxRelabelled, true);
});

Deno.test("volumeMounts() refuses a mount of nothing", () => {
  const container = aContainer({
    volumeMounts: [{ name: "__proto__", mountPath: "/m" }],
  });
  const pod = aPod({ containers: [container] });
  assert.deepEqual(volumeMounts(pod, container, new Map()), {
    kind: "refused",
    message: 'cannot find volume "__proto__" to mount into container "web"',
  });
});
