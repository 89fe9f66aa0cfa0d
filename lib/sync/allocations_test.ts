import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { type Fields, type Logger, silentLogger } from "../base/log.ts";
import { Allocations } from "./allocations.ts";

const ROOT = "/var/lib/kubelet";
const GIVEN = `${ROOT}/allocated_pods_state`;
const SET = `${ROOT}/actuated_pods_state`;
const UID = uidOf(aPod());

function pod(cpu: string): V1Pod {
  const resources = { requests: { cpu } };
  return aPod({ containers: [aContainer({ resources })] });
}

/** What outlives an agent. */
class Machine {
  readonly files = new FakeFiles();
  readonly clock = new FakeClock();
  readonly said: string[] = [];
  writes = 0;
  failure: Error | undefined;

  constructor() {
    this.files.put(`${ROOT}/config.yaml`, "");
  }

  async agent(): Promise<Allocations> {
    const log: Logger = {
      ...silentLogger,
      warn: (message: string, _fields?: Fields) => this.said.push(message),
      with: () => log,
    };
    const files = {
      read: (path: string, most: number) => this.files.read(path, most),
      replace: (path: string, bytes: Uint8Array, mode: number) => {
        this.writes++;
        return this.failure === undefined
          ? this.files.replace(path, bytes, mode)
          : Promise.reject(this.failure);
      },
    };
    const ports = { files, clock: this.clock, log };
    const gates = { mayResizePods: true, mayResizeInit: true };
    const made = new Allocations(ports, { rootDir: ROOT, gates });
    await made.recover();
    return made;
  }
}

Deno.test("Allocations give a pod once what it asks for, and again when told", async () => {
  const agent = await new Machine().agent();
  assert.equal(agent.isGiven(UID), false);
  assert.deepEqual(agent.podOf(pod("1")), pod("1"));
  agent.admit(pod("1"));
  agent.admit(pod("2"));
  assert.deepEqual(agent.podOf(pod("2")), pod("1"));
  assert.equal(agent.cgroupOf(UID), "unknown");
  agent.resize(pod("2"));
  assert.deepEqual(agent.podOf(pod("3")), pod("2"));
  assert.equal(agent.cgroupOf(UID), "stale");
  agent.noteCgroup(UID);
  assert.equal(agent.cgroupOf(UID), "current");
  agent.forget(UID);
  assert.equal(agent.isGiven(UID), false);
});

Deno.test("Allocations outlive the agent once they are kept", async () => {
  const machine = new Machine();
  const first = await machine.agent();
  first.admit(pod("1"));
  first.noteContainer(UID, "web", { requests: { cpu: "1" } });
  first.notePod(UID, { limits: { cpu: "2" } });
  // Killed before: nothing was done with it.
  assert.equal((await machine.agent()).isGiven(UID), false);
  await Promise.all([first.kept(), first.kept(), first.settled()]);
  assert.equal(machine.writes, 2, "those who wait together wait for one");
  await first.kept();
  assert.equal(machine.writes, 2, "nothing new, nothing written");
  const next = await machine.agent();
  assert.deepEqual(next.podOf(pod("3")), pod("1"));
  assert.equal(next.cgroupOf(UID), "unknown");
  assert.deepEqual(next.actuated(UID), {
    containers: new Map([["web", { requests: { cpu: "1" } }]]),
    pod: { limits: { cpu: "2" } },
  });
  next.keepOnly(() => false);
  await next.kept();
  assert.equal((await machine.agent()).isGiven(UID), false);
});

Deno.test("Allocations know a container that is made with something else", async () => {
  const agent = await new Machine().agent();
  assert.equal(agent.isRemade(UID, "web", {}), false);
  agent.noteContainer(UID, "web", { requests: { cpu: "1" } });
  const same = { requests: { cpu: "1" } };
  assert.equal(agent.isRemade(UID, "web", same), false);
  const other = { requests: { cpu: "2" } };
  assert.equal(agent.isRemade(UID, "web", other), true);
});

Deno.test("Allocations go on without a file that cannot be believed", async () => {
  const machine = new Machine();
  machine.files.put(GIVEN, '{"data":"{}","checksum":1}');
  const agent = await machine.agent();
  assert.deepEqual(machine.said, [
    "Cannot read what pods were given; taking what they ask for",
  ]);
  agent.admit(pod("1"));
  await agent.kept();
  assert.equal((await machine.agent()).isGiven(UID), true);
  assert.equal(machine.files.text(SET), undefined);
});

Deno.test("Allocations tell of a full disk once and write when there is room", async () => {
  const machine = new Machine();
  machine.failure = new Error("no space left on device");
  const agent = await machine.agent();
  agent.admit(pod("1"));
  await agent.kept();
  agent.resize(pod("2"));
  await agent.kept();
  assert.deepEqual(machine.said, ["Cannot write down what pods were given"]);
  machine.failure = undefined;
  agent.resize(pod("3"));
  await agent.kept();
  assert.deepEqual((await machine.agent()).podOf(pod("4")), pod("3"));
});

Deno.test("Allocations are written soon when nobody waits for them", async () => {
  const machine = new Machine();
  const agent = await machine.agent();
  const stop = new AbortController();
  const ended = assert.rejects(agent.run(stop.signal));
  agent.noteContainer(UID, "web", {});
  await machine.clock.advance(2_000);
  assert.match(machine.files.text(SET) ?? "", /web/);
  agent.admit(pod("1"));
  stop.abort(new DOMException("Over", "AbortError"));
  await ended;
  assert.match(machine.files.text(GIVEN) ?? "", /web/);
});
