import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec, V1Volume, V1VolumeMount } from "../api/types.ts";
import { unsupported } from "./support.ts";

Deno.test("unsupported() refuses what would run wrongly, by field", () => {
  const table: [Partial<V1PodSpec>, string[]][] = [
    [{}, []],
    [{ initContainers: [aContainer()], activeDeadlineSeconds: 9 }, []],
    [{ runtimeClassName: "kata", hostUsers: false }, []],
    [{ resourceClaims: [{ name: "r" }] }, ["spec.resourceClaims"]],
  ];
  for (const [spec, expected] of table) {
    assert.deepEqual(unsupported(aPod({ spec })).refused, expected);
  }
});

Deno.test("unsupported() refuses volumes that are not built, by field", () => {
  const table: [V1Volume, string[]][] = [
    [{ name: "v" }, []],
    [{ name: "v", emptyDir: {} }, []],
    [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }, []],
    [{ name: "v", emptyDir: { medium: "HugePages-2Mi" } }, [
      "spec.volumes[v].emptyDir.medium",
    ]],
    [{ name: "v", hostPath: { path: "/a" } }, []],
    [{ name: "v", secret: { secretName: "s" } }, []],
    [{ name: "v", configMap: { name: "c" } }, []],
    [{ name: "v", downwardAPI: { items: [] } }, []],
    [{ name: "v", nfs: { server: "s", path: "/" } }, ["spec.volumes[v].nfs"]],
    [{ name: "v", csi: { driver: "d" } }, ["spec.volumes[v].csi"]],
    [{ name: "v", image: { reference: "i" } }, ["spec.volumes[v].image"]],
    [{ name: "v", ephemeral: {} }, ["spec.volumes[v].ephemeral"]],
    [{ name: "v", persistentVolumeClaim: { claimName: "c" } }, [
      "spec.volumes[v].persistentVolumeClaim",
    ]],
    [
      {
        name: "v",
        projected: {
          sources: [
            { serviceAccountToken: { path: "token" } },
            { clusterTrustBundle: { path: "ca" } },
            { podCertificate: { signerName: "s", keyType: "ED25519" } },
          ],
        },
      },
      [
        "spec.volumes[v].projected.sources[1].clusterTrustBundle",
        "spec.volumes[v].projected.sources[2].podCertificate",
      ],
    ],
  ];
  for (const [volume, expected] of table) {
    const pod = aPod({ spec: { volumes: [volume] } });
    assert.deepEqual(unsupported(pod).refused, expected);
  }
});

Deno.test("unsupported() notes that the size of a disk is not watched", () => {
  const volumes = [{ name: "v", emptyDir: { sizeLimit: "1Gi" } }];
  assert.deepEqual(unsupported(aPod({ spec: { volumes } })), {
    refused: [],
    ignored: ["spec.volumes[v].emptyDir.sizeLimit"],
  });
});

Deno.test("unsupported() refuses parts of volumes and of the host's mounts", () => {
  const at = "spec.containers[web].volumeMounts[v]";
  const table: [Partial<V1VolumeMount>, string[]][] = [
    [{ readOnly: true, mountPropagation: "None", subPath: "" }, []],
    [{ subPath: "a" }, [`${at}.subPath`]],
    [{ subPathExpr: "$(A)" }, [`${at}.subPathExpr`]],
    [{ mountPropagation: "HostToContainer" }, [`${at}.mountPropagation`]],
    [{ recursiveReadOnly: "IfPossible" }, []],
    [{ recursiveReadOnly: "Enabled" }, [`${at}.recursiveReadOnly`]],
  ];
  for (const [own, expected] of table) {
    const mount = { name: "v", mountPath: "/v", ...own };
    const containers = [aContainer({ volumeMounts: [mount] })];
    assert.deepEqual(unsupported(aPod({ containers })).refused, expected);
  }
});

Deno.test("unsupported() names what is accepted but not watched", () => {
  const pod = aPod({
    containers: [
      aContainer({ readinessProbe: { tcpSocket: { port: 1 } } }),
    ],
  });
  assert.deepEqual(unsupported(pod), {
    refused: [],
    ignored: [
      "spec.containers[web].readinessProbe",
    ],
  });
});

Deno.test("unsupported() refuses what one container cannot have", () => {
  const pod = aPod({
    containers: [
      aContainer({
        volumeDevices: [{ name: "d", devicePath: "/dev/x" }],
      }),
    ],
  });
  assert.deepEqual(unsupported(pod).refused, [
    "spec.containers[web].volumeDevices",
  ]);
});
