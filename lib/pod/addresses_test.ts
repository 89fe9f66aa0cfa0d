import assert from "node:assert/strict";
import {
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  someFacts,
} from "../../tests/build.ts";
import type { PodStatusJson } from "../api/status.ts";
import { addresses, familySteps } from "./addresses.ts";
import { unseenStatus } from "./status.ts";

const BOTH = ["192.0.2.1", "2001:db8::1"];
const SIX_FIRST = ["2001:db8::1", "192.0.2.1"];

function shown(
  parts: FactParts,
  previous: Partial<PodStatusJson> = {},
): [string | undefined, ...string[]] {
  const facts = someFacts(parts);
  const pod = facts.pod ?? aPod();
  const made = addresses(facts, pod, { ...unseenStatus(pod), ...previous });
  assert.equal(made.podIP, made.podIPs?.[0]?.ip);
  assert.equal(made.hostIP, made.hostIPs?.[0]?.ip);
  return [made.hostIP, ...made.podIPs?.map(({ ip }) => ip) ?? []];
}

Deno.test("addresses() puts the node's own family first, one of each", () => {
  const ips = ["10.0.0.5", "fd00::5", "10.0.0.6"];
  const sandboxes = [aSandbox({ ips })];
  assert.deepEqual(shown({ sandboxes, hostIps: BOTH }), [
    "192.0.2.1",
    "10.0.0.5",
    "fd00::5",
  ]);
  assert.deepEqual(shown({ sandboxes, hostIps: SIX_FIRST }), [
    "2001:db8::1",
    "fd00::5",
    "10.0.0.5",
  ]);
  assert.deepEqual(shown({ sandboxes }), [undefined, "10.0.0.5", "fd00::5"]);
});

Deno.test("addresses() keeps those of a pod that has ended", () => {
  const podIPs = [{ ip: "10.0.0.5" }];
  const hostIPs = [{ ip: "192.0.2.1" }];
  const sandboxes = [aSandbox({ isReady: false, ips: [] })];
  assert.deepEqual(shown({ sandboxes }, { podIPs, hostIPs }), [
    "192.0.2.1",
    "10.0.0.5",
  ]);
  const containers = [anInstance()];
  assert.deepEqual(
    shown({ sandboxes, containers }, { podIPs }),
    [undefined],
    "what still runs has another address, or none",
  );
});

Deno.test("addresses() gives the node's to a pod on its network, once", () => {
  const pod = aPod({ spec: { hostNetwork: true } });
  const one = { pod, hostIps: BOTH.slice(0, 1) };
  assert.deepEqual(shown(one), ["192.0.2.1", "192.0.2.1"]);
  assert.deepEqual(shown({ pod, hostIps: BOTH }), ["192.0.2.1", ...BOTH]);
  const podIPs = [{ ip: "192.0.2.9" }];
  assert.deepEqual(shown({ pod, hostIps: BOTH }, { podIPs }), [
    "192.0.2.1",
    "192.0.2.9",
    "2001:db8::1",
  ]);
  assert.deepEqual(shown({ pod, hostIps: SIX_FIRST }, { podIPs }), [
    "2001:db8::1",
    "192.0.2.9",
  ]);
  assert.deepEqual(shown({ pod, hostIps: [] }, { podIPs }), [
    undefined,
    "192.0.2.9",
  ]);
  assert.deepEqual(shown({ pod, hostIps: [] }), [undefined]);
});

Deno.test("familySteps() tells when the node's address becomes another kind", () => {
  const [four, six] = ["192.0.2.1", "2001:db8::1"];
  assert.deepEqual(familySteps(undefined, { hostIP: four }), []);
  assert.deepEqual(familySteps({ hostIP: "192.0.2.9" }, { hostIP: four }), []);
  assert.deepEqual(familySteps({ hostIP: four }, {}), []);
  assert.deepEqual(familySteps({ hostIP: four }, { hostIP: six }), [{
    type: "Warning",
    reason: "HostIPsIPFamilyMismatch",
    message: "Kubelet detected an IPv4 node IP (192.0.2.1), but the cloud " +
      "provider selected an IPv6 node IP (2001:db8::1); pass an explicit " +
      "`--node-ip` to kubelet to fix this.",
  }]);
});
