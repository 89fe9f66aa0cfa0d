/** The surroundings of the eviction loop, for its tests. */
import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { containerId, podUid } from "../api/id.ts";
import { nameOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Figures, Sample } from "../stats/types.ts";
import { aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeKernel } from "../../tests/fakes/fake_kernel.ts";
import { A_FILESYSTEM, aUse, FakeUsage } from "../../tests/fakes/fake_usage.ts";
import { aThreshold, MI } from "./fixture_test.ts";
import { EvictionLoop, type EvictionSettings } from "./run.ts";
import type { EvictionOrders, PressureKind, Threshold } from "./types.ts";

export const CAPACITY = 8n * 1024n * MI;
export const HARD: Threshold = aThreshold({
  value: { kind: "quantity", quantity: 100n * MI * 10n ** 9n, form: "binary" },
});

/** A node with pods, whose memory and disks a test sets. */
export class World {
  readonly clock = new FakeClock();
  readonly usage = new FakeUsage();
  readonly kernel = new FakeKernel();
  readonly told: string[] = [];
  /** Working set of each pod. */
  readonly pods = new Map<string, bigint>();
  readonly specs = new Map<string, V1Pod>();
  readonly gone = new Set<string>();
  readonly #pressure = cell<readonly PressureKind[]>([]);
  readonly #unmeasured = cell<ReadonlyMap<PressureKind, string>>(new Map());
  readonly #orders = cell<EvictionOrders>(new Map());
  /** Of the node, besides the pods. */
  ownBytes = 0n;
  /** Nothing of the memory can be read. */
  isBlind = false;
  freedByImages = 0n;
  hostsBytes = 0n;
  readonly loop: EvictionLoop;
  readonly #stop = new AbortController();

  constructor(own: Partial<EvictionSettings> = {}) {
    this.loop = new EvictionLoop({
      clock: this.clock,
      kernel: this.kernel,
      log: silentLogger,
      usage: {
        cgroup: () =>
          Promise.resolve(this.isBlind ? undefined : this.#node().use),
        filesystem: (path) => this.usage.filesystem(path),
        processes: () => this.usage.processes(),
      },
      images: {
        usage: () => {
          const disk = {
            atMs: this.clock.nowMs(),
            mountpoint: "/images",
            usedBytes: 0n,
            inodesUsed: 0n,
          };
          return Promise.resolve({ images: [disk], containers: [disk] });
        },
      },
      stats: {
        figures: () => Promise.resolve(this.#figures()),
        disks: () => Promise.reject(new Error("Nobody asked for disks")),
      },
      pods: () => [...this.specs.values()],
      isCleanedUp: (uid) => this.gone.has(uid),
      isForgotten: (uid) => !this.specs.has(uid),
      orders: this.#orders[0],
      pressure: this.#pressure[0],
      unmeasured: this.#unmeasured[0],
      interrupt: (uid) => this.told.push(`interrupt ${uid}`),
      recorder: {
        record: (uid, { reason }) => this.told.push(`${reason} ${uid}`),
      },
      nodeRecorder: {
        record: ({ message }) => this.told.push(message),
      },
      counted: (signal, ageMs) =>
        this.told.push(`counted ${signal}, ${ageMs} ms old`),
      hostsBytes: () => Promise.resolve(this.hostsBytes),
      removeDeadContainers: () => {
        this.told.push("removed dead containers");
        return Promise.resolve();
      },
      removeUnusedImages: () => {
        this.told.push("removed unused images");
        this.disk(A_FILESYSTEM.availableBytes + this.freedByImages);
        return Promise.resolve();
      },
    }, {
      thresholds: [HARD],
      transitionMs: 5_000,
      maxGraceSeconds: 7,
      isStorageIsolated: false,
      rootDir: "/var/lib/kubelet",
      memoryBytes: CAPACITY,
      allPods: () => "",
      ...own,
    });
    this.disk(A_FILESYSTEM.availableBytes);
  }

  add(name: string, mi: bigint, spec: V1Pod = aPod({ name, uid: name })): void {
    this.pods.set(name, mi * MI);
    this.specs.set(name, spec);
  }

  end(name: string): void {
    this.gone.add(name);
    this.pods.delete(name);
    this.specs.delete(name);
    this.loop.seen(podUid(name));
  }

  disk(availableBytes: bigint): void {
    for (const path of ["/var/lib/kubelet", "/images"]) {
      this.usage.filesystems.set(path, { ...A_FILESYSTEM, availableBytes });
    }
  }

  get ordered(): string[] {
    return [...this.#orders[1].get()].map(([uid, { graceSeconds }]) =>
      `${uid} ${graceSeconds}s`
    );
  }

  get message(): string {
    return [...this.#orders[1].get().values()][0]?.message ?? "";
  }

  get pressure(): string {
    return this.#pressure[1].get().join();
  }

  get unmeasured(): readonly (readonly [string, string])[] {
    return [...this.#unmeasured[1].get()];
  }

  async living(work: () => Promise<void>): Promise<void> {
    const running = this.loop.run(this.#stop.signal);
    await this.clock.advance(0);
    await work();
    this.#stop.abort(new DOMException("The test is over", "AbortError"));
    await this.clock.advance(0);
    await running;
    assert.equal(this.clock.sleepers, 0);
  }

  #node(): Sample {
    const used = [...this.pods.values()].reduce((a, b) => a + b, this.ownBytes);
    return this.#sample("/", used);
  }

  #sample(cgroup: string, workingSetBytes: bigint): Sample {
    const use = aUse(this.clock.nowMs());
    assert.ok(use.memory);
    const memory = { ...use.memory, workingSetBytes };
    return { cgroup, use: { ...use, memory }, nanoCores: undefined };
  }

  #figures(): Figures {
    return {
      atMs: this.clock.nowMs(),
      node: this.#node(),
      nodeNetwork: [],
      nodeDisks: [],
      allPods: undefined,
      classes: [],
      pods: [...this.specs].map(([name, pod]) => ({
        pod: {
          uid: uidOf(pod),
          namespace: "default",
          name: nameOf(pod),
          cgroup: "",
          hasOwnCgroup: true,
          sandbox: undefined,
          sandboxStartedAtMs: undefined,
          isHostNetwork: false,
          startTime: undefined,
          containers: [],
          volumes: [],
        },
        whole: this.#sample(name, this.pods.get(name) ?? 0n),
        sandboxImage: "",
        sandbox: undefined,
        network: undefined,
        containers: [{
          ...this.#sample(name, this.pods.get(name) ?? 0n),
          container: {
            id: containerId(name),
            name: "web",
            image: "busybox",
            startedAtMs: 0,
            logDirectory: "",
          },
        }],
      })),
    };
  }
}
