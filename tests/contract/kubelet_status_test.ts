/**
 * What kubelet 1.36.3 wrote of pods on containerd, from what the runtime said
 * at the same moment: the projection says the same. Taken from a scratch
 * cluster; only history knows the times of conditions and past addresses.
 */
import assert from "node:assert/strict";
import { containerId, sandboxId } from "../../lib/api/id.ts";
import type { PodStatusJson } from "../../lib/api/status.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { Blocker } from "../../lib/pod/action.ts";
import { podStatus } from "../../lib/pod/status.ts";
import { statusChange } from "../../lib/pod/status_change.ts";
import { anInstance, aSandbox, NOW_MS, someFacts } from "../build.ts";
import facts from "./kubelet_status.json" with { type: "json" };

const HOST_IP = "10.229.119.1";

interface Taken {
  readonly pod: V1Pod;
  readonly status: PodStatusJson;
  readonly sandboxes: readonly SandboxTaken[];
  readonly containers: readonly ContainerTaken[];
}

type SandboxTaken =
  & Omit<
    Parameters<typeof aSandbox>[0] & object,
    "id" | "pod"
  >
  & { readonly id: string };

type ContainerTaken =
  & Omit<Parameters<typeof anInstance>[0] & object, "user" | "resources">
  & {
    readonly id: string;
    readonly sandboxId: string;
    readonly restartCount: string;
    readonly user?: readonly [string, string, readonly string[]];
    readonly resources?: Readonly<
      Record<
        "cpuPeriodUs" | "cpuQuotaUs" | "cpuShares" | "memoryLimitBytes",
        string
      >
    >;
  };

for (const taken of JSON.parse(JSON.stringify(facts)) as Taken[]) {
  const { pod, status } = taken;
  Deno.test(`podStatus() of ${pod.metadata?.name} is the kubelet's`, () => {
    const { conditions, startTime, podIP, podIPs } = status;
    const previous: PodStatusJson = {
      phase: "Pending",
      qosClass: "",
      conditions,
      ...startTime === undefined ? {} : { startTime },
      ...podIP === undefined ? {} : { podIP },
      ...podIPs === undefined ? {} : { podIPs },
      containerStatuses: [],
    };
    const made = podStatus(placeOf(taken), previous, NOW_MS);
    assert.deepEqual(statusChange(status, made), undefined);
  });
}

function placeOf({ pod, status, sandboxes, containers }: Taken) {
  const isOver = status.phase === "Succeeded" || status.phase === "Failed";
  const known = someFacts({
    pod,
    hostIps: [HOST_IP],
    sandboxes: sandboxes.map((each) => aSandbox({ ...each, pod })),
    containers: containers.map((each) => instance(pod, each)),
  });
  const waiting = new Map<string, Blocker>(
    status.containerStatuses.flatMap(({ name, state }) => {
      const { reason: what = "", message = "" } = state.waiting ?? {};
      return what === "" ? [] : [[name, { what, message }]];
    }),
  );
  const next = isOver
    ? { kind: "done" } as const
    : { kind: "running", sandboxId: sandboxId("s0") } as const;
  const plan = { next, actions: [], blockers: [], waiting };
  return { facts: known, plan, pod };
}

function instance(pod: V1Pod, taken: ContainerTaken) {
  const { restartCount, user, resources, ...own } = taken;
  const made = anInstance({ ...own, pod, attempt: Number(restartCount) });
  return {
    ...made,
    id: containerId(taken.id),
    ...user === undefined ? {} : {
      user: {
        uid: BigInt(user[0]),
        gid: BigInt(user[1]),
        supplementalGroups: user[2].map(BigInt),
      },
    },
    ...resources === undefined ? {} : {
      resources: {
        cpuPeriodUs: BigInt(resources.cpuPeriodUs),
        cpuQuotaUs: BigInt(resources.cpuQuotaUs),
        cpuShares: BigInt(resources.cpuShares),
        memoryLimitBytes: BigInt(resources.memoryLimitBytes),
        oomScoreAdj: 0n,
        cpusetCpus: "",
        cpusetMems: "",
        hugepageLimits: [],
        unified: new Map(),
        memorySwapLimitBytes: 0n,
      },
    },
  };
}
