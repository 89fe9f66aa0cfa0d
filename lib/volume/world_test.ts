/** A volume runner in a small world of its own, for the tests of this room. */
import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { FakeDisks } from "../../tests/fakes/fake_disks.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeHostPaths, FakeMounts } from "../../tests/fakes/fake_mounts.ts";
import { podUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { AgentError } from "../base/errors.ts";
import type { Fields, Logger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import { ObjectCache } from "../reference/objects.ts";
import { SETTINGS } from "./fixture_test.ts";
import { VolumeRunner } from "./run.ts";

export const UID = podUid("u1");
export const AT = "/pods/u1/volumes/kubernetes.io~";
export const TOKEN = `${AT}projected/kube-api-access-x1`;

export class World {
  readonly clock: FakeClock;
  readonly files: FakeFiles;
  readonly mounts: FakeMounts;
  readonly hostPaths = new FakeHostPaths();
  readonly disks = new FakeDisks();
  readonly steps: Step[] = [];
  readonly lines: string[] = [];
  readonly hints: (() => boolean)[] = [];
  readonly cluster: FakeReferred;
  readonly runner: VolumeRunner;
  /** How long the API server takes. */
  delayMs = 0;
  #outage: string | undefined;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(before?: World, objects: "cluster" | "none" = "cluster") {
    this.clock = before?.clock ?? new FakeClock();
    this.files = before?.files ?? new FakeFiles();
    this.mounts = before?.mounts ?? new FakeMounts(this.files, "");
    this.cluster = before?.cluster ?? new FakeReferred({
      nowMs: () => this.clock.nowMs(),
      before: (doing, signal) => this.#before(doing, signal),
    });
    const random = {
      fraction: () => 0,
      hex: (length: number) => "0".repeat(length),
    };
    const cache = new ObjectCache({
      objects: objects === "none" ? undefined : this.cluster,
      clock: this.clock,
      random,
    }, "Watch");
    this.runner = new VolumeRunner({
      references: cache,
      files: this.files,
      mounts: this.mounts,
      hostPaths: this.hostPaths,
      programs: this.disks,
      deviceTurn: new Semaphore(1),
      objects: objects === "none" ? undefined : this.cluster,
      clock: this.clock,
      random,
      log: this.#logger(),
      recorder: { record: (_uid, step) => this.steps.push(step) },
      hint: (_uid, isNews) => this.hints.push(isNews),
    }, SETTINGS);
    const { signal } = this.#stop;
    this.#running = Promise.all([cache.run(signal), this.runner.run(signal)]);
  }

  /** What the API server answers with; undefined: it is well. */
  get outage(): string | undefined {
    return this.#outage;
  }

  set outage(message: string | undefined) {
    this.#outage = message;
    this.cluster.hush(message);
  }

  async #before(doing: string, signal: AbortSignal): Promise<void> {
    if (this.delayMs > 0) await this.clock.sleep(this.delayMs, signal);
    if (this.#outage === undefined) return;
    throw new AgentError(`Cannot get ${doing}: ${this.#outage}`, {
      next: "retry",
    });
  }

  /** A cluster where the usual objects are. */
  static usual(): World {
    const world = new World();
    const place = { namespace: "prod", name: "default" };
    world.cluster.put("ServiceAccount", place);
    world.cluster.put("ConfigMap", { ...place, name: "kube-root-ca.crt" }, {
      data: { "ca.crt": "PEM" },
    });
    return world;
  }

  async after(ms: number, pod: V1Pod) {
    this.runner.request(pod);
    await this.clock.advance(ms);
    return this.runner.stateOf(UID);
  }

  /** A file as containers see it. */
  async text(volume: string, path: string): Promise<string | undefined> {
    const data = await this.files.readLink(`${volume}/..data`);
    return this.files.text(`${volume}/${data}/${path}`);
  }

  #logger(): Logger {
    const line = (message: string, fields?: Fields) => {
      this.lines.push(`${message} ${JSON.stringify(fields)}`);
    };
    const own: Logger = {
      debug: line,
      info: line,
      warn: line,
      error: line,
      with: () => own,
    };
    return own;
  }

  /** Ends the runner, as the agent's end does; the world stays. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(0);
    await this.#running;
    assert.equal(this.clock.sleepers, 0);
  }
}
