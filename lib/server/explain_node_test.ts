import assert from "node:assert/strict";
import type { RuntimeHealth } from "../pod/facts.ts";
import { explainNode } from "./explain_node.ts";
import {
  aCrashLoop,
  anAgent,
  aView,
  MINUTE,
  NOW,
  SECOND,
} from "./fixture_test.ts";

const BROKEN: RuntimeHealth = {
  isReady: false,
  isNetworkReady: false,
  message: "dial unix /run/containerd.sock: connection refused",
  name: "containerd",
  cgroupDriver: "systemd",
  handlers: [],
};
const PROBLEM = {
  severity: "error",
  location: "/etc/kubernetes/manifests/web.yaml",
  line: 3,
  column: 7,
  field: "spec.containers[0].name",
  message: "Missing name",
  sinceMs: NOW - MINUTE,
} as const;

Deno.test("explainNode() says first what is worst", () => {
  const first = (...args: Parameters<typeof anAgent>) =>
    explainNode(anAgent(...args), NOW).headline;
  assert.equal(first([]), "All is well: there are no pods");
  assert.equal(first([aView()]), "All is well: no pod waits (1 here)");
  assert.equal(first([aView(), aCrashLoop()]), "1 of 2 pods waits");
  assert.match(
    first([aCrashLoop()], { problems: () => [PROBLEM] }),
    /^1 problem in manifests/,
  );
  assert.equal(
    first([], { runtime: () => BROKEN, problems: () => [PROBLEM] }),
    "containerd is not ready: dial unix /run/containerd.sock: " +
      "connection refused",
  );
  const untimed = { lastAtMs: undefined, nextAtMs: undefined };
  const problem = "CertificateExpired: the certificate ended";
  const loop = { name: "client certificate", detail: "is late", problem };
  const view = { loops: () => [{ ...loop, ...untimed }] };
  assert.equal(
    first([aCrashLoop()], { ...view, problems: () => [PROBLEM] }),
    `Not well as a node of its cluster: ${problem}`,
  );
  assert.match(
    explainNode(anAgent([], view), NOW).text,
    /client certificate: is late: CertificateExpired: the certificate ended\n/,
  );
  const noNetwork = { ...BROKEN, isReady: true, message: "no CNI config" };
  assert.equal(
    first([], { runtime: () => noNetwork }),
    "containerd has no network ready: no CNI config",
  );
});

Deno.test("explainNode() lists problems, pods that wait and loops", () => {
  const { text } = explainNode(
    anAgent([aCrashLoop(), aView()], {
      problems: () => [PROBLEM],
      loops: () => [{
        name: "relist",
        detail: "compares with the runtime",
        lastAtMs: NOW - 4 * SECOND,
        nextAtMs: NOW + 6 * SECOND,
      }],
    }),
    NOW,
  );
  assert.equal(
    text,
    `
1 problem in manifests: the pods in them are not as written
Node n1, agent v1.36.3+denolet.0.1.0

Manifest problems:
  /etc/kubernetes/manifests/web.yaml:3:7: Missing name (error, since 10:01:21Z)

Pods that wait:
  default/web: Waiting to restart container app: next restart in 12s, at 10:02:33Z (5th); it ended with exit code 1 (Error) 8s ago, at 10:02:13Z

Loops:
  relist: compares with the runtime (last 4s ago, next in 6s, at 10:02:27Z)
`.slice(1),
  );
});
