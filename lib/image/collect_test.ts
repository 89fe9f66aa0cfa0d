import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import type { Step } from "../api/step.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeImages } from "../../tests/fakes/fake_images.ts";
import { ImageCollector } from "./collect.ts";
import type { Disk, GcSettings } from "./gc.ts";

const MINUTE = 60_000;

class World {
  readonly clock = new FakeClock();
  readonly images = new FakeImages(this.clock);
  readonly steps: string[] = [];
  readonly pruned: string[] = [];
  /** Of all that is not images. */
  otherBytes = 0n;
  capacityBytes = 100n;
  wanted: string[] | undefined = [];
  readonly collector: ImageCollector;
  readonly #stop = new AbortController();

  constructor(own: Partial<GcSettings> = {}) {
    this.collector = new ImageCollector({
      images: this.images,
      runtime: { listContainers: () => Promise.resolve([]) },
      disk: () => Promise.resolve(this.#disk()),
      wanted: () => this.wanted,
      records: {
        prune: (refs) => {
          this.pruned.push([...refs].join(" "));
          return Promise.resolve();
        },
      },
      recorder: {
        record: ({ reason, message }: Step) =>
          this.steps.push(`${reason}: ${message}`),
      },
      removed: () => {},
      clock: this.clock,
      log: silentLogger,
    }, { highPercent: 85, lowPercent: 80, minAgeMs: 0, maxAgeMs: 0, ...own });
  }

  place(name: string, sizeBytes = 10n): void {
    this.images.world.place(name, { id: name, sizeBytes });
  }

  get present(): string {
    return [...this.images.world.present.keys()].join(" ");
  }

  async living(work: () => Promise<void>): Promise<void> {
    const running = this.collector.run(this.#stop.signal);
    await this.clock.advance(0);
    await work();
    this.#stop.abort();
    await this.clock.advance(0);
    await running;
    assert.equal(this.clock.sleepers, 0);
  }

  #disk(): Disk {
    const images = [...this.images.world.present.values()];
    const used = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n);
    return {
      capacityBytes: this.capacityBytes,
      availableBytes: this.capacityBytes - used - this.otherBytes,
    };
  }
}

Deno.test("ImageCollector frees as much as it must, of what nobody needs", async () => {
  const world = new World();
  for (const name of ["a:1", "b:1", "c:1"]) world.place(name);
  world.wanted = ["a:1"];
  world.otherBytes = 55n;
  await world.living(async () => {
    assert.equal(world.present, "a:1 c:1", "85 % used, 5 bytes too many");
    world.otherBytes = 75n;
    await world.clock.advance(5 * MINUTE);
    assert.equal(world.present, "a:1");
    assert.deepEqual(world.pruned.at(-1), "a:1");
    assert.match(world.steps.join(), /^FreeDiskSpaceFailed: .*\(95% of 100 B/);
    assert.match(world.steps.join(), /freed 10 bytes of 15 wanted/);
    await world.clock.advance(5 * MINUTE);
    assert.match(world.steps.at(-1) ?? "", /^ImageGCFailed: Insufficient/);
  });
});

Deno.test("ImageCollector lets young images be, and old ones go", async () => {
  const world = new World({ minAgeMs: 2 * MINUTE, maxAgeMs: 60 * MINUTE });
  world.place("a:1");
  world.otherBytes = 80n;
  await world.living(async () => {
    assert.equal(world.present, "a:1");
    world.otherBytes = 0n;
    await world.clock.advance(60 * MINUTE);
    assert.equal(world.present, "a:1");
    await world.clock.advance(5 * MINUTE);
    assert.equal(world.present, "");
  });
});

Deno.test("ImageCollector removes nothing before it knows what is wanted", async () => {
  const world = new World();
  world.place("a:1", 90n);
  world.wanted = undefined;
  await world.living(async () => {
    assert.equal(world.present, "a:1");
    const { signal } = new AbortController();
    assert.equal(await world.collector.removeUnused(signal), 0n);
    world.wanted = [];
    await world.clock.advance(5 * MINUTE);
    assert.equal(world.present, "");
  });
});

Deno.test("ImageCollector says when the disk has no size", async () => {
  const world = new World();
  world.capacityBytes = 0n;
  await world.living(async () => {
    await world.clock.advance(5 * MINUTE);
    assert.deepEqual(world.steps, [
      "InvalidDiskCapacity: invalid capacity 0 on image filesystem",
      "InvalidDiskCapacity: invalid capacity 0 on image filesystem",
      "ImageGCFailed: invalid capacity 0 on image filesystem",
    ]);
  });
});

Deno.test("ImageCollector.removeUnused() removes all that is unused", async () => {
  const world = new World({ highPercent: 100 });
  for (const name of ["a:1", "b:1", "c:1"]) world.place(name);
  world.wanted = ["b:1"];
  const freed = await world.collector.removeUnused(
    new AbortController().signal,
  );
  assert.deepEqual([freed, world.present], [20n, "b:1"]);
});
