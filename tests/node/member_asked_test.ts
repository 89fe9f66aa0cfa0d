/**
 * Probes that ask real servers on the node's own network: gRPC services whose
 * health changes, and web servers that send whoever asks elsewhere.
 */
import assert from "node:assert/strict";
import type { V1Probe } from "../../lib/api/types.ts";
import { type PodServer, servePod } from "../contract/pod_server.ts";
import { until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  eventsOf,
  isReady,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

/** On the node's network, so that its address is the node's. */
async function asks(name: string, readinessProbe: V1Probe): Promise<void> {
  await apply(aPod(name, {
    hostNetwork: true,
    containers: [
      aContainer(undefined, {
        readinessProbe: { ...readinessProbe, periodSeconds: 1 },
      }),
    ],
  }));
}

async function serving(
  servers: readonly Promise<PodServer>[],
  work: (...ports: number[]) => Promise<void>,
): Promise<void> {
  const all = await Promise.all(servers);
  try {
    await work(...all.map(({ port }) => port));
  } finally {
    await Promise.all(all.map((each) => each.close()));
  }
}

memberTest("readiness follows what a gRPC server says", async () => {
  const services = new Map([["", "SERVING"], ["part", "NOT_SERVING"]]);
  const server = servePod({ kind: "grpc", services }, cluster.nodeIp);
  await serving([server], async (port = 0) => {
    await asks("whole", { grpc: { port } });
    await asks("part", { grpc: { port, service: "part" } });
    await asks("none", { grpc: { port, service: "none" } });
    await ready("app=whole", 1, 15_000);
    await until(
      "the others to be told",
      async () =>
        (await eventsOf("part")).includes(
          "Readiness probe failed: service unhealthy (responded with " +
            '"NOT_SERVING")',
        ) && (await eventsOf("none")).includes("Readiness probe failed:"),
    );
    services.set("part", "SERVING");
    services.set("", "NOT_SERVING");
    await ready("app=part", 1, 15_000);
    await until("the whole to be unready", async () => {
      const found = await pod("whole");
      return found !== undefined && !isReady(found);
    }, 15_000);
    const none = await pod("none");
    assert.ok(none !== undefined && !isReady(none));
  });
});

memberTest("a web server that sends on is followed home only", async () => {
  const away = servePod({
    kind: "http",
    status: 302,
    location: "http://192.0.2.1/",
    body: "gone away",
  }, cluster.nodeIp);
  const round = servePod({
    kind: "http",
    status: 302,
    location: "/again",
  }, cluster.nodeIp);
  await serving([away, round], async (awayPort = 0, roundPort = 0) => {
    await asks("away", { httpGet: { path: "/", port: awayPort } });
    await asks("round", { httpGet: { path: "/", port: roundPort } });
    await ready("app=away", 1, 15_000);
    assert.match(
      await eventsOf("away"),
      /^ProbeWarning spec\.containers\{app\} Readiness probe warning: Probe terminated redirects, Response body: gone away$/m,
    );
    await until(
      "it to be told",
      async () =>
        /^Unhealthy .* Readiness probe failed: Get "http:.*": stopped after 10 redirects$/m
          .test(await eventsOf("round")),
    );
  });
});
