import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { containerHash } from "../api/hash.ts";
import {
  containerAnnotations,
  containerLabels,
  podLabels,
  remembered,
  rememberedRank,
} from "./labels.ts";

const START = { attempt: 3, crashDelayMs: 40_000 };

Deno.test("containerAnnotations() are the kubelet's, and two of ours", () => {
  const container = aContainer({
    ports: [{ containerPort: 80 }],
    lifecycle: { preStop: { sleep: { seconds: 1 } } },
  });
  const made = containerAnnotations(aPod(), container, START);
  assert.deepEqual(Object.fromEntries(made), {
    "io.kubernetes.container.hash": containerHash("web", "busybox:1"),
    "io.kubernetes.container.restartCount": "3",
    "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
    "io.kubernetes.container.terminationMessagePolicy": "File",
    "io.kubernetes.container.preStopHandler": '{"sleep":{"seconds":1}}',
    "io.kubernetes.container.ports": '[{"containerPort":80}]',
    "io.kubernetes.pod.terminationGracePeriod": "30",
    "io.denolet.container.crashDelayMs": "40000",
    "io.denolet.container.resources": "[[],[]]",
    "io.denolet.container.stopRank": "0",
  });
});

Deno.test("remembered() reads back what was written", () => {
  const preStop = { exec: { command: ["drain"] } };
  const ports = [{ name: "web", containerPort: 80 }];
  const container = aContainer({ ports, lifecycle: { preStop } });
  const made = containerAnnotations(aPod(), container, START);
  assert.equal(rememberedRank(made), 0);
  assert.deepEqual(remembered(made), {
    hash: containerHash("web", "busybox:1"),
    restartCount: 3,
    crashDelayMs: 40_000,
    resources: "[[],[]]",
    graceSeconds: 30,
    preStop,
    ports,
    messagePath: "/dev/termination-log",
    messagePolicy: "File",
  });
});

Deno.test("remembered() bears what others wrote, or did not", () => {
  assert.equal(rememberedRank(new Map()), undefined);
  assert.deepEqual(remembered(new Map()), {
    hash: "",
    restartCount: 0,
    crashDelayMs: undefined,
    resources: undefined,
    graceSeconds: undefined,
    preStop: undefined,
    ports: [],
    messagePath: "",
    messagePolicy: "",
  });
  const broken = remembered(
    new Map([
      ["io.kubernetes.container.preStopHandler", "{"],
      ["io.kubernetes.container.ports", "7"],
    ]),
  );
  assert.deepEqual([broken.preStop, broken.ports], [undefined, []]);
  const odd = (text: string) =>
    remembered(new Map([["io.kubernetes.container.restartCount", text]]))
      .restartCount;
  assert.deepEqual(["-1", "x", "", "1.5", "9".repeat(30)].map(odd), [
    0,
    0,
    0,
    0,
    Number.MAX_SAFE_INTEGER,
  ]);
});

Deno.test("podLabels() cannot be overruled by the pod's author", () => {
  const pod = aPod({
    labels: { app: "shop", "io.kubernetes.pod.name": "other" },
  });
  assert.deepEqual(Object.fromEntries(podLabels(pod)), {
    app: "shop",
    "io.kubernetes.pod.name": "shop",
    "io.kubernetes.pod.namespace": "prod",
    "io.kubernetes.pod.uid": "11111111-2222-3333-4444-555555555555",
  });
  assert.equal(
    containerLabels(pod, aContainer()).get("io.kubernetes.container.name"),
    "web",
  );
});
