import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1Container, V1ContainerPort } from "../api/types.ts";
import { isPortTaken } from "./host_ports.ts";

const on = (port: Partial<V1ContainerPort> = {}) =>
  aContainer({ ports: [{ containerPort: 80, hostPort: 80, ...port }] });

Deno.test("isPortTaken() compares port, protocol and address", () => {
  const table: [V1Container, V1Container, boolean][] = [
    [on(), on(), true],
    [on(), on({ hostPort: 81 }), false],
    [on({ hostPort: 0 }), on({ hostPort: 0 }), false],
    [on({ protocol: "UDP" }), on({ protocol: "TCP" }), false],
    [on({ protocol: "TCP" }), on(), true],
    [on({ hostIP: "192.0.2.1" }), on({ hostIP: "192.0.2.1" }), true],
    [on({ hostIP: "192.0.2.1" }), on({ hostIP: "192.0.2.2" }), false],
    [on({ hostIP: "192.0.2.1" }), on({ hostIP: "0.0.0.0" }), true],
    [on({ hostIP: "192.0.2.1" }), on({ hostIP: "" }), true],
    [on(), on({ hostIP: "192.0.2.1" }), true],
    [on({ hostIP: "::" }), on({ hostIP: "192.0.2.1" }), false],
    [aContainer(), on(), false],
    [on(), aContainer(), false],
  ];
  for (const [wanted, taken, expected] of table) {
    const pod = aPod({ containers: [wanted] });
    const found = isPortTaken(pod, [aPod(), aPod({ containers: [taken] })]);
    assert.equal(found, expected, JSON.stringify([wanted, taken]));
  }
  const twice = aPod({ containers: [on(), on()] });
  assert.equal(isPortTaken(twice, []), false, "not against itself");
});

Deno.test("isPortTaken() counts sidecars, but no other init containers", () => {
  const started = (container: V1Container) =>
    aPod({ spec: { initContainers: [container] } });
  const sidecar: V1Container = { ...on(), restartPolicy: "Always" };
  const pod = aPod({ containers: [on()] });
  assert.equal(isPortTaken(pod, [started(sidecar)]), true);
  assert.equal(isPortTaken(started(sidecar), [pod]), true);
  assert.equal(isPortTaken(pod, [started(on())]), false);
  assert.equal(isPortTaken(started(on()), [pod]), false);
});
