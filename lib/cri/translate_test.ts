import assert from "node:assert/strict";
import { podUid, sandboxId } from "../api/id.ts";
import type { ContainerSpec, SandboxSpec } from "../port/runtime_spec.ts";
import { parseSchema } from "./schema.ts";
import * as small from "./translate.ts";
import { decodeMessage, encodeMessage } from "./translate_bytes.ts";
import {
  containerConfig,
  containerFilter,
  sandboxConfig,
  sandboxFilter,
  statsFilter,
} from "./translate_spec.ts";
import { pullRequest } from "./translate_stats.ts";
import {
  FULL_CONTAINER,
  FULL_SANDBOX,
} from "../../tests/contract/cri_samples.ts";

const root = parseSchema();

/** What the other side reads when we send `message`. */
function sent(type: string, message: object): unknown {
  const shape = root.lookupType(`runtime.v1.${type}`);
  return decodeMessage(shape, encodeMessage(shape, message));
}

/** Every key of `expected` is in `actual` with the same value. */
function assertKept(actual: unknown, expected: unknown, path: string): void {
  if (expected instanceof Uint8Array) {
    assert.ok(actual instanceof Uint8Array, path);
    assert.deepEqual([...actual], [...expected], path);
  } else if (typeof expected === "object" && expected !== null) {
    assert.ok(typeof actual === "object" && actual !== null, path);
    for (const [key, value] of Object.entries(expected)) {
      // Long says signed or not by itself; only the halves are on the wire.
      if (key === "unsigned") continue;
      // What is at its default is read from the prototype.
      assertKept(Reflect.get(actual, key), value, `${path}.${key}`);
    }
  } else {
    assert.equal(actual ?? null, expected, path);
  }
}

/** Keys that the schema does not have would be dropped silently. */
function assertKnown(type: string, message: object): void {
  const { fields } = root.lookupType(`runtime.v1.${type}`);
  for (const [key, value] of Object.entries(message)) {
    const field = fields[key];
    assert.ok(field, `${type} has no field ${key}`);
    field.resolve();
    const nested = field.resolvedType;
    if (nested === null || "values" in nested || field.map) continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null) assertKnown(nested.name, each);
    }
  }
}

const REQUESTS: readonly (readonly [string, object])[] = [
  ["PodSandboxConfig", sandboxConfig(FULL_SANDBOX)],
  ["ContainerConfig", containerConfig(FULL_CONTAINER)],
  ["PodSandboxFilter", sandboxFilter(everyFilter())],
  ["ContainerFilter", containerFilter(everyFilter())],
  ["ContainerStatsFilter", statsFilter(everyFilter())],
  [
    "PullImageRequest",
    pullRequest({
      image: "example.org/a:1",
      annotations: new Map([["lazy", "yes"]]),
      runtimeHandler: "runc",
      auth: {
        username: "u",
        password: "p",
        auth: "a",
        serverAddress: "s",
        identityToken: "i",
        registryToken: "r",
      },
      sandbox: FULL_SANDBOX,
    }),
  ],
];

for (const [type, message] of REQUESTS) {
  Deno.test(`${type}: every key we write is known and arrives`, () => {
    assertKnown(type, message);
    assertKept(sent(type, message), message, type);
  });
}

/** Fields that we never write. */
const SPARE = new Set([
  "PodSandboxConfig.windows",
  "ContainerConfig.windows",
  "LinuxSandboxSecurityContext.seccompProfilePath",
  "LinuxContainerSecurityContext.seccompProfilePath",
  "LinuxContainerSecurityContext.apparmorProfile",
  "PodSandboxFilter.id",
  "PodSandboxFilter.state",
  "ContainerFilter.id",
  "ContainerStatsFilter.id",
]);

/** Every field of `type` and of the messages in it is written. */
function assertComplete(type: string, message: object): void {
  for (const field of root.lookupType(`runtime.v1.${type}`).fieldsArray) {
    const name = `${type}.${field.name}`;
    const value: unknown = Reflect.get(message, field.name);
    if (SPARE.has(name)) continue;
    assert.ok(value !== undefined && value !== null, `${name} is not written`);
    const nested = field.resolve().resolvedType;
    if (nested === null || "values" in nested || field.map) continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      assertComplete(nested.name, each);
    }
  }
}

for (const [type, message] of REQUESTS) {
  Deno.test(`${type}: no field of the schema is forgotten`, () => {
    assertComplete(type, message);
  });
}

function everyFilter() {
  return {
    podUid: podUid("u"),
    sandboxId: sandboxId("s"),
    state: "running",
  } as const;
}

Deno.test("64-bit numbers are exact both ways", () => {
  for (
    const value of [
      0n,
      1n,
      -1n,
      2n ** 31n,
      2n ** 32n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]
  ) {
    assert.equal(small.bigintOf(small.int64Of(value)), value);
    const message = { value: small.int64Of(value) };
    const shape = root.lookupType("runtime.v1.Int64Value");
    const back = decodeMessage<typeof message>(
      shape,
      encodeMessage(shape, message),
    );
    assert.equal(small.bigintOf(back.value), value);
  }
  const most = 2n ** 64n - 1n;
  assert.equal(small.bigintOf(small.uint64Of(most)), most);
  assert.equal(small.unwrapped(null), 0n);
  assert.equal(small.wrapped(undefined), null);
});

Deno.test("millisecondsOf() is exact and takes the year 1 for never", () => {
  const at = (ns: bigint) => small.millisecondsOf(small.int64Of(ns));
  assert.equal(at(0n), 0);
  assert.equal(at(-6_795_364_578_871_345_152n), 0);
  assert.equal(at(1_767_323_045_000_999_999n), 1_767_323_045_000);
  assert.equal(at(1_767_323_045_001_000_000n), 1_767_323_045_001);
});

Deno.test("the tables are in the order of the wire", () => {
  const values = (name: string) =>
    Object.entries(root.lookupEnum(`runtime.v1.${name}`).values)
      .sort(([, a], [, b]) => a - b).map(([key]) => key);
  const plain = (words: readonly string[]) =>
    words.map((word) => word.toUpperCase().replaceAll("-", "_"));
  assert.deepEqual(values("NamespaceMode"), plain(small.NAMESPACE_MODES));
  assert.deepEqual(values("Protocol"), plain(small.PROTOCOLS));
  assert.deepEqual(values("CgroupDriver"), plain(small.CGROUP_DRIVERS));
  assert.deepEqual(
    values("MountPropagation"),
    plain(small.PROPAGATIONS).map((word) => `PROPAGATION_${word}`),
  );
  assert.deepEqual(
    values("ContainerState"),
    plain(small.CONTAINER_STATES).map((word) => `CONTAINER_${word}`),
  );
  assert.deepEqual(
    values("ContainerEventType"),
    plain(small.EVENT_KINDS).map((word) => `CONTAINER_${word}_EVENT`),
  );
  assert.deepEqual(
    values("SecurityProfile.ProfileType").map((key) => key.toLowerCase()),
    small.PROFILE_KINDS.map((word) => word.replace("-", "")),
  );
  assert.deepEqual(
    values("SupplementalGroupsPolicy").map((key) => key.toLowerCase()),
    [...small.GROUP_POLICIES],
  );
  assert.deepEqual(
    values("Signal").slice(1),
    small.SIGNALS.slice(1).map((name) =>
      name.replace("+", "PLUS").replace("-", "MINUS")
    ),
  );
  assert.equal(values("PodSandboxState")[small.SANDBOX_READY], "SANDBOX_READY");
});

Deno.test("an unknown word gives up, an unknown number does not", () => {
  const wrong: ContainerSpec = { ...FULL_CONTAINER, stopSignal: "SIGWRONG" };
  assert.throws(() => containerConfig(wrong), { next: "give-up" });
  assert.equal(small.wordOf(small.CONTAINER_STATES, 9, "unknown"), "unknown");
});

Deno.test("an absent user namespace is written as the node's", () => {
  const plain: SandboxSpec = {
    ...FULL_SANDBOX,
    security: {
      ...FULL_SANDBOX.security,
      namespaces: { network: "pod", pid: "pod", ipc: "node" },
    },
  };
  const { namespaceOptions } = sandboxConfig(plain).linux.securityContext;
  assert.deepEqual(namespaceOptions, {
    network: 0,
    pid: 0,
    ipc: 2,
    targetId: "",
    usernsOptions: { mode: 2, uids: [], gids: [] },
  });
});
