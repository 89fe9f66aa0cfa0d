/**
 * Service account tokens of pods: asked for, kept, found again on disk after
 * a restart of the agent, and replaced before they expire. A token is never
 * logged and belongs to one file of one pod.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { PodUid } from "../api/id.ts";
import { podNameOf, titleOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { ClusterObjects } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import type { TokenSource } from "./plan.ts";
import {
  lifeOf,
  lifeOfNew,
  renewalAtMs,
  type TokenLife,
} from "./token_life.ts";
import { currentData } from "./write.ts";

/** A token is some kilobytes long. */
const LONGEST_BYTES = 64 * 1024;
/** When the server refuses to replace a token that is still good. */
const RETRY_MS = 60_000;

export interface TokenAsk {
  readonly pod: V1Pod;
  readonly source: TokenSource;
  /** Of the volume: where the token is, if it was there before. */
  readonly directory: string;
}

interface Kept {
  readonly token: string;
  readonly life: TokenLife;
  readonly renewAtMs: number;
}

export interface TokenPorts {
  readonly objects: ClusterObjects | undefined;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class Tokens {
  readonly #ports: TokenPorts;
  readonly #kept = new Map<PodUid, Map<string, Kept>>();

  constructor(ports: TokenPorts) {
    this.#ports = ports;
  }

  async get(ask: TokenAsk, signal: AbortSignal): Promise<string> {
    const uid = uidOf(ask.pod);
    const key = `${ask.directory}/${ask.source.path}`;
    const nowMs = this.#ports.clock.nowMs();
    const old = this.#kept.get(uid)?.get(key) ?? await this.#onDisk(ask);
    const now = old !== undefined && nowMs < old.renewAtMs
      ? old
      : await this.#replace(ask, old, signal);
    // A pod that was forgotten meanwhile is not remembered again.
    if (!signal.aborted) {
      const tokens = this.#kept.get(uid) ?? new Map<string, Kept>();
      this.#kept.set(uid, tokens.set(key, now));
    }
    return now.token;
  }

  /** When one of a pod's tokens should be replaced; undefined without any. */
  renewAtMs(uid: PodUid): number | undefined {
    const times = [...this.#kept.get(uid)?.values() ?? []]
      .map(({ renewAtMs }) => renewAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  forget(uid: PodUid): void {
    this.#kept.delete(uid);
  }

  /** Compat: kubelet 1.36: while the old one is good, it stays. */
  async #replace(
    ask: TokenAsk,
    old: Kept | undefined,
    signal: AbortSignal,
  ): Promise<Kept> {
    try {
      return await this.#issue(ask, signal);
    } catch (error) {
      const nowMs = this.#ports.clock.nowMs();
      const isGood = old !== undefined && nowMs < old.life.expiresAtMs;
      if (isAbort(error, signal) || !isGood) throw error;
      this.#ports.log.warn("Cannot replace a token that is still good", {
        pod: titleOf(ask.pod),
        error: chainOf(error),
      });
      return { ...old, renewAtMs: nowMs + RETRY_MS };
    }
  }

  async #issue(
    { pod, source }: TokenAsk,
    signal: AbortSignal,
  ): Promise<Kept> {
    const { objects, clock } = this.#ports;
    const { namespace, name, uid } = podNameOf(pod);
    const { audience, expirationSeconds } = source;
    const serviceAccount = pod.spec?.serviceAccountName || "default";
    if (objects === undefined) {
      throw new AgentError(
        `Cannot request a token of service account ` +
          `${namespace}/${serviceAccount}: this agent has no API server`,
        { next: "give-up" },
      );
    }
    const issued = await objects.createToken({
      namespace,
      serviceAccount,
      ...(audience === "" ? {} : { audience }),
      expirationSeconds,
      pod: { name, uid },
    }, signal);
    const { token, expiresAtMs } = issued;
    const nowMs = clock.nowMs();
    const life = lifeOfNew(nowMs, expiresAtMs, expirationSeconds);
    const kept = this.#keep(token, life);
    // However short its life is: the server is not asked all the time.
    const renewAtMs = Math.max(kept.renewAtMs, nowMs + RETRY_MS);
    return { ...kept, renewAtMs };
  }

  /** What a former run of the agent wrote. */
  async #onDisk(
    { pod, source, directory }: TokenAsk,
  ): Promise<Kept | undefined> {
    const { files, clock } = this.#ports;
    const data = await currentData(files, directory);
    if (data === undefined) return undefined;
    const path = `${directory}/${data}/${source.path}`;
    const found = await files.stat(path);
    if (found?.kind !== "file" || found.sizeBytes > LONGEST_BYTES) {
      return undefined;
    }
    const bytes = await files.read(path, LONGEST_BYTES);
    if (bytes === undefined) return undefined;
    const token = new TextDecoder().decode(bytes);
    const { expirationSeconds } = source;
    const life = lifeOf(token, {
      podUid: uidOf(pod),
      expirationSeconds,
      nowMs: clock.nowMs(),
    });
    return life === undefined ? undefined : this.#keep(token, life);
  }

  #keep(token: string, life: TokenLife): Kept {
    const fraction = this.#ports.random.fraction();
    return { token, life, renewAtMs: renewalAtMs(life, fraction) };
  }
}
