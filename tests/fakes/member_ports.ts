/** What a node of a fake cluster needs from the outside. */
import type { ClusterPorts } from "../../lib/agent_cluster.ts";
import { FakeMachine } from "../../lib/node/fixture_test.ts";
import type { Cluster } from "../../lib/port/cluster.ts";
import { FakeFiles } from "./fake_host.ts";

/** A kubeconfig that works and needs no certificate. */
const FACTS = {
  server: "https://192.0.2.1:6443",
  ca: undefined,
  tlsServerName: undefined,
  proxyUrl: undefined,
  isInsecure: true,
  clientPair: undefined,
} as const;

export function memberPorts(cluster: Cluster): ClusterPorts {
  return {
    kubeconfigs: {
      read: () => Promise.resolve(FACTS),
      open: () => cluster,
    },
    keys: { create: () => Promise.reject(new Error("No key is needed")) },
    certificateFiles: new FakeFiles("follow"),
    machine: new FakeMachine(),
    random: { fraction: () => 0, hex: (length) => "1".repeat(length) },
  };
}
