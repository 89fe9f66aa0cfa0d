import assert from "node:assert/strict";
import {
  aContainer,
  aPod,
  HEALTHY,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import { type SandboxFacts, sandboxSpec } from "./sandbox_spec.ts";

function specOf(pod: V1Pod, facts: Partial<SandboxFacts> = {}, attempt = 2) {
  const made = sandboxSpec({ ...someFacts(), ...facts }, pod, attempt);
  assert.ok(made.kind === "ok", made.kind);
  return made.spec;
}

const of = (spec: Partial<V1PodSpec>, name = "shop") =>
  specOf(aPod({ name, spec }));

Deno.test("sandboxSpec() names the sandbox after its pod", () => {
  const made = of({});
  assert.equal(made.podName, "shop");
  assert.equal(made.podNamespace, "prod");
  assert.equal(made.attempt, 2);
  assert.equal(
    made.logDirectory,
    "/var/log/pods/prod_shop_11111111-2222-3333-4444-555555555555",
  );
  assert.equal(made.labels.get("io.kubernetes.pod.name"), "shop");
});

Deno.test("sandboxSpec() makes a hostname that the kernel bears", () => {
  const long = "a".repeat(62) + "-bcd";
  const table: [Partial<V1PodSpec>, string, string][] = [
    [{}, "shop", "shop"],
    [{}, long, "a".repeat(62)],
    [{ hostname: "till" }, "shop", "till"],
    [{ hostNetwork: true }, "shop", ""],
    [{ subdomain: "sub" }, "shop", "shop"],
    [
      { subdomain: "sub", setHostnameAsFQDN: true },
      "shop",
      "shop.sub.prod.svc.cluster.local",
    ],
    [{ setHostnameAsFQDN: true }, "shop", "shop"],
  ];
  for (const [spec, name, expected] of table) {
    assert.equal(of(spec, name).hostname, expected, JSON.stringify(spec));
  }
});

Deno.test("sandboxSpec() maps each port once", () => {
  const ports = [
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 53, protocol: "UDP", hostIP: "127.0.0.1" },
  ];
  const pod = aPod({
    containers: [aContainer({ ports }), aContainer({ name: "b", ports })],
  });
  // Compat: kubelet 1.36 MakePortMappings: once for each container.
  const each = [
    { protocol: "TCP", containerPort: 80, hostPort: 8080, hostIp: "" },
    { protocol: "UDP", containerPort: 53, hostPort: 0, hostIp: "127.0.0.1" },
  ];
  assert.deepEqual(specOf(pod).portMappings, [...each, ...each]);
  const named = [
    { name: "web", containerPort: 80 },
    { name: "web", containerPort: 81 },
    { containerPort: 82 },
    { containerPort: 82 },
  ];
  const once = aPod({ containers: [aContainer({ ports: named })] });
  assert.deepEqual(
    specOf(once).portMappings.map(({ containerPort }) => containerPort),
    [80, 82],
  );
});

Deno.test("sandboxSpec() refuses a name that the kernel does not bear", () => {
  const made = sandboxSpec(
    someFacts(),
    aPod({
      name: "shop",
      spec: { subdomain: "s".repeat(40), setHostnameAsFQDN: true },
    }),
    0,
  );
  const fqdn = `shop.${"s".repeat(40)}.prod.svc.cluster.local`;
  assert.deepEqual(made, {
    kind: "refused",
    message: "failed to construct FQDN from pod hostname and cluster domain, " +
      `FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} ` +
      "characters requested)",
  });
});

Deno.test("sandboxSpec() fails without the host's resolvers", () => {
  const hostDnsFault = "Cannot read /etc/resolv.conf: no such file";
  const made = sandboxSpec(
    someFacts({ settings: { ...SETTINGS, hostDnsFault } }),
    aPod(),
    0,
  );
  assert.deepEqual(made, { kind: "refused", message: hostDnsFault });
});

Deno.test("sandboxSpec() asks for the handler of the runtime class", () => {
  const pod = aPod({ spec: { runtimeClassName: "gvisor" } });
  const of = (runtimeClasses: ReadonlyMap<string, string> | undefined) =>
    sandboxSpec(someFacts({ runtimeClasses }), pod, 0);
  assert.deepEqual(of(undefined), { kind: "wait", for: "runtime-class" });
  assert.deepEqual(of(new Map([["kata", "kata"]])), {
    kind: "refused",
    message: 'runtimeclass.node.k8s.io "gvisor" not found',
  });
  const runtimeClasses = new Map([["gvisor", "runsc"]]);
  assert.equal(specOf(pod, { runtimeClasses }).runtimeHandler, "runsc");
  assert.equal(specOf(aPod()).runtimeHandler, "");
});

Deno.test("sandboxSpec() gives ids of its own where the runtime can", () => {
  const pod = aPod({ spec: { hostUsers: false } });
  const handler = { name: "", hasRecursiveReadOnlyMounts: false };
  const of = (...support: readonly boolean[]) =>
    sandboxSpec(
      someFacts({
        runtime: {
          ...HEALTHY,
          handlers: support
            .map((hasUserNamespaces) => ({ ...handler, hasUserNamespaces })),
        },
      }),
      pod,
      0,
    );
  const cannot = {
    kind: "refused",
    message: "can't set `spec.hostUsers: false`, runtime does not support " +
      "user namespaces",
  };
  assert.deepEqual(of(), cannot);
  assert.deepEqual(of(false), cannot);
  assert.deepEqual(of(true), { kind: "wait", for: "user-ids" });
  const runtime = {
    ...HEALTHY,
    handlers: [{ ...handler, hasUserNamespaces: true }],
  };
  const userIds = { first: 131_072, length: 65_536 };
  const mapping = { hostId: 131_072, containerId: 0, length: 65_536 };
  assert.deepEqual(
    specOf(pod, { runtime, userIds }).security.namespaces.user,
    { uids: [mapping], gids: [mapping] },
  );
  const named = aPod({ spec: { hostUsers: false, runtimeClassName: "kata" } });
  const runtimeClasses = new Map([["kata", "kata"]]);
  assert.deepEqual(
    sandboxSpec(someFacts({ runtime, runtimeClasses }), named, 0),
    {
      kind: "refused",
      message: "can't set `spec.hostUsers: false`, RuntimeClass handler " +
        '"kata" does not support user namespaces: the handler "kata" is not ' +
        "known",
    },
  );
});

Deno.test("sandboxSpec() tells what the pod takes, and its overhead", () => {
  const resources = {
    requests: { cpu: "500m", memory: "64Mi" },
    limits: { cpu: "1", memory: "128Mi" },
  };
  const made = specOf(aPod({
    containers: [aContainer({ resources }), aContainer({ name: "b" })],
    spec: { overhead: { cpu: "250m", memory: "16Mi" } },
  }));
  assert.equal(made.resources?.cpuShares, 512n);
  assert.equal(made.resources?.cpuQuotaUs, 100_000n);
  assert.equal(made.resources?.memoryLimitBytes, 128n * 1024n ** 2n);
  assert.equal(made.overhead?.cpuShares, 256n);
  assert.equal(made.overhead?.cpuQuotaUs, 25_000n);
  assert.equal(made.overhead?.memoryLimitBytes, 16n * 1024n ** 2n);
  assert.equal(specOf(aPod()).overhead, undefined);
});

Deno.test("sandboxSpec() passes no NUL byte to the runtime (S37)", () => {
  const pod = aPod({ annotations: { note: "a\0b" } });
  const made = sandboxSpec(someFacts(), pod, 0);
  assert.deepEqual(made, {
    kind: "refused",
    message: "annotations holds a NUL byte",
  });
});
