/**
 * The promises of `port/images.ts`, each of them tried on every
 * implementation: the fake always, a real containerd when there is one.
 */
import assert from "node:assert/strict";
import type { Images } from "../../lib/port/images.ts";
import { failure } from "./harness.ts";

export interface ImagesHarness {
  readonly images: Images;
  /** The name of an image that is there. */
  readonly present: string;
  /** The name of an image in a registry that cannot be reached. */
  readonly unreachable: string;
  close(): Promise<void>;
}

interface ImagesPromise {
  readonly name: string;
  readonly check: (
    harness: ImagesHarness,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** Registers the contract for one implementation. */
export function imagesContract(
  label: string,
  open: () => Promise<ImagesHarness>,
  options: { readonly ignore: boolean },
): void {
  for (const promise of IMAGES_PROMISES) {
    Deno.test({
      name: `images contract on ${label}: ${promise.name}`,
      ignore: options.ignore,
      fn: async () => {
        const harness = await open();
        try {
          await promise.check(harness, AbortSignal.timeout(60_000));
        } finally {
          await harness.close();
        }
      },
    });
  }
}

const IMAGES_PROMISES: readonly ImagesPromise[] = [
  {
    name: "an image that is there has a status, by name and by id",
    check: async ({ images, present }, signal) => {
      const image = await images.status(
        { image: present, runtimeHandler: "" },
        signal,
      );
      assert.ok(image);
      assert.match(image.id, /^sha256:[0-9a-f]{64}$/);
      assert.ok(image.tags.includes(present), image.tags.join());
      assert.ok(image.sizeBytes > 0n);
      const byId = { image: image.id, runtimeHandler: "" };
      assert.deepEqual(await images.status(byId, signal), image);
      const listed = await images.list(signal);
      assert.deepEqual(listed.find(({ id }) => id === image.id), image);
    },
  },
  {
    name: "an image that is absent has no status and is removed already",
    check: async ({ images }, signal) => {
      const absent = "example.org/absent/image:none";
      const request = { image: absent, runtimeHandler: "" };
      assert.equal(await images.status(request, signal), undefined);
      await images.remove(absent, signal);
    },
  },
  {
    name: "a pull that cannot work fails with ErrImagePull",
    check: async ({ images, unreachable }, signal) => {
      const request = { image: unreachable, runtimeHandler: "" };
      const error = await failure(images.pull(request, signal), "retry");
      assert.equal(error.reason, "ErrImagePull");
      assert.ok(error.message.startsWith(`Cannot pull image ${unreachable}: `));
      assert.equal(await images.status(request, signal), undefined);
    },
  },
  {
    name: "the use of at least one file system is known",
    check: async ({ images }, signal) => {
      const usage = await images.usage(signal);
      const [first] = usage.images;
      assert.ok(first);
      assert.notEqual(first.mountpoint, "");
      assert.ok(first.atMs > 1_600_000_000_000);
      assert.ok(first.usedBytes >= 0n);
    },
  },
  {
    name: "an abort rejects with its reason",
    check: async ({ images, unreachable }) => {
      const reason = new Error("enough");
      const request = { image: unreachable, runtimeHandler: "" };
      const signal = AbortSignal.abort(reason);
      await assert.rejects(images.pull(request, signal), reason);
      const stop = new AbortController();
      const pull = images.pull(request, stop.signal);
      stop.abort(reason);
      await assert.rejects(pull, reason);
    },
  },
];
