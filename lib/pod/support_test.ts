import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { unsupported } from "./support.ts";

Deno.test("unsupported() refuses what would run wrongly, by field", () => {
  const table: [Partial<V1PodSpec>, string[]][] = [
    [{}, []],
    [{ initContainers: [aContainer()] }, ["spec.initContainers"]],
    [{ volumes: [{ name: "v", emptyDir: {} }] }, ["spec.volumes[v]"]],
    [{ runtimeClassName: "kata" }, ["spec.runtimeClassName"]],
    [{ hostUsers: false }, ["spec.hostUsers"]],
    [{ hostUsers: true }, []],
    [{ resourceClaims: [{ name: "r" }] }, ["spec.resourceClaims"]],
    [{ activeDeadlineSeconds: 9 }, ["spec.activeDeadlineSeconds"]],
    [
      { securityContext: { appArmorProfile: { type: "RuntimeDefault" } } },
      ["spec.securityContext.appArmorProfile"],
    ],
    [{ securityContext: { appArmorProfile: { type: "Unconfined" } } }, []],
  ];
  for (const [spec, expected] of table) {
    assert.deepEqual(unsupported(aPod({ spec })).refused, expected);
  }
});

Deno.test("unsupported() names what is accepted but not watched", () => {
  const pod = aPod({
    spec: { hostAliases: [{ ip: "192.0.2.1" }] },
    containers: [
      aContainer({ readinessProbe: { tcpSocket: { port: 1 } }, lifecycle: {} }),
    ],
  });
  assert.deepEqual(unsupported(pod), {
    refused: [],
    ignored: [
      "spec.hostAliases",
      "spec.containers[web].readinessProbe",
      "spec.containers[web].lifecycle",
    ],
  });
});

Deno.test("unsupported() refuses what one container cannot have", () => {
  const pod = aPod({
    containers: [
      aContainer({
        resources: { limits: { "hugepages-2Mi": "4Mi", cpu: "1" } },
        volumeDevices: [{ name: "d", devicePath: "/dev/x" }],
        securityContext: {
          appArmorProfile: { type: "Localhost", localhostProfile: "p" },
        },
      }),
    ],
  });
  assert.deepEqual(unsupported(pod).refused, [
    "spec.containers[web].volumeDevices",
    "spec.containers[web].securityContext.appArmorProfile",
    "spec.containers[web].resources.limits[hugepages-2Mi]",
  ]);
});
