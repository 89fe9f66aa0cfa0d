import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec, V1Volume } from "../api/types.ts";
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
    [{ name: "v", hostPath: { path: "/a" } }, []],
    // What this node has no driver for says so when it is to be mounted.
    [{ name: "v", csi: { driver: "d" } }, []],
    [{ name: "v", persistentVolumeClaim: { claimName: "c" } }, []],
    [{ name: "v", secret: { secretName: "s" } }, []],
    [{ name: "v", configMap: { name: "c" } }, []],
    [{ name: "v", downwardAPI: { items: [] } }, []],
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
