import assert from "node:assert/strict";
import {
  type CgroupDriver,
  cgroupName,
  cgroupPath,
  isCgroupName,
  partsOf,
  printedName,
} from "./cgroup_name.ts";

/** Upstream's own names: cm/cgroup_manager_test.go. */
const TABLE: [readonly string[], string, string][] = [
  [[], "/", "/"],
  [["Burstable"], "/Burstable", "/Burstable.slice"],
  [
    ["Burstable", "pod-123"],
    "/Burstable/pod-123",
    "/Burstable.slice/Burstable-pod_123.slice",
  ],
  [
    ["test", "a", "b-c"],
    "/test/a/b-c",
    "/test.slice/test-a.slice/test-a-b_c.slice",
  ],
];

Deno.test("cgroupPath() writes a name as its driver does", () => {
  for (const [name, plain, slices] of TABLE) {
    assert.equal(cgroupPath(name, "cgroupfs"), plain);
    assert.equal(cgroupPath(name, "systemd"), slices);
  }
});

Deno.test("cgroupName() reads what cgroupPath() writes", () => {
  for (const [name] of TABLE) {
    for (const driver of ["cgroupfs", "systemd"] as const) {
      assert.deepEqual(cgroupName(cgroupPath(name, driver), driver), name);
    }
  }
});

Deno.test("cgroupName() takes the last slice for the whole", () => {
  const found = (path: string, driver: CgroupDriver) =>
    cgroupPath(cgroupName(path, driver), driver);
  assert.equal(found("/system.slice", "systemd"), "/system.slice");
  assert.equal(
    found("kube-reserved.slice", "systemd"),
    [
      "/kube.slice",
      "kube-reserved.slice",
    ].join("/"),
  );
  assert.equal(found("/runtime.slice/", "cgroupfs"), "/runtime.slice");
  assert.equal(found("/a_b.slice", "systemd"), "/a_b.slice");
});

Deno.test("isCgroupName() refuses what has no path of its own", () => {
  const isSound = (path: string, driver: CgroupDriver) =>
    isCgroupName(cgroupName(path, driver));
  assert.equal(isSound("/system.slice", "systemd"), true);
  for (const path of ["", "/", "/a--b.slice", "-a.slice"]) {
    assert.equal(isSound(path, "systemd"), false, path);
  }
  assert.equal(isSound("/a--b", "cgroupfs"), true);
  assert.equal(isSound("/a/../b", "cgroupfs"), false);
});

Deno.test("printedName() is what upstream prints", () => {
  assert.equal(printedName(partsOf("/a/kubepods")), '["a" "kubepods"]');
  assert.equal(printedName([]), "[]");
});
