import assert from "node:assert/strict";
import { openLibc } from "../host/libc.ts";
import { HostFiles } from "../host/files.ts";
import { HostLogFiles } from "../host/log_files.ts";
import { HostLogKeeper } from "../host/log_keeper.ts";
import { loggedAttempts, type LogRequest, readLog } from "./read.ts";

const AT = "2026-07-31T10:02:33.000000001Z";
const full = (text: string) => `${AT} stdout F ${text}\n`;
/** Each at a time of its own, as runtimes write them. */
const line = (number: number) =>
  `2026-07-31T10:02:33.${
    String(number).padStart(9, "0")
  }Z stdout F ${number}\n`;

/** A whole number below `limit`, the same each time the test runs. */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
}

/** A clock whose sleeps end when the test says so, and short ones at once. */
class Alarm {
  #ring = Promise.withResolvers<void>();

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms < 500) return;
    const aborted = Promise.withResolvers<void>();
    const stop = () => aborted.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#ring.promise, aborted.promise]);
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
  }

  ring(): void {
    this.#ring.resolve();
    this.#ring = Promise.withResolvers();
  }
}

/** A real directory of logs, and a reader of its newest one. */
class World {
  readonly directory: string;
  readonly libc: ReturnType<typeof openLibc>;
  readonly alarm = new Alarm();
  readonly stop = new AbortController();
  readonly ports;
  hasEnded = false;

  constructor(directory: string, libc: ReturnType<typeof openLibc>) {
    this.directory = directory;
    this.libc = libc;
    const trees = { libc, roots: [directory], links: "refuse" } as const;
    this.ports = {
      files: new HostFiles(trees),
      logFiles: new HostLogFiles(trees),
      clock: this.alarm,
    };
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.directory}/${name}`, text, { append: true });
  }

  rename(from: string, to: string): void {
    Deno.renameSync(`${this.directory}/${from}`, `${this.directory}/${to}`);
  }

  has(name: string): boolean {
    return [...Deno.readDirSync(this.directory)]
      .some((entry) => entry.name === name);
  }

  async pack(name: string): Promise<void> {
    const trees = { libc: this.libc, roots: [this.directory] };
    await new HostLogKeeper({ ...trees, links: "refuse" })
      .pack(`${this.directory}/${name}`, this.stop.signal);
  }

  async clear(): Promise<void> {
    for (const { name } of Deno.readDirSync(this.directory)) {
      await Deno.remove(`${this.directory}/${name}`);
    }
  }

  read(more: Partial<LogRequest> & { attempt: number }) {
    const chunks = readLog(this.ports, {
      directory: this.directory,
      tailLines: undefined,
      timestamps: "hidden",
      hasEnded: undefined,
      ...more,
    }, this.stop.signal);
    return new Text(chunks);
  }

  follow(more: Partial<LogRequest> & { attempt: number }) {
    return this.read({ hasEnded: () => this.hasEnded, ...more });
  }
}

/** Reads just as much as a test expects. */
class Text {
  readonly #chunks: AsyncGenerator<Uint8Array>;
  readonly #decoder = new TextDecoder();

  constructor(chunks: AsyncGenerator<Uint8Array>) {
    this.#chunks = chunks;
  }

  async upTo(end: string): Promise<string> {
    let text = "";
    while (!text.endsWith(end)) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return `${text}<end>`;
      text += this.#decoder.decode(value, { stream: true });
    }
    return text;
  }

  rest(): Promise<string> {
    return this.upTo("never");
  }

  leave(): Promise<unknown> {
    return this.#chunks.return(undefined);
  }
}

async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  const libc = openLibc();
  const directory = await Deno.makeTempDir();
  try {
    await test(new World(directory, libc));
  } finally {
    await Deno.remove(directory, { recursive: true }).catch(() => {});
    libc.close();
  }
}

Deno.test("loggedAttempts() lists logs, newest first, without rotated ones", () =>
  inWorld(async (world) => {
    for (
      const name of ["2.log", "10.log", "9.log", "9.log.20260731", "x.log"]
    ) {
      world.write(name, "");
    }
    const { files } = world.ports;
    assert.deepEqual(await loggedAttempts(files, world.directory), [10, 9, 2]);
    assert.deepEqual(await loggedAttempts(files, `${world.directory}/no`), []);
  }));

Deno.test("readLog() reads a whole log, a tail, or none", () =>
  inWorld(async (world) => {
    world.write("0.log", full("one") + full("two") + full("three"));
    assert.equal(
      await world.read({ attempt: 0 }).rest(),
      "one\ntwo\nthree\n<end>",
    );
    const tail = world.read({ attempt: 0, tailLines: 1, timestamps: "shown" });
    assert.equal(await tail.rest(), `${AT} three\n<end>`);
    assert.equal(await world.read({ attempt: 7 }).rest(), "<end>");
  }));

Deno.test("readLog() reads only what is pulled", () =>
  inWorld(async (world) => {
    world.write("0.log", full("x".repeat(100)).repeat(5000));
    const text = world.read({ attempt: 0 });
    assert.ok((await text.upTo("\n")).length < 70_000);
    await text.leave();
  }));

Deno.test("readLog() refuses a log that is a link", () =>
  inWorld(async (world) => {
    Deno.symlinkSync("/etc/passwd", `${world.directory}/0.log`);
    await assert.rejects(world.read({ attempt: 0 }).rest(), {
      name: "AgentError",
      next: "give-up",
    });
  }));

Deno.test("readLog() follows by events until the container has ended", () =>
  inWorld(async (world) => {
    world.write("0.log", full("one"));
    const text = world.follow({ attempt: 0 });
    assert.equal(await text.upTo("one\n"), "one\n");
    const more = text.upTo("three\n");
    world.write("0.log", full("two"));
    world.write("0.log", full("three"));
    assert.equal(await more, "two\nthree\n");
    const rest = text.rest();
    world.hasEnded = true;
    world.write("0.log", full("last words"));
    assert.equal(await rest, "last words\n<end>");
  }));

Deno.test("readLog() follows through rotations and loses nothing", () =>
  inWorld(async (world) => {
    world.write("0.log", full("a"));
    const text = world.follow({ attempt: 0, tailLines: 5 });
    assert.equal(await text.upTo("a\n"), "a\n");
    for (const round of [1, 2, 3]) {
      const more = text.upTo(`new ${round}\n`);
      world.rename("0.log", `0.log.${round}`);
      // The runtime writes to the old file until it is told of the new one.
      world.write(`0.log.${round}`, full(`late ${round}`));
      world.write("0.log", full(`new ${round}`));
      assert.equal(await more, `late ${round}\nnew ${round}\n`);
    }
    await text.leave();
  }));

Deno.test("readLog() finds what was rotated while nobody read, packed or not", () =>
  inWorld(async (world) => {
    const rotate = (stamp: string, text: string) => {
      world.rename("0.log", `0.log.20260731-${stamp}`);
      world.write("0.log", full(text));
    };
    world.write("0.log.20260731-100000", full("before"));
    world.write("0.log", full("a"));
    const text = world.follow({ attempt: 0 });
    assert.equal(await text.upTo("a\n"), "a\n");
    rotate("100001", "b");
    rotate("100002", "c");
    await world.pack("0.log.20260731-100001");
    rotate("100003", "d");
    await world.pack("0.log.20260731-100002");
    rotate("100004", "e");
    world.write("0.log.20260731-100002.gz.tmp", "half");
    assert.equal(await text.upTo("e\n"), "b\nc\nd\ne\n");
    rotate("100005", "f");
    assert.equal(await text.upTo("f\n"), "f\n");
    await text.leave();
  }));

Deno.test("readLog() tells each line once, however its log is rotated", () =>
  inWorld(async (world) => {
    const random = seeded(7);
    for (let round = 0; round < 8; round++) {
      let [written, told, rotations] = [0, 0, 100_000 + round * 100];
      const write = () => world.write("0.log", line(++written));
      write();
      const text = world.follow({ attempt: 0 });
      for (let step = 0; step < 12; step++) {
        let expected = "";
        while (told < written) expected += `${++told}\n`;
        assert.equal(await text.upTo(`${written}\n`), expected);
        for (let each = random(3); each >= 0; each--) {
          world.rename("0.log", `0.log.20260731-${++rotations}`);
          for (let more = random(3); more >= 0; more--) write();
          const old = `0.log.20260731-${rotations - 1}`;
          if (random(2) === 0 && world.has(old)) await world.pack(old);
        }
      }
      await text.leave();
      await world.clear();
    }
  }));

Deno.test("readLog() begins again when a log is emptied in place", () =>
  inWorld(async (world) => {
    world.write("0.log", full("a long first line"));
    const text = world.follow({ attempt: 0 });
    assert.equal(await text.upTo("line\n"), "a long first line\n");
    Deno.truncateSync(`${world.directory}/0.log`);
    const more = text.upTo("b\n");
    world.write("0.log", full("b"));
    assert.equal(await more, "b\n");
    await text.leave();
  }));

Deno.test("readLog() notices an end that made no event by its audit", () =>
  inWorld(async (world) => {
    world.write("0.log", full("a"));
    const looked = Promise.withResolvers<void>();
    const text = world.follow({
      attempt: 0,
      hasEnded: () => {
        looked.resolve();
        return world.hasEnded;
      },
    });
    assert.equal(await text.upTo("a\n"), "a\n");
    const rest = text.rest();
    await looked.promise;
    world.hasEnded = true;
    const ringing = setInterval(() => world.alarm.ring(), 1);
    assert.equal(await rest, "<end>");
    clearInterval(ringing);
  }));

Deno.test("readLog() ends at once when the reader goes away", () =>
  inWorld(async (world) => {
    world.write("0.log", full("a"));
    const text = world.follow({ attempt: 0 });
    assert.equal(await text.upTo("a\n"), "a\n");
    const rest = text.rest();
    world.stop.abort();
    assert.equal(await rest, "<end>");
  }));

Deno.test("readLog() outlives its directory", () =>
  inWorld(async (world) => {
    world.write("0.log", full("a"));
    const text = world.follow({ attempt: 0 });
    assert.equal(await text.upTo("a\n"), "a\n");
    const rest = text.rest();
    world.hasEnded = true;
    Deno.removeSync(world.directory, { recursive: true });
    const ringing = setInterval(() => world.alarm.ring(), 1);
    assert.equal(await rest, "<end>");
    clearInterval(ringing);
  }));
