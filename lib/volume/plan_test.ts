import assert from "node:assert/strict";
import { aContainer } from "../../tests/build.ts";
import type { V1Container, V1Volume } from "../api/types.ts";
import { API_ACCESS, podWith, SETTINGS } from "./fixture_test.ts";
import { type PlannedVolume, planVolumes } from "./plan.ts";

function one(volume: V1Volume, parts = {}): PlannedVolume {
  const [planned] = planVolumes(podWith([volume], parts), SETTINGS);
  assert.ok(planned);
  return planned;
}

Deno.test("planVolumes() keeps the layout that others parse", () => {
  const at = "/pods/u1/volumes/kubernetes.io~";
  const table: [V1Volume, string | undefined, string | undefined][] = [
    [{ name: "v", emptyDir: {} }, `${at}empty-dir/v`, "disk"],
    [{ name: "v" }, `${at}empty-dir/v`, "disk"],
    [
      { name: "v", emptyDir: { medium: "Memory" } },
      `${at}empty-dir/v`,
      "memory",
    ],
    [{ name: "v", secret: { secretName: "s" } }, `${at}secret/v`, "memory"],
    [{ name: "v", configMap: { name: "c" } }, `${at}configmap/v`, "disk"],
    [{ name: "v", downwardAPI: {} }, `${at}downward-api/v`, "memory"],
    [{ name: "v", projected: {} }, `${at}projected/v`, "memory"],
    [{ name: "v", hostPath: { path: "/x" } }, "/x", undefined],
    [{ name: "v", nfs: { server: "s", path: "/x" } }, `${at}nfs/v`, undefined],
    [{ name: "v", csi: { driver: "d" } }, undefined, undefined],
    [{ name: "v", image: { reference: "i" } }, undefined, undefined],
    [{ name: "v", emptyDir: { medium: "HugePages" } }, undefined, undefined],
  ];
  for (const [volume, path, medium] of table) {
    const planned = one(volume);
    assert.equal("path" in planned ? planned.path : undefined, path);
    assert.equal("medium" in planned ? planned.medium : undefined, medium);
  }
});

Deno.test("planVolumes() knows what the API server puts into every pod", () => {
  const planned = one(API_ACCESS);
  assert.ok(planned.kind === "files");
  assert.equal(planned.defaultMode, 0o644);
  assert.deepEqual(planned.sources.map(({ kind }) => kind), [
    "token",
    "configmap",
    "downward-api",
  ]);
  assert.deepEqual(planned.sources[0], {
    kind: "token",
    path: "token",
    audience: "",
    expirationSeconds: 3607,
  });
});

Deno.test("planVolumes() leaves alone what nobody mounts", () => {
  const volumes: V1Volume[] = [{ name: "a" }, { name: "b" }, { name: "c" }];
  const mount = (name: string) => ({
    volumeMounts: [{ name, mountPath: "/" }],
  });
  const pod = podWith(volumes, {
    containers: [aContainer(mount("c"))],
    spec: { initContainers: [aContainer(mount("a"))] },
  });
  const names = planVolumes(pod, SETTINGS).map(({ name }) => name);
  assert.deepEqual(names, ["a", "c"]);
});

Deno.test("planVolumes() bounds memory by the volume, the pod and the node", () => {
  const limited = (memory: string): V1Container =>
    aContainer({
      volumeMounts: [{ name: "v", mountPath: "/v" }],
      resources: { limits: { memory } },
    });
  const open = aContainer({ volumeMounts: [{ name: "v", mountPath: "/v" }] });
  const Mi = 1n << 20n;
  const table: [string | undefined, V1Container[], bigint][] = [
    [undefined, [open], 1024n * Mi],
    ["10Mi", [open], 10n * Mi],
    ["0", [open], 1024n * Mi],
    ["2Gi", [open], 1024n * Mi],
    [undefined, [limited("64Mi"), limited("64Mi")], 128n * Mi],
    [undefined, [limited("64Mi"), open], 1024n * Mi],
    ["256Mi", [limited("64Mi")], 64n * Mi],
    [undefined, [limited("4Gi")], 1024n * Mi],
  ];
  for (const [sizeLimit, containers, expected] of table) {
    const emptyDir = {
      medium: "Memory",
      ...(sizeLimit === undefined ? {} : { sizeLimit }),
    };
    const planned = one({ name: "v", emptyDir }, { containers });
    assert.equal("sizeBytes" in planned && planned.sizeBytes, expected);
  }
});

Deno.test("planVolumes() gives files to fsGroup and to the one user", () => {
  const user = (runAsUser?: number) =>
    aContainer({
      volumeMounts: [{ name: "v", mountPath: "/v" }],
      ...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }),
    });
  const table: [V1Container[], object, object][] = [
    [[user()], {}, {}],
    [[user()], { fsGroup: 7 }, { gid: 7 }],
    [[user()], { runAsUser: 5 }, { uid: 5 }],
    [[user(5), user(5)], {}, { uid: 5 }],
    [[user(5), user(6)], {}, {}],
    [[user(5), user()], {}, {}],
    [[user(0), user()], { runAsUser: 0, fsGroup: 0 }, { uid: 0, gid: 0 }],
  ];
  for (const [containers, securityContext, expected] of table) {
    const volume: V1Volume = { name: "v", secret: { secretName: "s" } };
    const planned = one(volume, { containers, spec: { securityContext } });
    assert.deepEqual("owner" in planned && planned.owner, expected);
  }
});

Deno.test("planVolumes() names where other volumes are mounted inside", () => {
  const volumes: V1Volume[] = [{ name: "v", configMap: { name: "c" } }, {
    name: "w",
  }];
  const paths = ["/v/a", "/v/a/b", "/v/x/../y/", "/vv", "/v/a-b", "/v//z"];
  const pod = podWith(volumes, {
    containers: [aContainer({
      volumeMounts: [
        { name: "v", mountPath: "/v/" },
        ...paths.map((mountPath) => ({ name: "w", mountPath })),
      ],
    })],
  });
  const [planned] = planVolumes(pod, SETTINGS);
  const nested = planned?.kind === "files" ? planned.nested : [];
  assert.deepEqual([...nested].sort(), ["a", "a-b", "y", "z"]);
});
