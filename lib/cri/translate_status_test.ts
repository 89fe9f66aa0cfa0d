import assert from "node:assert/strict";
import { FULL_CONTAINER } from "../../tests/contract/cri_samples.ts";
import { parseSchema } from "./schema.ts";
import { int64Of } from "./translate.ts";
import { decodeMessage, encodeMessage } from "./translate_bytes.ts";
import { containerConfig } from "./translate_spec.ts";
import { containerStats, image } from "./translate_stats.ts";
import * as tell from "./translate_status.ts";
import type * as wire from "./wire.ts";
import type * as container from "./wire_container.ts";
import type * as stats from "./wire_stats.ts";

const root = parseSchema();
const AT_NS = int64Of(1_767_323_045_123_456_789n);
const AT_MS = 1_767_323_045_123;

/** What we read when the other side sends `message`. */
function received<T>(type: string, message: object): T {
  const shape = root.lookupType(`runtime.v1.${type}`);
  return decodeMessage(shape, encodeMessage(shape, message));
}

Deno.test("containerStatus() keeps what the runtime says", () => {
  const config = containerConfig(FULL_CONTAINER);
  const status = tell.containerStatus(
    received<container.ContainerStatus>("ContainerStatus", {
      id: "c1",
      metadata: config.metadata,
      state: 2,
      createdAt: AT_NS,
      startedAt: AT_NS,
      finishedAt: AT_NS,
      exitCode: -1,
      image: config.image,
      imageRef: "sha256:1",
      reason: "OOMKilled",
      message: "out of memory",
      labels: config.labels,
      annotations: config.annotations,
      mounts: config.mounts,
      logPath: "/l",
      resources: { linux: config.linux.resources },
      imageId: "sha256:3",
      user: {
        linux: {
          uid: int64Of(2n ** 32n),
          gid: int64Of(7n),
          supplementalGroups: [int64Of(2n ** 40n)],
        },
      },
      stopSignal: config.stopSignal,
    }),
  );
  assert.deepEqual(status, {
    id: "c1",
    name: "web",
    attempt: 4,
    state: "exited",
    createdAtMs: AT_MS,
    startedAtMs: AT_MS,
    finishedAtMs: AT_MS,
    exitCode: -1,
    reason: "OOMKilled",
    message: "out of memory",
    image: "sha256:1",
    imageRef: "sha256:1",
    imageId: "sha256:3",
    labels: FULL_CONTAINER.labels,
    annotations: FULL_CONTAINER.annotations,
    logPath: "/l",
    mounts: FULL_CONTAINER.mounts,
    resources: FULL_CONTAINER.resources,
    user: { uid: 2n ** 32n, gid: 7n, supplementalGroups: [2n ** 40n] },
    stopSignal: "SIGRTMIN+3",
  });
});

Deno.test("an empty status is one of a container without anything", () => {
  const status = tell.containerStatus(
    received<container.ContainerStatus>("ContainerStatus", { imageRef: "r" }),
  );
  assert.equal(status.state, "created");
  assert.equal(status.imageId, "r");
  assert.equal(status.finishedAtMs, 0);
  assert.ok(!("resources" in status || "user" in status));
  assert.ok(!("stopSignal" in status));
  assert.deepEqual(status.labels, new Map());
});

Deno.test("sandboxStatus() lists every address, the primary first", () => {
  const status = tell.sandboxStatus(
    received<wire.PodSandboxStatus>("PodSandboxStatus", {
      id: "s1",
      metadata: { name: "shop", namespace: "prod", uid: "u", attempt: 2 },
      state: 0,
      createdAt: AT_NS,
      network: { ip: "10.0.0.2", additionalIps: [{ ip: "fd00::2" }] },
      linux: { namespaces: { options: { network: 2 } } },
      labels: { a: "b" },
      annotations: {},
      runtimeHandler: "kata",
    }),
  );
  assert.deepEqual(status, {
    id: "s1",
    podName: "shop",
    podNamespace: "prod",
    podUid: "u",
    attempt: 2,
    isReady: true,
    createdAtMs: AT_MS,
    labels: new Map([["a", "b"]]),
    annotations: new Map(),
    runtimeHandler: "kata",
    ips: ["10.0.0.2", "fd00::2"],
    network: "node",
  });
  const bare = received<wire.PodSandboxStatus>("PodSandboxStatus", {});
  assert.deepEqual(tell.sandboxStatus(bare).ips, []);
});

Deno.test("runtimeStatus() takes a condition nobody mentions as unmet", () => {
  const status = tell.runtimeStatus(
    received<wire.StatusResponse>("StatusResponse", {
      status: { conditions: [{ type: "RuntimeReady", status: true }] },
      runtimeHandlers: [{ name: "runc", features: { userNamespaces: true } }],
    }),
  );
  assert.equal(status.runtime.isMet, true);
  assert.equal(status.network.isMet, false);
  assert.deepEqual(status.handlers, [{
    name: "runc",
    hasRecursiveReadOnlyMounts: false,
    hasUserNamespaces: true,
  }]);
  assert.equal(status.hasSupplementalGroupsPolicy, false);
});

Deno.test("runtimeEvent() leaves out an event that names no pod", () => {
  const event = { containerId: "c", containerEventType: 2, createdAt: AT_NS };
  const read = (message: object) =>
    tell.runtimeEvent(
      received<container.ContainerEvent>("ContainerEventResponse", message),
    );
  assert.equal(read(event), undefined);
  const podSandboxStatus = { metadata: { uid: "u" } };
  assert.deepEqual(read({ ...event, podSandboxStatus }), {
    podUid: "u",
    kind: "stopped",
    id: "c",
    atMs: AT_MS,
  });
  const unknown = { ...event, podSandboxStatus, containerEventType: 9 };
  assert.equal(read(unknown), undefined);
});

Deno.test("containerStats() leaves out what was not measured", () => {
  const attributes = {
    id: "c",
    metadata: { name: "web" },
    labels: { "io.kubernetes.pod.uid": "u" },
  };
  const most = { low: -1, high: -1, unsigned: true };
  const bare = received<stats.ContainerStats>("ContainerStats", { attributes });
  assert.deepEqual(containerStats(bare), { id: "c", name: "web", podUid: "u" });
  const full = received<stats.ContainerStats>("ContainerStats", {
    attributes,
    cpu: { timestamp: AT_NS, usageCoreNanoSeconds: { value: most } },
  });
  assert.deepEqual(containerStats(full).cpu, {
    atMs: AT_MS,
    coreNanoseconds: 2n ** 64n - 1n,
  });
});

Deno.test("image() tells uid 0 from no uid", () => {
  const bare = image(received<wire.Image>("Image", { id: "sha256:1" }));
  assert.ok(!("uid" in bare));
  const rooted = image(received<wire.Image>("Image", { uid: {} }));
  assert.equal(rooted.uid, 0n);
});
