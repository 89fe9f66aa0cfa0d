import assert from "node:assert/strict";
import { dice } from "../../tests/dice.ts";
import { type PodUid, podUid, sandboxId } from "../api/id.ts";
import { silentLogger } from "../base/log.ts";
import { aPod, aSandbox } from "../../tests/build.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import {
  idPool,
  type IdRange,
  idsSetAside,
  mappingsOf,
  parseRange,
} from "../pod/userns.ts";
import type { SandboxStatus } from "../port/runtime_status.ts";
import { UserIds } from "./user_ids.ts";

const PODS = "/pods";
const LENGTH = 65_536;
const NEVER = new AbortController().signal;

/** What outlives an agent: directories of pods, and sandboxes. */
class Machine {
  readonly files = new FakeFiles();
  readonly sandboxes = new Map<string, SandboxStatus>();
  /** Steps that are left until the agent dies. */
  life = Infinity;

  agent(pieces = 1000): UserIds {
    const runtime = {
      listSandboxes: () => this.#step(() => [...this.sandboxes.values()]),
      sandboxStatus: (id: string) => this.#step(() => this.sandboxes.get(id)),
    };
    const files = {
      list: (path: string) => this.#step(() => this.files.list(path)),
      read: (path: string, most: number) =>
        this.#step(() => this.files.read(path, most)),
      replace: (path: string, bytes: Uint8Array, mode: number) =>
        this.#step(() => this.files.replace(path, bytes, mode)),
    };
    const pool = { first: LENGTH, length: LENGTH, count: pieces };
    return new UserIds(
      { files, runtime, log: silentLogger },
      { podsDir: PODS, pool },
    );
  }

  /** A death may come before it, or after it but before anybody knows. */
  async #step<T>(work: () => T | Promise<T>): Promise<T> {
    this.die();
    const done = await work();
    this.die();
    return done;
  }

  die(): void {
    if (this.life-- <= 0) throw new Dead();
  }

  async start(ids: UserIds, uid: PodUid): Promise<void> {
    await this.#step(() => this.files.makeDirectory(`${PODS}/${uid}`, 0o750));
    const range = await ids.allocate(uid, NEVER);
    await this.#step(() => this.run(uid, range));
  }

  run(uid: PodUid, range: IdRange): void {
    const pod = aPod({ uid });
    this.sandboxes.set(`s-${uid}`, {
      ...aSandbox({ pod }),
      id: sandboxId(`s-${uid}`),
      user: mappingsOf(range),
    });
  }

  /** In the order of `pod/clean.ts`: the sandbox goes last. */
  async end(ids: UserIds, uid: PodUid): Promise<void> {
    await this.#step(() => this.files.removeTree(`${PODS}/${uid}`));
    await this.#step(() => this.sandboxes.delete(`s-${uid}`));
    ids.release(uid);
  }

  /** Every range of which something is left, with its pod. */
  ranges(): [string, IdRange][] {
    const found = new Map<string, IdRange>();
    for (const { podUid: uid, user } of this.sandboxes.values()) {
      const [mapping] = user?.uids ?? [];
      assert.ok(mapping !== undefined);
      found.set(uid, { first: mapping.hostId, length: mapping.length });
    }
    return [...found];
  }
}

class Dead extends Error {}

function assertDisjoint(ranges: readonly [string, IdRange][]): void {
  const firsts = ranges.map(([, { first }]) => first);
  assert.equal(new Set(firsts).size, firsts.length, JSON.stringify(ranges));
  assert.ok(firsts.every((first) => first >= LENGTH && first % LENGTH === 0));
}

Deno.test("UserIds never gives two pods the same ids over 400 deaths (S51)", async () => {
  let deaths = 0;
  for (let seed = 1; deaths < 400; seed++) {
    const machine = new Machine();
    await machine.files.makeDirectory(PODS, 0o755);
    const next = dice(seed);
    let ids = machine.agent(12);
    for (let turn = 0; turn < 60; turn++) {
      machine.life = next(4) === 0 ? next(8) : Infinity;
      const uid = podUid(`pod-${next(8)}`);
      try {
        if (machine.sandboxes.has(`s-${uid}`)) await machine.end(ids, uid);
        else await machine.start(ids, uid);
      } catch (error) {
        assert.ok(error instanceof Dead, String(error));
        deaths++;
        machine.life = Infinity;
        ids = machine.agent(12);
      }
      machine.life = Infinity;
      assertDisjoint(machine.ranges());
      // Who runs keeps what it has, whoever looks.
      await ids.recover(NEVER);
      for (const [uid, { first }] of machine.ranges()) {
        assert.equal(ids.rangeOf(podUid(uid))?.first, first);
      }
    }
  }
});

Deno.test("UserIds keeps a pod's ids where upstream would look for them", async () => {
  const machine = new Machine();
  const ids = machine.agent();
  const uid = podUid("a");
  await machine.start(ids, uid);
  const text = machine.files.text(`${PODS}/a/userns`) ?? "";
  const mapping = `{"hostId":${LENGTH},"containerId":0,"length":${LENGTH}}`;
  assert.equal(
    text,
    `{"uidMappings":[${mapping}],"gidMappings":[${mapping}]}`,
  );
  assert.deepEqual(await ids.allocate(uid, NEVER), parseRange(text));
});

Deno.test("UserIds lets ids rest before it gives them again", async () => {
  const machine = new Machine();
  const ids = machine.agent(3);
  const firstOf = async (name: string) => {
    await machine.files.makeDirectory(`${PODS}/${name}`, 0o750);
    return (await ids.allocate(podUid(name), NEVER)).first / LENGTH;
  };
  assert.equal(await firstOf("a"), 1);
  ids.release(podUid("a"));
  assert.equal(await firstOf("b"), 2);
  assert.equal(await firstOf("c"), 3);
  assert.equal(await firstOf("d"), 1);
  await assert.rejects(
    firstOf("e"),
    /could not find an empty slot to allocate a user namespace/,
  );
});

Deno.test("UserIds takes back what could not be written", async () => {
  const machine = new Machine();
  const ids = machine.agent(1);
  await assert.rejects(ids.allocate(podUid("a"), NEVER), /no such directory/);
  assert.equal(ids.rangeOf(podUid("a")), undefined);
  await machine.start(ids, podUid("b"));
  assert.equal(ids.rangeOf(podUid("b"))?.first, LENGTH);
});

Deno.test("UserIds steers clear of ranges of another length", async () => {
  const machine = new Machine();
  machine.run(podUid("old"), { first: 2 * LENGTH, length: 2 * LENGTH });
  const ids = machine.agent(4);
  for (const [name, piece] of [["a", 1], ["b", 4]] as const) {
    await machine.start(ids, podUid(name));
    assert.equal(ids.rangeOf(podUid(name))?.first, piece * LENGTH);
  }
});

Deno.test("idPool() cuts the ids into equal pieces", () => {
  assert.deepEqual(idPool(LENGTH, undefined), {
    first: LENGTH,
    length: LENGTH,
    count: 65_535,
  });
  const aside = (first: number, length: number) =>
    idPool(LENGTH, { first, length });
  assert.equal(aside(LENGTH, LENGTH * 10)?.count, 10);
  assert.equal(aside(0, LENGTH), undefined, "never the host's own root");
  assert.equal(aside(LENGTH + 1, LENGTH), undefined);
  assert.equal(aside(LENGTH, LENGTH + 1), undefined);
  assert.equal(aside(2 ** 32 - LENGTH, 2 * LENGTH), undefined);
});

Deno.test("parseRange() believes only what an agent writes", () => {
  const text = (own: object, gids?: object) => {
    const mapping = { hostId: LENGTH, containerId: 0, length: LENGTH, ...own };
    return JSON.stringify({
      uidMappings: [mapping],
      gidMappings: [{ ...mapping, ...gids }],
    });
  };
  assert.deepEqual(parseRange(text({})), { first: LENGTH, length: LENGTH });
  const table = [
    "",
    "null",
    "{}",
    "[1]",
    '{"uidMappings":[],"gidMappings":[]}',
    text({ containerId: 1 }),
    text({ hostId: -1 }),
    text({ hostId: 1.5 }),
    text({ hostId: "65536" }),
    text({ length: 0 }),
    text({ hostId: 2 ** 32 - 1 }),
    text({}, { hostId: 2 * LENGTH }),
  ];
  for (const each of table) assert.equal(parseRange(each), undefined, each);
});

Deno.test("idsSetAside() takes one range, the same for users and groups", () => {
  const unusable = { first: 0, length: 0 };
  const table: [string, string, IdRange | undefined][] = [
    ["", "", undefined],
    ["me:100000:65536\n", "me:100000:65536\n", undefined],
    [
      "me:1:2\nkubelet:65536:131072\n",
      "kubelet:65536:131072",
      { first: 65_536, length: 131_072 },
    ],
    ["kubelet:65536:131072", "", unusable],
    ["kubelet:65536:131072", "kubelet:65536:65536", unusable],
    ["kubelet:1:2\nkubelet:3:4", "kubelet:1:2\nkubelet:3:4", unusable],
    ["kubelet:a:b", "kubelet:a:b", unusable],
  ];
  for (const [uids, gids, expected] of table) {
    assert.deepEqual(idsSetAside(uids, gids), expected, uids);
  }
  assert.equal(idPool(LENGTH, unusable), undefined);
});
