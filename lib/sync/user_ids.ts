/**
 * Who has which ids of the host for a user namespace: the sole writer of that.
 * Kept in each pod's directory and found again, there and in the runtime, when
 * the agent starts. Ids are given back only after everything of their pod is
 * gone. Called by `gather.ts`, `apply.ts` and `worker.ts`.
 */
import { AgentError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type PodUid, podUid } from "../api/id.ts";
import {
  freeRange,
  type IdPool,
  type IdRange,
  mappedRange,
  parseRange,
  rangeText,
} from "../pod/userns.ts";
import type { Files } from "../port/host.ts";
import type { ContainerRuntime } from "../port/runtime.ts";

const LONGEST_BYTES = 64 * 1024;
/** Compat: kubelet 1.36 utilstore: readable by the owner and the group. */
const FILE_MODE = 0o644;

export interface UserIdPorts {
  readonly files: Pick<Files, "list" | "read" | "replace">;
  readonly runtime: Pick<ContainerRuntime, "listSandboxes" | "sandboxStatus">;
  readonly log: Logger;
}

export interface UserIdOptions {
  readonly podsDir: string;
  /** Undefined: the ids that were set aside cannot be used. */
  readonly pool: IdPool | undefined;
}

export class UserIds {
  readonly #ports: UserIdPorts;
  readonly #options: UserIdOptions;
  /** More than one range only if two agents wrote for one pod. */
  readonly #held = new Map<PodUid, readonly IdRange[]>();
  #isKnown = false;
  #next = 0;

  constructor(ports: UserIdPorts, options: UserIdOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Of a pod that has some. */
  rangeOf(uid: PodUid): IdRange | undefined {
    return this.#held.get(uid)?.[0];
  }

  /**
   * Looks, once, at what former agents gave: before that nothing may be given
   * and nobody's ids are known.
   */
  async recover(signal: AbortSignal): Promise<void> {
    if (this.#isKnown) return;
    const [written, mapped] = await Promise.all([
      this.#written(),
      this.#mapped(signal),
    ]);
    if (this.#isKnown) return;
    // What runs counts; the file is the word for what does not run.
    for (const [uid, range] of [...mapped, ...written]) this.#hold(uid, range);
    this.#isKnown = true;
  }

  /**
   * Gives the pod ids that nobody has; kept on disk before anything is made
   * with them. Rejects when there are none left.
   */
  async allocate(uid: PodUid, signal: AbortSignal): Promise<IdRange> {
    await this.recover(signal);
    const held = this.rangeOf(uid);
    if (held !== undefined) return held;
    const range = this.#free();
    this.#hold(uid, range);
    try {
      const bytes = new TextEncoder().encode(rangeText(range));
      await this.#ports.files.replace(this.#fileOf(uid), bytes, FILE_MODE);
    } catch (error) {
      this.#held.delete(uid);
      throw error;
    }
    return range;
  }

  /** Nothing of the pod is left. */
  release(uid: PodUid): void {
    this.#held.delete(uid);
  }

  #free(): IdRange {
    const { pool } = this.#options;
    const range = pool === undefined
      ? undefined
      : freeRange(pool, [...this.#held.values()].flat(), this.#next);
    if (pool === undefined || range === undefined) {
      throw new AgentError(
        pool === undefined
          ? "Cannot give ids for a user namespace: those set aside for the " +
            "agent cannot be cut into equal pieces"
          : "could not find an empty slot to allocate a user namespace",
        { next: "retry", reason: "FailedCreatePodSandBox" },
      );
    }
    this.#next = (range.first - pool.first) / pool.length + 1;
    return range;
  }

  #hold(uid: PodUid, range: IdRange): void {
    const held = this.#held.get(uid) ?? [];
    if (held.some(({ first }) => first === range.first)) return;
    this.#held.set(uid, [...held, range]);
  }

  async #written(): Promise<[PodUid, IdRange][]> {
    const { files, log } = this.#ports;
    const found: [PodUid, IdRange][] = [];
    for (const { name } of await files.list(this.#options.podsDir) ?? []) {
      const uid = podUid(name);
      const path = this.#fileOf(uid);
      const bytes = await files.read(path, LONGEST_BYTES);
      if (bytes === undefined) continue;
      const range = parseRange(new TextDecoder().decode(bytes));
      if (range === undefined) {
        // If its sandbox is there, the runtime knows; else nobody has them.
        log.warn("A pod's user namespace file says nothing", { path });
      } else found.push([uid, range]);
    }
    return found;
  }

  async #mapped(signal: AbortSignal): Promise<[PodUid, IdRange][]> {
    const { runtime } = this.#ports;
    const found: [PodUid, IdRange][] = [];
    for (const { id } of await runtime.listSandboxes({}, signal)) {
      const status = await runtime.sandboxStatus(id, signal);
      const range = mappedRange(status?.user);
      if (status !== undefined && range !== undefined) {
        found.push([status.podUid, range]);
      }
    }
    return found;
  }

  #fileOf(uid: PodUid): string {
    return `${this.#options.podsDir}/${uid}/userns`;
  }
}
