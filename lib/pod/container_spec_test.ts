import assert from "node:assert/strict";
import {
  aContainer,
  aMountedVolume,
  aPod,
  SETTINGS,
} from "../../tests/build.ts";
import type { V1Container } from "../api/types.ts";
import { containerSpec, type Start } from "./container_spec.ts";

const START: Start = {
  attempt: 31,
  crashDelayMs: 0,
  image: { ref: "sha256:aaaa", uid: 5n, userName: "" },
  podIps: ["10.0.0.5"],
  hostIps: ["192.0.2.7"],
  allocatable: new Map(),
  services: new Map(),
  found: undefined,
  volumePaths: new Map([["v", aMountedVolume({ path: "/pods/v" })]]),
  imageVolumes: new Map(),
  hasRecursiveReadOnly: false,
};

function made(own: Partial<V1Container>) {
  const container = aContainer(own);
  const pod = aPod({ containers: [container] });
  return containerSpec(SETTINGS, { pod, container }, START);
}

Deno.test("containerSpec() mounts volumes before its own message file", () => {
  const container = aContainer({
    volumeMounts: [{ name: "v", mountPath: "/data" }],
  });
  const spec = { volumes: [{ name: "v", emptyDir: {} }] };
  const pod = aPod({ containers: [container], spec });
  const result = containerSpec(SETTINGS, { pod, container }, START);
  assert.deepEqual(
    result.kind === "ok" && result.spec.mounts.map((m) => m.containerPath),
    ["/data", "/etc/hosts", "/dev/termination-log"],
  );
  const lost = { ...START, volumePaths: new Map() };
  assert.deepEqual(containerSpec(SETTINGS, { pod, container }, lost), {
    kind: "refused",
    message: 'cannot find volume "v" to mount into container "web"',
  });
});

function ok(own: Partial<V1Container>) {
  const result = made(own);
  assert.ok(result.kind === "ok");
  return result;
}

Deno.test("containerSpec() runs the resolved image and tells what was written", () => {
  const { spec } = ok({});
  assert.equal(spec.imageRef, "sha256:aaaa");
  assert.equal(spec.userImage, "busybox:1");
  assert.equal(spec.attempt, 31);
  assert.equal(spec.logPath, "web/31.log");
  assert.equal(spec.security.runAsUser, 5n);
  assert.equal(spec.resources.oomScoreAdj, 1000n);
});

Deno.test("containerSpec() expands command and arguments with the environment", () => {
  const { spec } = ok({
    command: ["run", "$(A)"],
    args: ["$$(A)", "$(B)"],
    env: [{ name: "A", value: "1" }],
  });
  assert.deepEqual(spec.command, ["run", "1"]);
  assert.deepEqual(spec.args, ["$(A)", "$(B)"]);
});

Deno.test("containerSpec() mounts a message file of its own for each attempt", () => {
  const { spec, messageFile } = ok({ terminationMessagePath: "/tmp/last" });
  assert.equal(
    messageFile,
    "/var/lib/kubelet/pods/11111111-2222-3333-4444-555555555555/" +
      "containers/web/0000001f",
  );
  const mount = spec.mounts.at(-1);
  assert.equal(mount?.hostPath, messageFile);
  assert.equal(mount?.containerPath, "/tmp/last");
  assert.equal(mount?.isReadOnly, false);
  const unset = ok({ terminationMessagePath: "" });
  assert.equal(unset.spec.mounts.at(-1)?.containerPath, "/dev/termination-log");
});

Deno.test("containerSpec() refuses what no program can be given", () => {
  const big = "x".repeat(1 << 20);
  const args = Array.from({ length: 5 }, () => "$(A)");
  const table: [Partial<V1Container>, RegExp][] = [
    [{ env: [{ name: "A", value: big }], args }, /arguments are longer than/],
  ];
  for (const [own, expected] of table) {
    const result = made(own);
    assert.match(result.kind === "refused" ? result.message : "", expected);
  }
});

Deno.test("containerSpec() refuses an environment or a user that cannot be", () => {
  const fieldRef = { fieldPath: "spec.unknown" };
  const env = [{ name: "A", valueFrom: { fieldRef } }];
  assert.deepEqual(made({ env }), {
    kind: "refused",
    message: "field label not supported: spec.unknown",
  });
  const root = made({ securityContext: { runAsNonRoot: true, runAsUser: 0 } });
  assert.equal(root.kind, "refused");
});

Deno.test("containerSpec() maps the ids of every mount with the pod's own", () => {
  const mapping = { hostId: 131_072, containerId: 0, length: 65_536 };
  const user = { uids: [mapping], gids: [mapping] };
  const container = aContainer();
  const result = containerSpec(
    SETTINGS,
    { pod: aPod({ spec: { hostUsers: false } }), container },
    { ...START, user },
  );
  assert.ok(result.kind === "ok");
  assert.equal(result.spec.mounts.length, 2);
  for (const { uidMappings, gidMappings } of result.spec.mounts) {
    assert.deepEqual([uidMappings, gidMappings], [[mapping], [mapping]]);
  }
  assert.deepEqual(result.spec.security.namespaces.user, user);
});

Deno.test("containerSpec() refuses to work through open files (S35)", () => {
  const table: [string, boolean][] = [
    ["", true],
    ["/srv", true],
    ["/proc", true],
    ["/proc/self/fdinfo", true],
    ["/proc/self/fd/8", false],
    ["/proc/self/fd", false],
    ["/x/..//proc/./self/fd/7", false],
    ["/proc/1/fd/3", false],
    ["/proc/thread-self/cwd", false],
    ["/proc/1/task/1/root/etc", false],
  ];
  for (const [workingDir, isFine] of table) {
    assert.equal(made({ workingDir }).kind === "ok", isFine, workingDir);
  }
});

Deno.test("containerSpec() passes no NUL byte to the runtime (S37)", () => {
  const table: [Partial<V1Container>, string][] = [
    [{ workingDir: "/a\0b" }, "workingDir"],
    [{ command: ["a", "\0"] }, "command"],
    [{ args: ["\0"] }, "args"],
    [{ env: [{ name: "A", value: "b\0c" }] }, "env"],
    [{ terminationMessagePath: "/a\0" }, "mounts"],
  ];
  for (const [own, field] of table) {
    const result = made(own);
    assert.ok(result.kind === "refused", field);
    assert.equal(result.message, `${field} holds a NUL byte`);
  }
  assert.equal(made({ env: [{ name: "A", value: "b\nc" }] }).kind, "ok");
});
Deno.test("containerSpec() asks for a stop signal where the gate is on", () => {
  const container = aContainer({ lifecycle: { stopSignal: "SIGUSR1" } });
  const pod = aPod({ containers: [container] });
  for (const [hasStopSignals, expected] of [[true, "SIGUSR1"], [false, ""]]) {
    const settings = { ...SETTINGS, hasStopSignals: hasStopSignals === true };
    const result = containerSpec(settings, { pod, container }, START);
    assert.equal(
      (result.kind === "ok" && result.spec.stopSignal) || "",
      expected,
    );
  }
});
