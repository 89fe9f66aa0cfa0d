import assert from "node:assert/strict";
import { aContainer, aMountedVolume, aPod } from "../../tests/build.ts";
import type { V1Volume, V1VolumeMount } from "../api/types.ts";
import { type MountsParts, volumeGroups, volumeMounts } from "./mounts.ts";

const PARTS: MountsParts = {
  volumes: new Map([["v", aMountedVolume({ path: "/host/v" })]]),
  images: new Map(),
  env: [{ name: "A", value: "a" }, { name: "EMPTY", value: "" }],
  podDirectory: "/pods/u",
  hasRecursiveReadOnly: true,
};

function tried(
  volume: V1Volume,
  mount: Partial<V1VolumeMount> = {},
  parts: Partial<MountsParts> = {},
) {
  const container = aContainer({
    volumeMounts: [
      { name: volume.name, mountPath: "/first" },
      { name: volume.name, mountPath: "/m", ...mount },
    ],
  });
  const pod = aPod({ containers: [container], spec: { volumes: [volume] } });
  return volumeMounts(pod, container, { ...PARTS, ...parts });
}

function mounted(...args: Parameters<typeof tried>) {
  const result = tried(...args);
  assert.ok(result.kind === "ok", JSON.stringify(result));
  const made = result.mounts[1];
  assert.ok(made);
  return { ...result, made };
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
    const { made } = mounted(volume);
    assert.equal(made.isReadOnly, isReadOnly, JSON.stringify(volume));
    const asked = mounted(volume, { readOnly: true });
    assert.equal(asked.made.isReadOnly, true);
  }
  const volumes = new Map([["v", aMountedVolume({ isReadOnly: true })]]);
  const claimed: V1Volume = {
    name: "v",
    persistentVolumeClaim: { claimName: "c", readOnly: true },
  };
  assert.equal(mounted(claimed, {}, { volumes }).made.isReadOnly, true);
});

Deno.test("volumeMounts() keeps the order and makes paths absolute", () => {
  const volume = { name: "v", hostPath: { path: "/host/v" } };
  const { made, mounts } = mounted(volume, { mountPath: "data" });
  assert.equal(mounts[0]?.containerPath, "/first");
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
  assert.equal(mounted({ name: "v" }).made.isSelinuxRelabelled, true);
});

Deno.test("volumeMounts() refuses a mount of nothing", () => {
  const container = aContainer({
    volumeMounts: [{ name: "__proto__", mountPath: "/m" }],
  });
  const pod = aPod({ containers: [container] });
  assert.deepEqual(volumeMounts(pod, container, PARTS), {
    kind: "refused",
    message: 'cannot find volume "__proto__" to mount into container "web"',
  });
});

Deno.test("volumeMounts() names where a path inside of a volume is bound", () => {
  const volume = { name: "v", emptyDir: {} };
  const volumes = new Map([
    ["v", aMountedVolume({ path: "/host/pv", specName: "pv-1" })],
  ]);
  const at = mounted(volume, { subPath: "a/b" }, { volumes });
  const target = "/pods/u/volume-subpaths/pv-1/web/1";
  assert.equal(at.made.hostPath, target);
  assert.deepEqual(at.subPaths, [
    { volumeName: "v", volume: "/host/pv", path: "a/b", target },
  ]);
  assert.deepEqual(mounted(volume).subPaths, []);
  const expanded = mounted(volume, { subPathExpr: "x/$(A)/$$(A)" });
  assert.equal(expanded.subPaths[0]?.path, "x/a/$(A)");
});

Deno.test("S03 volumeMounts() refuses ways out of a volume in upstream's words", () => {
  const table: [Partial<V1VolumeMount>, string][] = [
    [
      { subPath: "/etc" },
      "error SubPath `/etc` must not be an absolute path",
    ],
    [
      { subPath: "a/../../b" },
      "unable to provision SubPath `a/../../b`: must not contain '..'",
    ],
    [
      { subPath: ".." },
      "unable to provision SubPath `..`: must not contain '..'",
    ],
    [
      { subPathExpr: "$(UP)" },
      "unable to provision SubPath `..`: must not contain '..'",
    ],
    [
      { subPathExpr: "$(ROOT)etc" },
      "error SubPath `/etc` must not be an absolute path",
    ],
    [
      { subPathExpr: "$(Z)/$(EMPTY)/$(A)/$(B)/$(Z)" },
      "missing value for B, EMPTY, Z",
    ],
  ];
  const env = [
    ...PARTS.env,
    { name: "UP", value: ".." },
    { name: "ROOT", value: "/" },
  ];
  for (const [mount, message] of table) {
    const result = tried({ name: "v", emptyDir: {} }, mount, { env });
    assert.deepEqual(result, { kind: "refused", message });
  }
});

Deno.test("volumeMounts() is read-only all the way where the runtime can", () => {
  const volume = { name: "v", emptyDir: {} };
  const fault = 'failed to resolve recursive read-only mode: volume "v" ' +
    "requested recursive read-only mode, but it is not ";
  const whole = { hasRecursiveReadOnly: true };
  const flat = { hasRecursiveReadOnly: false };
  const ask = (recursiveReadOnly: string) => ({
    recursiveReadOnly,
    readOnly: true,
  });
  const yes = (...args: Parameters<typeof tried>) =>
    mounted(...args).made.isRecursiveReadOnly;
  assert.equal(yes(volume, ask("Enabled"), whole), true);
  assert.equal(yes(volume, ask("IfPossible"), whole), true);
  assert.equal(yes(volume, ask("IfPossible"), flat), false);
  assert.equal(yes(volume, ask("Disabled"), whole), false);
  const refusals: [Partial<V1VolumeMount>, string][] = [
    [ask("Enabled"), `${fault}supported by the runtime`],
    [{ ...ask("Enabled"), readOnly: false }, `${fault}read-only`],
    [
      { ...ask("IfPossible"), mountPropagation: "HostToContainer" },
      `${fault}compatible with propagation "HostToContainer"`,
    ],
  ];
  for (const [mount, message] of refusals) {
    const result = tried(volume, mount, flat);
    assert.deepEqual(result, { kind: "refused", message });
  }
});

Deno.test("volumeMounts() passes on how mounts spread", () => {
  const volume = { name: "v", emptyDir: {} };
  const table = [
    ["None", "private"],
    ["HostToContainer", "host-to-container"],
    ["Bidirectional", "bidirectional"],
  ];
  for (const [mountPropagation = "", propagation] of table) {
    const { made } = mounted(volume, { mountPropagation });
    assert.equal(made.propagation, propagation);
  }
  assert.deepEqual(tried(volume, { mountPropagation: "Both" }), {
    kind: "refused",
    message: 'invalid MountPropagation mode: "Both"',
  });
});

Deno.test("S34 volumeMounts() hands an image to the runtime, never a way out of it", () => {
  const volume = { name: "v", image: { reference: "tool:1" } };
  const images = new Map([["v", "sha256:1"]]);
  const { made, subPaths } = mounted(volume, { subPath: "bin" }, { images });
  assert.deepEqual(made.image, { ref: "sha256:1", subPath: "bin" });
  assert.deepEqual([made.hostPath, made.isReadOnly], ["", true]);
  assert.deepEqual(subPaths, []);
  for (const subPath of ["../x", "/x", "a/.."]) {
    assert.equal(tried(volume, { subPath }, { images }).kind, "refused");
  }
  assert.equal(tried(volume).kind, "refused");
});

Deno.test("volumeMounts() passes on devices, and does not mount them", () => {
  const volumeDevices = [{ name: "v", devicePath: "/dev/xvda" }];
  const container = aContainer({ volumeDevices });
  const pod = aPod({ containers: [container] });
  const device = aMountedVolume({ isDevice: true, path: "/pods/u/link" });
  const volumes = new Map([["v", device]]);
  const result = volumeMounts(pod, container, { ...PARTS, volumes });
  assert.deepEqual(result.kind === "ok" && result.devices, [{
    containerPath: "/dev/xvda",
    hostPath: "/pods/u/link",
    permissions: "mrw",
  }]);
  assert.deepEqual(volumeMounts(pod, container, PARTS), {
    kind: "refused",
    message: 'cannot find volume "v" to pass into container "web"',
  });
  assert.equal(tried({ name: "v" }, {}, { volumes }).kind, "refused");
});

Deno.test("volumeGroups() adds what a volume says and is not there yet", () => {
  const volume = (group: string) => aMountedVolume({ group });
  const volumes = new Map([
    ["a", volume("7")],
    ["b", volume("7")],
    ["c", volume("8")],
    ["d", volume("")],
    ["e", volume("-1")],
    ["f", volume("root")],
  ]);
  assert.deepEqual(volumeGroups(volumes, [8n]), [7n]);
});
