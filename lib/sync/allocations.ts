/**
 * What each pod was given and what of it was set: the sole writer of that, in
 * memory and in the two files in which it outlives the agent. Nothing here
 * waits for a disk but `kept` and `settled`, so that what is given to one pod
 * is never given to another meanwhile.
 *
 * Invariant: what was given is on disk before anything is done with it. What
 * was set may be written later: until then the runtime tells.
 * Compat: kubelet 1.36 allocated_pods_state, actuated_pods_state.
 */
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod, V1ResourceRequirements } from "../api/types.ts";
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import {
  allocatedPod,
  type Allocation,
  allocationOf,
  type ResizeGates,
} from "../pod/allocation.ts";
import type { ResizeFacts } from "../pod/resize_facts.ts";
import type { Files } from "../port/host.ts";
import { StateFile } from "./state_file.ts";

const ALLOCATED = "allocated_pods_state";
const ACTUATED = "actuated_pods_state";
const NO_CONTAINERS: ReadonlyMap<string, V1ResourceRequirements> = new Map();
/** Changes that come together are written once. */
const SETTLE_MS = 1_000;
/** A change rings; this is for a disk that took nothing. */
const AUDIT_MS = 60_000;

export interface AllocationPorts {
  readonly files: Pick<Files, "read" | "replace">;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Allocations {
  readonly #gates: ResizeGates;
  readonly #clock: Clock;
  readonly #alarm = new Alarm();
  readonly #given = new Map<PodUid, Allocation>();
  readonly #set = new Map<PodUid, Allocation>();
  /** The same pod for the same wish, until it is given something else. */
  readonly #made = new WeakMap<
    V1Pod,
    { readonly given: Allocation | undefined; readonly pod: V1Pod }
  >();
  readonly #cgroups = new Map<PodUid, ResizeFacts["cgroup"]>();
  readonly #givenFile: StateFile;
  readonly #setFile: StateFile;

  constructor(
    ports: AllocationPorts,
    { rootDir, gates }: {
      readonly rootDir: string;
      readonly gates: ResizeGates;
    },
  ) {
    this.#gates = gates;
    this.#clock = ports.clock;
    this.#givenFile = new StateFile(ports, `${rootDir}/${ALLOCATED}`);
    this.#setFile = new StateFile(ports, `${rootDir}/${ACTUATED}`);
  }

  /** Reads what former agents wrote; before anything else is asked. */
  async recover(): Promise<void> {
    await Promise.all([
      this.#givenFile.restore(this.#given),
      this.#setFile.restore(this.#set),
    ]);
  }

  isGiven(uid: PodUid): boolean {
    return this.#given.has(uid);
  }

  /** The pod with what it was given; as it is wanted before it is admitted. */
  podOf(pod: V1Pod): V1Pod {
    const given = this.#given.get(uidOf(pod));
    const made = this.#made.get(pod);
    if (made !== undefined && made.given === given) return made.pod;
    const now = allocatedPod(pod, given, this.#gates);
    this.#made.set(pod, { given, pod: now });
    return now;
  }

  actuated(uid: PodUid): Allocation | undefined {
    return this.#set.get(uid);
  }

  cgroupOf(uid: PodUid): ResizeFacts["cgroup"] {
    return this.#cgroups.get(uid) ?? "unknown";
  }

  /** It is let in: it is given what it asks for, once. */
  admit(pod: V1Pod): void {
    if (!this.isGiven(uidOf(pod))) this.#give(pod);
  }

  /** It is given what it asks for by now; its cgroup is to follow. */
  resize(pod: V1Pod): void {
    this.#give(pod);
    this.#cgroups.set(uidOf(pod), "stale");
  }

  #give(pod: V1Pod): void {
    this.#given.set(uidOf(pod), allocationOf(pod, this.#gates));
    this.#touch(this.#givenFile);
  }

  /** Resolves when what was given so far is on disk, or cannot be. */
  async kept(): Promise<void> {
    await this.#givenFile.flush(this.#given);
  }

  /** A container is about to be made with this, or has it by now. */
  noteContainer(
    uid: PodUid,
    name: string,
    given: V1ResourceRequirements,
  ): void {
    const { containers = NO_CONTAINERS, ...rest } = this.#set.get(uid) ?? {};
    const all = new Map(containers).set(name, given);
    this.#set.set(uid, { ...rest, containers: all });
    this.#touch(this.#setFile);
  }

  /** Has this container been made before, with something else? */
  isRemade(uid: PodUid, name: string, given: V1ResourceRequirements): boolean {
    const old = this.#set.get(uid)?.containers.get(name);
    return old !== undefined && JSON.stringify(old) !== JSON.stringify(given);
  }

  notePod(uid: PodUid, given: V1ResourceRequirements): void {
    const { containers = NO_CONTAINERS } = this.#set.get(uid) ?? {};
    this.#set.set(uid, { containers, pod: given });
    this.#touch(this.#setFile);
  }

  /** The pod's cgroup has what was given. */
  noteCgroup(uid: PodUid): void {
    this.#cgroups.set(uid, "current");
  }

  /** Resolves when what was set so far is on disk, or cannot be. */
  async settled(): Promise<void> {
    await this.#setFile.flush(this.#set);
  }

  /** Nothing is left of the pod. */
  forget(uid: PodUid): void {
    const isKnown = this.#given.delete(uid);
    if (this.#set.delete(uid)) this.#touch(this.#setFile);
    if (isKnown) this.#touch(this.#givenFile);
    this.#cgroups.delete(uid);
  }

  /** Once all pods are known: what of others was found in the files goes. */
  keepOnly(isKnown: (uid: PodUid) => boolean): void {
    for (const uid of [...this.#given.keys(), ...this.#set.keys()]) {
      if (!isKnown(uid)) this.forget(uid);
    }
  }

  /** Writes what nobody waits for; also once more at the end. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#alarm.wait(this.#clock, AUDIT_MS, signal);
        await this.#clock.sleep(SETTLE_MS, signal);
        await Promise.all([this.kept(), this.settled()]);
      }
    } finally {
      await Promise.all([this.kept(), this.settled()]);
    }
  }

  #touch(file: StateFile): void {
    file.touch();
    this.#alarm.ring();
  }
}
