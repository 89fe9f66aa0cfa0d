import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { sandboxSpec } from "./sandbox_spec.ts";

const of = (spec: Partial<V1PodSpec>, name = "shop") =>
  sandboxSpec(SETTINGS, aPod({ name, spec }), 2);

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
  assert.deepEqual(sandboxSpec(SETTINGS, pod, 0).portMappings, [
    { protocol: "TCP", containerPort: 80, hostPort: 8080, hostIp: "" },
    { protocol: "UDP", containerPort: 53, hostPort: 0, hostIp: "127.0.0.1" },
  ]);
});
