/** What the tests of figures share: one pod on a small machine. */
import { containerId, podUid, sandboxId } from "../api/id.ts";
import { aUse } from "../../tests/fakes/fake_usage.ts";
import type { CgroupUse } from "../port/usage.ts";
import type {
  DiskFigures,
  Figures,
  MeasuredPod,
  PodFigures,
  Sample,
} from "./types.ts";

export const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

export const APP = {
  id: containerId("c1"),
  name: "app",
  image: "docker.io/library/web:1",
  startedAtMs: AT_MS - 60_500,
  logDirectory: "/var/log/pods/default_web_u1/app",
};

export function aMeasuredPod(own: Partial<MeasuredPod> = {}): MeasuredPod {
  return {
    uid: podUid("u1"),
    namespace: "default",
    name: "web",
    cgroup: "/kubepods/podu1",
    hasOwnCgroup: true,
    sandbox: sandboxId("s1"),
    sandboxStartedAtMs: AT_MS - 65_000,
    isHostNetwork: false,
    startTime: "2026-01-02T03:03:00Z",
    containers: [APP],
    volumes: [],
    ...own,
  };
}

export function aSample(
  cgroup: string,
  own: { readonly cpuNs?: bigint } & Partial<CgroupUse> = {},
): Sample {
  return { cgroup, use: aUse(AT_MS, own), nanoCores: 1_000_000n };
}

export function aPodsFigures(own: Partial<PodFigures> = {}): PodFigures {
  const pod = own.pod ?? aMeasuredPod();
  return {
    pod,
    whole: aSample(pod.cgroup),
    sandbox: aSample(`${pod.cgroup}/s1`),
    sandboxImage: "registry.k8s.io/pause:3.10",
    network: [{
      name: "eth0",
      receivedBytes: 10n,
      receivedPackets: 1n,
      receivedErrors: 0n,
      receivedDropped: 0n,
      sentBytes: 20n,
      sentPackets: 2n,
      sentErrors: 0n,
      sentDropped: 0n,
    }],
    containers: [{ ...aSample(`${pod.cgroup}/c1`), container: APP }],
    ...own,
  };
}

export function someFigures(own: Partial<Figures> = {}): Figures {
  return {
    atMs: AT_MS,
    node: aSample("/", { cpuNs: 9_007_199_254_740_993_000n }),
    nodeNetwork: [],
    nodeDisks: [],
    allPods: aSample("/kubepods"),
    classes: [],
    pods: [aPodsFigures()],
    ...own,
  };
}

export const DISK = {
  capacityBytes: 1000n,
  availableBytes: 600n,
  usedBytes: 300n,
  inodes: 100n,
  inodesFree: 90n,
  device: 1n,
};

export function someDisks(own: Partial<DiskFigures> = {}): DiskFigures {
  return {
    atMs: AT_MS,
    root: DISK,
    image: undefined,
    containers: undefined,
    layers: new Map(),
    logs: new Map(),
    volumes: new Map(),
    processes: { count: 10n, limit: 1000n },
    ...own,
  };
}
