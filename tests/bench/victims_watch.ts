/** Sees who goes, in which order, and what the node says meanwhile. */
import type { ClusterFacts } from "../../deploy/cluster/facts.ts";
import { get } from "../../deploy/cluster/request.ts";
import type { V1Pod } from "../../lib/api/types.ts";

const LOOK_MS = 200;

export interface Victim {
  readonly name: string;
  readonly reason: string;
  /** Amounts are left out: they differ from run to run. */
  readonly message: string;
  readonly isDisrupted: boolean;
  readonly atMs: number;
}

export interface Seen {
  /** In the order in which they failed. */
  readonly victims: readonly Victim[];
  /** `MemoryPressure=True KubeletHasInsufficientMemory`, sorted. */
  readonly conditions: readonly string[];
}

interface Node {
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
    }[];
  };
}

export class Watch {
  readonly #cluster: ClusterFacts;
  readonly #nodeName: string;
  readonly #victims = new Map<string, Victim>();
  readonly #conditions = new Set<string>();

  constructor(cluster: ClusterFacts, nodeName: string) {
    this.#cluster = cluster;
    this.#nodeName = nodeName;
  }

  get seen(): Seen {
    return {
      victims: [...this.#victims.values()],
      conditions: [...this.#conditions].sort(),
    };
  }

  /** Until so many have gone and no pressure is told any more, or so long. */
  async until(count: number, timeoutMs: number): Promise<void> {
    const startMs = performance.now();
    for (;;) {
      await this.#look(performance.now() - startMs);
      const isCalm = !this.#isShort && this.#victims.size >= count;
      if (isCalm) return;
      if (performance.now() - startMs > timeoutMs) return await this.#tell();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Why it was waited so long. */
  async #tell(): Promise<void> {
    const pods = await victimPods(this.#cluster);
    const told = pods.map(({ metadata, status }) =>
      `${metadata?.name}=${status?.phase} ${status?.reason ?? ""}`
    );
    console.log(`  ${this.#nodeName} was not calm in time: ${told.join(", ")}`);
  }

  #isShort = false;

  async #look(atMs: number): Promise<void> {
    for (const { metadata, status } of await victimPods(this.#cluster)) {
      const name = metadata?.name ?? "";
      const isOver = status?.phase === "Failed" ||
        status?.phase === "Succeeded";
      if (!isOver || this.#victims.has(name)) continue;
      this.#victims.set(name, {
        name,
        reason: status.reason ?? "",
        message: withoutAmounts(status.message ?? ""),
        isDisrupted: status.conditions?.some(({ type }) =>
          type === "DisruptionTarget"
        ) ?? false,
        atMs,
      });
    }
    const { status } = await get<Node>(
      this.#cluster,
      `/api/v1/nodes/${this.#nodeName}`,
    );
    const conditions = status.conditions ?? [];
    for (const { type, status, reason } of conditions) {
      this.#conditions.add(`${type}=${status} ${reason}`);
    }
    this.#isShort = conditions.some(({ type, status }) =>
      type.endsWith("Pressure") && status === "True"
    );
  }
}

export async function victimPods(
  cluster: ClusterFacts,
): Promise<readonly V1Pod[]> {
  const { items } = await get<{ items: readonly V1Pod[] }>(
    cluster,
    "/api/v1/namespaces/default/pods?labelSelector=app%3Dvictim",
  );
  return items;
}

/** Limits are the pods' own and stay. */
function withoutAmounts(message: string): string {
  return message.replaceAll(
    /(available: |was using |quantity: )\d+[KMGi]*/g,
    "$1N",
  );
}
