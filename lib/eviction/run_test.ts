import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { containerId, podUid } from "../api/id.ts";
import { nameOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Figures, Sample } from "../stats/types.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { A_FILESYSTEM, aUse, FakeUsage } from "../../tests/fakes/fake_usage.ts";
import { aThreshold, MI } from "./fixture_test.ts";
import { EvictionLoop, type EvictionSettings } from "./run.ts";
import type { EvictionOrders, PressureKind, Threshold } from "./types.ts";

const CAPACITY = 8n * 1024n * MI;
const HARD: Threshold = aThreshold({
  value: { kind: "quantity", quantity: 100n * MI * 10n ** 9n, form: "binary" },
});

/** A node with pods, whose memory and disks a test sets. */
class World {
  readonly clock = new FakeClock();
  readonly usage = new FakeUsage();
  readonly told: string[] = [];
  /** Working set of each pod. */
  readonly pods = new Map<string, bigint>();
  readonly specs = new Map<string, V1Pod>();
  readonly gone = new Set<string>();
  readonly #pressure = cell<readonly PressureKind[]>([]);
  readonly #orders = cell<EvictionOrders>(new Map());
  /** Of the node, besides the pods. */
  ownBytes = 0n;
  freedByImages = 0n;
  hostsBytes = 0n;
  readonly loop: EvictionLoop;
  readonly #stop = new AbortController();

  constructor(own: Partial<EvictionSettings> = {}) {
    this.loop = new EvictionLoop({
      clock: this.clock,
      log: silentLogger,
      usage: {
        cgroup: () => Promise.resolve(this.#node().use),
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

Deno.test("run() evicts the pod that uses most, one at a time", async () => {
  const world = new World({ transitionMs: 60_000 });
  world.add("small", 50n);
  world.add("hog", 100n);
  await world.living(async () => {
    assert.deepEqual(world.ordered, []);
    world.pods.set("hog", CAPACITY - 100n * MI);
    await world.clock.advance(10_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
    assert.equal(world.pressure, "MemoryPressure");
    assert.equal(
      world.message,
      "The node was low on resource: memory. " +
        "Threshold quantity: 100Mi, available: 50Mi. " +
        "Container web was using 8092Mi, request is 0, has larger " +
        "consumption of memory. ",
    );
    assert.deepEqual(world.told, [
      "Attempting to reclaim memory",
      "Evicted hog",
      "counted memory.available, 0 ms old",
      "interrupt hog",
    ]);
    // It is waited for; nobody else goes meanwhile.
    await world.clock.advance(27_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
    world.end("hog");
    await world.clock.advance(1_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "MemoryPressure");
    await world.clock.advance(60_000);
    assert.equal(world.pressure, "");
    assert.equal(world.told.length, 4);
  });
});

Deno.test("run() takes the next when the first does not go", async () => {
  const world = new World();
  world.add("stuck", CAPACITY / MI - 60n);
  world.add("next", 50n);
  await world.living(async () => {
    assert.deepEqual(world.ordered, ["stuck 1s"]);
    await world.clock.advance(30_000);
    assert.deepEqual(world.ordered, ["stuck 1s", "next 1s"]);
  });
});

Deno.test("run() sees within a second that memory became short", async () => {
  const world = new World();
  world.add("hog", 100n);
  world.ownBytes = CAPACITY - 500n * MI;
  await world.living(async () => {
    await world.clock.advance(3_300);
    assert.deepEqual(world.ordered, []);
    world.pods.set("hog", 450n * MI);
    await world.clock.advance(1_000);
    assert.deepEqual(world.ordered, ["hog 1s"]);
  });
});

Deno.test("run() looks seldom while there is plenty", async () => {
  let looks = 0;
  const world = new World({
    allPods: () => {
      looks++;
      return "";
    },
  });
  await world.living(async () => {
    looks = 0;
    await world.clock.advance(60_000);
    // 8 GiB cannot be full in less than eight seconds.
    assert.ok(looks <= 20, `${looks} looks in a minute`);
  });
});

Deno.test("run() gives soft evictions the shorter grace", async () => {
  const soft = { ...HARD, graceMs: 12_000 };
  const world = new World({ thresholds: [soft] });
  world.add("hog", CAPACITY / MI);
  await world.living(async () => {
    assert.equal(world.pressure, "MemoryPressure");
    await world.clock.advance(11_999);
    assert.deepEqual(world.ordered, []);
    await world.clock.advance(1);
    assert.deepEqual(world.ordered, ["hog 7s"]);
  });
});

Deno.test("run() frees the disk of images before a pod has to go", async () => {
  const disk = aThreshold({
    signal: "nodefs.available",
    value: { kind: "share", percent: 70 },
  });
  const world = new World({ thresholds: [disk] });
  world.freedByImages = 200_000n;
  world.add("web", 1n);
  await world.living(async () => {
    await world.clock.advance(1_000);
    assert.deepEqual(world.told, [
      "Attempting to reclaim ephemeral-storage",
      "removed dead containers",
      "removed unused images",
    ]);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "DiskPressure");
  });
});

Deno.test("run() goes on when pods cannot be measured", async () => {
  const disk = aThreshold({
    signal: "nodefs.available",
    value: { kind: "share", percent: 70 },
  });
  const world = new World({ thresholds: [disk] });
  world.add("web", 1n);
  await world.living(async () => {
    await world.clock.advance(10_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(
      world.told.filter((each) => /Attempting/.test(each)).length,
      2,
    );
  });
});

Deno.test("run() never evicts critical pods", async () => {
  const world = new World();
  const spec = { priority: 2_000_000_000 };
  const containers = [aContainer()];
  const pod = aPod({ name: "proxy", uid: "proxy", containers, spec });
  world.add("proxy", CAPACITY / MI, pod);
  await world.living(async () => {
    await world.clock.advance(20_000);
    assert.deepEqual(world.ordered, []);
    assert.equal(world.pressure, "MemoryPressure");
    const { thresholds } = world.loop.view();
    assert.deepEqual(thresholds, [{
      threshold: "memory.available<100Mi",
      detail: "0 of 8Gi available; needs 100Mi",
      isMet: true,
    }]);
  });
});
