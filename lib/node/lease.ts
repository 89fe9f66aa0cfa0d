/**
 * Keeps the node's Lease fresh: the sign of life by which the cluster judges a
 * node. A loop of its own that needs nothing but the API server, so that it
 * goes on whatever else is stuck.
 * Compat: component-helpers 0.36 lease controller, SetNodeOwnerFunc.
 */
import { type Reader, until } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import { objectIn } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { within } from "../base/wait.ts";
import type { ApiObject, ClusterNode } from "../port/cluster.ts";
import { listIn } from "./parse.ts";
import type { KnownNode, NodeSettings } from "./types.ts";

const NAMESPACE = "kube-node-lease";
const RENEW_SHARE = 0.25;
const JITTER = 0.04;
const MOST_TRIES = 5;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 7_000;

export interface LeaseFacts {
  readonly nodeName: string;
  /** Undefined when the lease cannot get its owner yet. */
  readonly nodeUid: string | undefined;
  readonly durationSeconds: number;
  readonly nowMs: number;
}

/** The lease to write: a new one, or `base` renewed. */
export function nextLease(
  base: ApiObject | undefined,
  { nodeName, nodeUid, durationSeconds, nowMs }: LeaseFacts,
): ApiObject {
  const metadata = objectIn(base ?? {}, "metadata");
  const isOwned = listIn(metadata, "ownerReferences").length > 0;
  const owner = isOwned || nodeUid === undefined ? {} : {
    ownerReferences: [
      { apiVersion: "v1", kind: "Node", name: nodeName, uid: nodeUid },
    ],
  };
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    ...base,
    metadata: { name: nodeName, namespace: NAMESPACE, ...metadata, ...owner },
    spec: {
      holderIdentity: nodeName,
      ...objectIn(base ?? {}, "spec"),
      leaseDurationSeconds: durationSeconds,
      renewTime: microText(nowMs),
    },
  };
}

/** When to renew next. `fraction` is uniform in [0, 1). */
export function renewAfterMs(
  durationSeconds: number,
  fraction: number,
): number {
  return durationSeconds * 1000 * RENEW_SHARE * (1 + JITTER * fraction);
}

/** Compat: metav1.MicroTime has six digits. */
function microText(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

interface LeasePorts {
  readonly nodes: Pick<ClusterNode, "getLease" | "createLease" | "updateLease">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly node: Reader<KnownNode | undefined>;
  /** Drops every connection to the API server: one may be half open. */
  readonly reconnect: () => void;
}

type LeaseSettings = Pick<
  NodeSettings,
  "nodeName" | "leaseDurationSeconds" | "heartbeatMs"
>;

export class LeaseLoop {
  readonly #ports: LeasePorts;
  readonly #settings: LeaseSettings;
  /** As the server returned it; undefined: ask. */
  #latest: ApiObject | undefined;
  #isFailing = false;

  constructor(ports: LeasePorts, settings: LeaseSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, node } = this.#ports;
    // A lease without owner would outlive its node.
    await until(node, (known) => known !== undefined, signal);
    for (;;) {
      await this.#renew(signal);
      const { leaseDurationSeconds } = this.#settings;
      const waitMs = renewAfterMs(leaseDurationSeconds, random.fraction());
      await clock.sleep(waitMs, signal);
    }
  }

  /** Goes on until the lease is fresh: to pause here is to seem dead. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, log, reconnect } = this.#ports;
    const limit = { clock, ms: this.#settings.heartbeatMs, signal };
    let retryMs = FIRST_RETRY_MS;
    for (let attempt = 1;; attempt++) {
      try {
        await within(limit, (each) => this.#renewOnce(each));
        if (this.#isFailing) log.info("The lease is renewed again");
        this.#isFailing = false;
        return;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#latest = undefined;
        if (attempt > 1) reconnect();
        if (!this.#isFailing) {
          log.warn("Cannot renew the lease", { error: chainOf(error) });
        }
        this.#isFailing = true;
      }
      // The first tries are quick, for a conflict with another writer.
      await clock.sleep(retryMs, signal);
      if (attempt >= MOST_TRIES) {
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    const { nodes } = this.#ports;
    const { nodeName } = this.#settings;
    const base = this.#latest ?? await nodes.getLease(nodeName, signal);
    this.#latest = base === undefined
      ? await this.#create(signal)
      : await nodes.updateLease(nextLease(base, this.#facts()), signal);
  }

  async #create(signal: AbortSignal): Promise<ApiObject | undefined> {
    const { nodes, node } = this.#ports;
    // The node is gone: its lease may go, too.
    if (node.get() === undefined) return undefined;
    return await nodes.createLease(nextLease(undefined, this.#facts()), signal);
  }

  #facts(): LeaseFacts {
    return {
      nodeName: this.#settings.nodeName,
      nodeUid: this.#ports.node.get()?.uid,
      durationSeconds: this.#settings.leaseDurationSeconds,
      nowMs: this.#ports.clock.nowMs(),
    };
  }
}
