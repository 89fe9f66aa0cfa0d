/** Shared by the tests of this folder: a node whose pods go when told to. */
import { aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeLogind, FakeManager } from "../../tests/fakes/fake_logind.ts";
import type { PodUid } from "../api/id.ts";
import { createMeters } from "../api/meters.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { ShutdownLoop } from "./run.ts";
import type { ShutdownGroup, ShutdownOrders } from "./types.ts";

export const STATE = "/var/lib/kubelet/graceful_node_shutdown_state";
const GROUPS = [
  { priority: 0, seconds: 20 },
  { priority: 2_000_000_000, seconds: 10 },
];

/** A node whose pods go when the test says so. */
export class World {
  readonly clock = new FakeClock();
  readonly logind = new FakeLogind();
  readonly manager = new FakeManager();
  readonly files = new FakeFiles();
  readonly meters = createMeters(createMetrics());
  readonly gone = new Set<PodUid>();
  readonly events: string[] = [];
  readonly interrupted: PodUid[] = [];
  readonly statics = new Set<PodUid>();
  readonly orders: ReturnType<typeof cell<ShutdownOrders>>;
  readonly down: ReturnType<typeof cell<boolean>>;
  readonly stop = new AbortController();
  readonly loop: ShutdownLoop;
  pods: V1Pod[] = [];
  /** Resolves when every source has reported. */
  known = Promise.resolve();
  /** Resolves when the API server has heard all there is to say. */
  told = Promise.resolve();
  running: Promise<void> = Promise.resolve();

  constructor(groups: readonly ShutdownGroup[] = GROUPS) {
    this.files.put("/var/lib/kubelet/.keep", "");
    this.orders = cell<ShutdownOrders>(new Map());
    this.down = cell(false);
    this.loop = new ShutdownLoop({
      clock: this.clock,
      logind: this.logind,
      manager: this.manager,
      files: this.files,
      meters: this.meters,
      log: silentLogger,
      orders: this.orders[0],
      isShuttingDown: this.down[0],
      nodeRecorder: { record: ({ message }) => void this.events.push(message) },
      known: () => this.known,
      pods: () => this.pods,
      isCleanedUp: (uid) => this.gone.has(uid),
      isForgotten: () => false,
      isStatic: (uid) => this.statics.has(uid),
      interrupt: (uid) => void this.interrupted.push(uid),
      told: () => this.told,
    }, { groups, statePath: STATE, keepsTimes: true });
  }

  async start(): Promise<void> {
    this.running = this.loop.run(this.stop.signal);
    this.running.catch(() => undefined);
    await this.clock.advance(0);
  }

  has(name: string, priority: number, graceSeconds = 30): PodUid {
    const pod = aPod({
      name,
      uid: name,
      spec: { priority, terminationGracePeriodSeconds: graceSeconds },
    });
    this.pods.push(pod);
    return uidOf(pod);
  }

  async ends(uid: PodUid): Promise<void> {
    this.gone.add(uid);
    this.loop.seen(uid);
    await this.clock.advance(0);
  }

  ordered(): Record<string, number> {
    return Object.fromEntries(
      [...this.orders[1].get()].map(([uid, { graceSeconds }]) =>
        [uid, graceSeconds] as const
      ),
    );
  }

  get isDown(): boolean {
    return this.down[1].get();
  }

  async close(): Promise<void> {
    this.stop.abort(new DOMException("Over", "AbortError"));
    await this.running.catch(() => undefined);
  }
}
