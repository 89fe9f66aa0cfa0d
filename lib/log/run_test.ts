import assert from "node:assert/strict";
import { AgentError, isAbort } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { containerId } from "../api/id.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeLogKeeper } from "../../tests/fakes/fake_log_files.ts";
import { rotateLogs } from "./run.ts";

const LOG = "/var/log/pods/ns_p_u/c/0.log";
const PERIOD_MS = 10_000;

class World {
  readonly clock = new FakeClock();
  readonly files = new FakeFiles();
  readonly warnings: string[] = [];
  readonly reopened: string[] = [];
  paths = [LOG];
  failure: AgentError | undefined;
  /** What the runtime does with the file on reopening. */
  makesNew = true;
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor(mostBytes = 10) {
    this.#run = rotateLogs(
      {
        clock: this.clock,
        files: this.files,
        logKeeper: new FakeLogKeeper(this.files),
        log: { ...silentLogger, warn: (words) => this.warnings.push(words) },
        running: () =>
          this.paths.map((path) => ({ id: containerId(path), path })),
        runtime: {
          reopenLog: (path) => {
            this.reopened.push(path);
            if (this.makesNew) this.files.put(path, "");
            return this.failure === undefined
              ? Promise.resolve()
              : Promise.reject(this.failure);
          },
        },
      },
      { mostBytes, mostFiles: 3, workers: 2, intervalMs: PERIOD_MS },
      this.#stop.signal,
    );
  }

  async names(): Promise<string[]> {
    const entries = await this.files.list("/var/log/pods/ns_p_u/c") ?? [];
    return entries.map(({ name }) => name).sort();
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("over", "AbortError"));
    await this.#run.catch((error) => {
      if (!isAbort(error, this.#stop.signal)) throw error;
    });
  }
}

function worldTest(
  name: string,
  story: (world: World) => Promise<void>,
  mostBytes?: number,
): void {
  Deno.test(name, async () => {
    const world = new World(mostBytes);
    try {
      await story(world);
    } finally {
      await world.end();
    }
  });
}

worldTest(
  "rotateLogs() rotates at the size, and packs the one before",
  async (world) => {
    world.files.put(LOG, "short");
    await world.clock.advance(PERIOD_MS);
    assert.deepEqual(world.reopened, []);
    for (const text of ["first line", "second line", "third line"]) {
      world.files.put(LOG, text);
      await world.clock.advance(PERIOD_MS);
    }
    const names = await world.names();
    assert.equal(names.length, 3);
    const [live, packed = "", plain = ""] = names;
    assert.equal(live, "0.log");
    const at = (name: string) => world.files.text(LOG.replace("0.log", name));
    assert.equal(at(packed), "gzip:second line");
    assert.equal(at(plain), "third line");
    assert.deepEqual(world.warnings, []);
  },
);

worldTest(
  "rotateLogs() puts the name back when the runtime did not reopen",
  async (world) => {
    world.makesNew = false;
    world.failure = new AgentError("away", { next: "retry" });
    world.files.put(LOG, "a long line");
    await world.clock.advance(PERIOD_MS);
    assert.deepEqual(await world.names(), ["0.log"]);
    assert.equal(world.files.text(LOG), "a long line");
    assert.equal(world.warnings.length, 1);
  },
);

worldTest("rotateLogs() covers no new log with the old one", async (world) => {
  world.failure = new AgentError("no answer", { next: "retry" });
  world.files.put(LOG, "a long line");
  await world.clock.advance(PERIOD_MS);
  assert.equal((await world.names()).length, 2);
  assert.equal(world.files.text(LOG), "");
});

worldTest("rotateLogs() has a log that is gone made anew", async (world) => {
  await world.clock.advance(PERIOD_MS);
  assert.deepEqual(world.reopened, [LOG]);
});

worldTest(
  "rotateLogs() touches no link, and goes on with the others",
  async (world) => {
    const other = LOG.replace("/c/", "/d/");
    world.paths = [LOG, other];
    world.files.put("/etc/shadow", "a secret that is long");
    world.files.put(`${LOG}.keep`, "");
    await world.files.link(LOG, "/etc/shadow");
    world.files.put(other, "a long line");
    await world.clock.advance(PERIOD_MS);
    assert.equal(world.files.text("/etc/shadow"), "a secret that is long");
    assert.equal((await world.files.stat(LOG))?.kind, "symlink");
    assert.deepEqual(world.reopened, [other]);
    assert.equal(world.warnings.length, 1);
  },
);

worldTest(
  "rotateLogs() does nothing where the size is below zero",
  async (world) => {
    world.files.put(LOG, "a long line");
    await world.clock.advance(PERIOD_MS);
    assert.deepEqual(world.reopened, []);
  },
  -1,
);
