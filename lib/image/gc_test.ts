import assert from "node:assert/strict";
import type { Image } from "../port/images.ts";
import {
  type GcSettings,
  grownUp,
  type ImageRecord,
  need,
  removable,
  seen,
  sizeText,
  tooOld,
} from "./gc.ts";

const SETTINGS: GcSettings = {
  highPercent: 85,
  lowPercent: 80,
  minAgeMs: 120_000,
  maxAgeMs: 0,
};

function image(id: string, own: Partial<Image> = {}): Image {
  return {
    id,
    tags: [`docker.io/library/${id}:1`],
    digests: [],
    sizeBytes: 10n,
    isPinned: false,
    userName: "",
    ...own,
  };
}

function record(id: string, own: Partial<ImageRecord> = {}): ImageRecord {
  return { image: image(id), firstSeenMs: 0, lastUsedMs: -Infinity, ...own };
}

function ids(records: readonly ImageRecord[]): string {
  return records.map(({ image }) => image.id).join(" ");
}

Deno.test("seen() keeps the times of what it knows and forgets what is gone", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const before = new Map([
    ["a", record("a", { lastUsedMs: 5 })],
    ["gone", record("gone")],
  ]);
  const images = [
    image("a"),
    image("used"),
    image("named"),
    image("exact", { digests: [`docker.io/library/exact@${digest}`] }),
    image("new"),
  ];
  const use = {
    ids: new Set(["used"]),
    names: ["named:1", `exact:2@${digest}`, "Not A Name"],
  };
  const after = seen(before, images, { use, nowMs: 9 });
  assert.deepEqual(
    [...after].map(([id, { firstSeenMs, lastUsedMs }]) => [
      id,
      firstSeenMs,
      lastUsedMs,
    ]),
    [
      ["a", 0, 5],
      ["used", 9, 9],
      ["named", 9, 9],
      ["exact", 9, 9],
      ["new", 9, -Infinity],
    ],
  );
});

Deno.test("removable() gives the longest unused first, then the oldest", () => {
  const records = [
    record("late", { lastUsedMs: 8 }),
    record("younger", { firstSeenMs: 4 }),
    record("early", { lastUsedMs: 3 }),
    record("older", { firstSeenMs: 1 }),
    record("used", { lastUsedMs: 10 }),
    record("pinned", { image: image("pinned", { isPinned: true }) }),
  ];
  assert.equal(ids(removable(records, 10)), "older younger early late");
});

Deno.test("tooOld() and grownUp() count from the last use and the first look", () => {
  const hour = 3_600_000;
  const records = [
    record("never"),
    record("long", { lastUsedMs: hour - 1 }),
    record("short", { lastUsedMs: hour }),
  ];
  const settings = { ...SETTINGS, maxAgeMs: hour };
  const at = (startedAtMs: number) => ({ nowMs: 2 * hour, startedAtMs });
  assert.equal(ids(tooOld(records, settings, at(0))), "never long");
  assert.equal(ids(tooOld(records, settings, at(hour))), "");
  assert.equal(ids(tooOld(records, SETTINGS, at(0))), "");
  const young = [record("a", { firstSeenMs: 1 }), record("b")];
  assert.equal(ids(grownUp(young, SETTINGS, 120_000)), "b");
});

Deno.test("need() frees down to the low mark once the high one is reached", () => {
  const cases: [bigint, bigint, unknown][] = [
    [100n, 16n, { kind: "none", usedPercent: 84 }],
    [100n, 15n, { kind: "free", bytes: 5n, usedPercent: 85 }],
    [100n, 0n, { kind: "free", bytes: 20n, usedPercent: 100 }],
    [100n, 200n, { kind: "none", usedPercent: 0 }],
    [0n, 0n, { kind: "no-capacity" }],
    [2n ** 62n, 0n, {
      kind: "free",
      bytes: 2n ** 62n / 5n,
      usedPercent: 100,
    }],
  ];
  for (const [capacityBytes, availableBytes, expected] of cases) {
    assert.deepEqual(
      need({ capacityBytes, availableBytes }, SETTINGS),
      expected,
    );
  }
});

Deno.test("sizeText() is the kubelet's", () => {
  assert.deepEqual(
    [512n, 1536n, 5n << 20n, 3n << 30n, 2048n << 40n].map(sizeText),
    ["512 B", "1.5 KiB", "5.0 MiB", "3.0 GiB", "2048.0 TiB"],
  );
});
