/** The contract of clusters: on the fake always, on a real one when named. */
import { systemClock } from "../../lib/base/clock.ts";
import { makeRequest } from "../../deploy/cluster/certificates.ts";
import { FakeCluster } from "../fakes/fake_cluster.ts";
import { FakeAuthority } from "../fakes/fake_cluster_authority.ts";
import type { ClusterHarness } from "./cluster_case.ts";
import { clusterContract } from "./cluster_contract.ts";
import { KUBECONFIG, openReal } from "./cluster_real.ts";

const ignore = KUBECONFIG === "";

if (ignore) {
  console.warn(
    "SKIPPED: the contract of clusters is not tried on a real API server, " +
      "because DENOLET_TEST_KUBECONFIG is not set",
  );
}

clusterContract("a fake", openFake, { ignore: false });
clusterContract("a real API server", openReal, { ignore });

async function openFake(): Promise<ClusterHarness> {
  const authority = await FakeAuthority.create();
  const notBeforeMs = Date.now();
  const life = { notBeforeMs, notAfterMs: notBeforeMs + 3_600_000 };
  const cluster = new FakeCluster((request) => authority.sign(request, life));
  cluster.serverMs = systemClock.nowMs();
  return {
    cluster,
    request: async (nodeName) => {
      const commonName = `system:node:${nodeName}`;
      const organization = "system:nodes";
      return (await makeRequest({ commonName, organization })).request;
    },
    approve: (name) => cluster.approve(name),
    deny: (name) => Promise.try(() => cluster.deny(name)),
    removeRequest: (name) => Promise.try(() => cluster.requests.take(name)),
    removeNode: (name) => Promise.try(() => cluster.nodeObjects.take(name)),
    deletePod: (pod, seconds) =>
      Promise.try(() => cluster.deletePod(pod, seconds, systemClock.nowMs())),
    condition: async (pod, type) => {
      const own = { type, status: "True", lastTransitionTime: "" } as const;
      const signal = AbortSignal.timeout(1000);
      await cluster.pods.patchStatus(pod, { conditions: [own] }, signal);
    },
    place: (kind, name, content) =>
      Promise.try(() =>
        cluster.objects.put(kind, { namespace: "default", name }, content)
      ),
    change: (kind, name, content) =>
      Promise.try(() =>
        cluster.objects.put(kind, { namespace: "default", name }, content)
      ),
    take: (kind, name) =>
      Promise.try(() =>
        cluster.objects.take(kind, { namespace: "default", name })
      ),
    runtimeClass: (name, handler) =>
      Promise.try(() => {
        const { classObjects } = cluster;
        if (handler === undefined) classObjects.take(name);
        else classObjects.put(name, { metadata: { name }, handler });
      }),
    close: () => Promise.resolve(),
  };
}
