import assert from "node:assert/strict";
import { aContainer, anInstance } from "../../tests/build.ts";
import type { V1Container } from "../api/types.ts";
import type { LinuxResources } from "../port/runtime_spec.ts";
import {
  containerResources,
  containerUser,
  volumeMounts,
} from "./container_resources.ts";

function set(own: Partial<LinuxResources>): LinuxResources {
  return {
    cpuPeriodUs: 100_000n,
    cpuQuotaUs: 0n,
    cpuShares: 2n,
    memoryLimitBytes: 0n,
    oomScoreAdj: 0n,
    cpusetCpus: "",
    cpusetMems: "",
    hugepageLimits: [],
    unified: new Map(),
    memorySwapLimitBytes: 0n,
    ...own,
  };
}

function shown(
  resources: NonNullable<V1Container["resources"]>,
  own?: Partial<LinuxResources>,
) {
  const instance = anInstance(
    own === undefined ? {} : { resources: set(own) },
  );
  return containerResources(aContainer({ resources }), instance);
}

Deno.test("containerResources() shows what the runtime has set", () => {
  const wish = {
    requests: { cpu: "100m", memory: "32Mi" },
    limits: { cpu: "150m", memory: "64Mi" },
  };
  const own = {
    cpuShares: 102n,
    cpuQuotaUs: 15_000n,
    memoryLimitBytes: 64n * 1024n * 1024n,
  };
  assert.deepEqual(shown(wish, own), {
    allocatedResources: wish.requests,
    resources: wish,
  });
  const resized = { ...own, cpuShares: 1024n, cpuQuotaUs: 200_000n };
  assert.deepEqual(shown(wish, resized).resources, {
    requests: { cpu: "1", memory: "32Mi" },
    limits: { cpu: "2", memory: "64Mi" },
  });
});

Deno.test("containerResources() keeps the spec's word where the kernel rounds", () => {
  assert.deepEqual(
    shown({ requests: { cpu: "1m" }, limits: { cpu: "5m" } }, {
      cpuShares: 2n,
      cpuQuotaUs: 1000n,
    }).resources,
    { requests: { cpu: "1m" }, limits: { cpu: "5m" } },
  );
});

Deno.test("containerResources() shows the spec while the runtime says nothing", () => {
  const wish = { requests: { memory: "1024Mi" } };
  assert.deepEqual(shown(wish), {
    allocatedResources: { memory: "1Gi" },
    resources: { requests: { memory: "1Gi" } },
  });
  assert.deepEqual(shown({}, { cpuShares: 2n }), { resources: {} });
  const ended = anInstance({
    state: "exited",
    resources: set({ cpuShares: 1024n }),
  });
  const container = aContainer({ resources: { requests: { cpu: "2" } } });
  assert.deepEqual(containerResources(container, ended).resources, {
    requests: { cpu: "2" },
  });
});

Deno.test("containerResources() shows what was set where the runtime is silent", () => {
  const given = {
    requests: { cpu: "2", memory: "64Mi" },
    limits: { cpu: "2" },
  };
  const record = {
    requests: { cpu: "1", memory: "32Mi" },
    limits: { cpu: "1" },
  };
  const container = aContainer({ resources: given });
  assert.deepEqual(containerResources(container, anInstance(), record), {
    allocatedResources: given.requests,
    resources: record,
  });
  const told = anInstance({ resources: set({ cpuShares: 2048n }) });
  assert.deepEqual(containerResources(container, told, record).resources, {
    requests: { cpu: "2", memory: "32Mi" },
    limits: { cpu: "2" },
  });
  const ended = anInstance({ state: "exited" });
  assert.deepEqual(
    containerResources(container, ended, record).resources,
    given,
  );
});

Deno.test("containerUser() is what the runtime says, in numbers", () => {
  assert.deepEqual(containerUser(anInstance()), {});
  const user = { uid: 1000n, gid: 0n, supplementalGroups: [5n] };
  assert.deepEqual(containerUser(anInstance({ user })), {
    user: { linux: { uid: 1000, gid: 0, supplementalGroups: [5] } },
  });
  const alone = { ...user, supplementalGroups: [] };
  assert.deepEqual(containerUser(anInstance({ user: alone })), {
    user: { linux: { uid: 1000, gid: 0 } },
  });
});

Deno.test("volumeMounts() knows from the runtime what is read-only all the way", () => {
  const mount = { name: "v", mountPath: "/v", readOnly: true };
  const container = aContainer({
    volumeMounts: [
      { name: "v", mountPath: "/w", readOnly: false },
      mount,
      { ...mount, mountPath: "/all", recursiveReadOnly: "Enabled" },
      { ...mount, mountPath: "/if", recursiveReadOnly: "IfPossible" },
    ],
  });
  const readOnly = (mountPath: string, recursiveReadOnly: string) => ({
    ...mount,
    mountPath,
    recursiveReadOnly,
  });
  const before = volumeMounts(container, undefined, undefined);
  assert.deepEqual(before.volumeMounts, [
    { name: "v", mountPath: "/w" },
    readOnly("/v", "Disabled"),
    readOnly("/all", "Enabled"),
    readOnly("/if", "Disabled"),
  ]);
  const made = {
    containerPath: "/if",
    hostPath: "/x",
    isReadOnly: true,
    isRecursiveReadOnly: true,
    isSelinuxRelabelled: false,
    propagation: "private",
    uidMappings: [],
    gidMappings: [],
  } as const;
  const after = volumeMounts(
    container,
    anInstance({ mounts: [made] }),
    undefined,
  );
  assert.deepEqual(after.volumeMounts?.[3], readOnly("/if", "Enabled"));
  assert.deepEqual(volumeMounts(aContainer(), undefined, undefined), {});
});
