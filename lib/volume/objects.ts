/**
 * Secrets and config maps for volumes. Pods that need the same object share
 * one request and, for a while, its answer. An object is kept under its kind,
 * namespace and name, so that it never is another namespace's.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { ApiObject, ClusterObjects } from "../port/cluster.ts";
import { orAborted } from "../base/wait.ts";

/** What does not change may be older: the cluster's CA, what is immutable. */
const STEADY_FRESH_MS = 60_000;
/** A pod made after a change must not get what was there before. */
const FRESH_MS = 2_000;
/** Compat: kube-controller-manager publishes it in every namespace. */
const ROOT_CA = "kube-root-ca.crt";

export interface ObjectAsk {
  readonly kind: "secret" | "configmap";
  readonly namespace: string;
  readonly name: string;
}

interface Known {
  readonly object: ApiObject;
  readonly staleAtMs: number;
}

export class ObjectCache {
  readonly #objects: ClusterObjects | undefined;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<ApiObject | undefined>>();

  constructor(objects: ClusterObjects | undefined, clock: Clock) {
    this.#objects = objects;
    this.#clock = clock;
  }

  /**
   * Undefined when there is no such object, which is never remembered.
   * `own` ends this wait, `common` the request that others may share.
   */
  async get(
    ask: ObjectAsk,
    signals: { readonly own: AbortSignal; readonly common: AbortSignal },
  ): Promise<ApiObject | undefined> {
    this.#dropOld();
    const key = keyOf(ask);
    const known = this.#known.get(key);
    if (known !== undefined) return known.object;
    const running = this.#asked.get(key) ?? this.#fetch(ask, signals.common);
    return await orAborted(running, signals.own);
  }

  /** The next one to ask gets it anew: it was not what was expected. */
  forget(ask: ObjectAsk): void {
    this.#known.delete(keyOf(ask));
  }

  #fetch(
    ask: ObjectAsk,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    const key = keyOf(ask);
    const askedAtMs = this.#clock.monotonicMs();
    const fetched = this.#ask(ask, signal).then((object) => {
      if (object === undefined) return undefined;
      const isSteady = ask.name === ROOT_CA || object.immutable === true;
      const freshMs = isSteady ? STEADY_FRESH_MS : FRESH_MS;
      this.#known.set(key, { object, staleAtMs: askedAtMs + freshMs });
      return object;
    }).finally(() => this.#asked.delete(key));
    this.#asked.set(key, fetched);
    return fetched;
  }

  async #ask(
    { kind, namespace, name }: ObjectAsk,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    if (this.#objects === undefined) {
      throw new AgentError(
        `Cannot get ${kind} ${namespace}/${name}: this agent has no API server`,
        { next: "give-up" },
      );
    }
    const ref = { namespace, name };
    return kind === "secret"
      ? await this.#objects.secret(ref, signal)
      : await this.#objects.configMap(ref, signal);
  }

  #dropOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { staleAtMs }] of this.#known) {
      if (nowMs >= staleAtMs) this.#known.delete(key);
    }
  }
}

function keyOf({ kind, namespace, name }: ObjectAsk): string {
  return JSON.stringify([kind, namespace, name]);
}
