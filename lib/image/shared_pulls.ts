/**
 * One pull for all pods that want the same image with the same credentials at
 * once; it ends early when the last of them has gone. Pods with other
 * credentials never share: the one would profit from what the other may.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, isAbort } from "../base/errors.ts";
import type { Images, RegistryAuth } from "../port/images.ts";
import type { SandboxSpec } from "../port/runtime_spec.ts";
import { type Credential, hashOf, type Login } from "./credential.ts";
import { PullQueue, type QueueLimits } from "./pull_queue.ts";

export interface PullAsk {
  /** With its tag or digest. */
  readonly image: string;
  /** Tried in this order; none: without. */
  readonly credentials: readonly Credential[];
  /** Of the pod and its sandbox; who asks first is named. */
  readonly annotations?: ReadonlyMap<string, string>;
  readonly sandbox?: SandboxSpec | undefined;
  readonly priority: number;
  /** When the runtime is asked, or at once when it has been already. */
  readonly started: () => void;
}

export interface Pulled {
  readonly ref: string;
  /** The one that worked; undefined: it took none. */
  readonly credential: Credential | undefined;
  /** Without the wait for its turn. */
  readonly pullMs: number;
}

interface Shared {
  readonly pulled: Promise<Pulled>;
  readonly stop: AbortController;
  readonly waiting: Set<PullAsk>;
  isStarted: boolean;
}

export class SharedPulls {
  readonly #images: Images;
  readonly #clock: Clock;
  readonly #queue: PullQueue;
  readonly #shared = new Map<string, Shared>();

  constructor(images: Images, clock: Clock, limits: QueueLimits) {
    this.#images = images;
    this.#clock = clock;
    this.#queue = new PullQueue(clock, limits);
  }

  /** Rejects with the signal's reason as soon as it aborts. */
  async pull(ask: PullAsk, signal: AbortSignal): Promise<Pulled> {
    signal.throwIfAborted();
    const shared = this.#join(ask);
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = () => {
      shared.waiting.delete(ask);
      if (shared.waiting.size === 0) shared.stop.abort(signal.reason);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([shared.pulled, promise]);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #join(ask: PullAsk): Shared {
    const key = keyOf(ask);
    const known = this.#shared.get(key);
    if (known !== undefined && !known.stop.signal.aborted) {
      known.waiting.add(ask);
      if (known.isStarted) ask.started();
      return known;
    }
    const stop = new AbortController();
    const started = () => {
      shared.isStarted = true;
      for (const each of shared.waiting) each.started();
    };
    const shared: Shared = {
      stop,
      waiting: new Set([ask]),
      isStarted: false,
      pulled: this.#queue.run(
        () => this.#pull(ask, started, stop.signal),
        { priority: ask.priority, signal: stop.signal },
      ).finally(() => {
        if (this.#shared.get(key) === shared) this.#shared.delete(key);
      }),
    };
    // Everybody may have gone before it fails.
    shared.pulled.catch(() => {});
    this.#shared.set(key, shared);
    return shared;
  }

  async #pull(
    { image, credentials, annotations, sandbox }: PullAsk,
    started: () => void,
    signal: AbortSignal,
  ): Promise<Pulled> {
    started();
    const startedAtMs = this.#clock.monotonicMs();
    const choices = credentials.length === 0 ? [undefined] : credentials;
    const failures: unknown[] = [];
    for (const credential of choices) {
      try {
        const ref = await this.#images.pull({
          image,
          runtimeHandler: "",
          ...annotations === undefined ? {} : { annotations },
          ...sandbox === undefined ? {} : { sandbox },
          ...credential === undefined ? {} : { auth: authOf(credential.login) },
        }, signal);
        const pullMs = this.#clock.monotonicMs() - startedAtMs;
        return { ref, credential, pullMs };
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        failures.push(error);
      }
    }
    throw together(failures);
  }
}

/** Compat: utilerrors.NewAggregate: one message alone, several in brackets. */
function together(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (!(first instanceof AgentError)) return first;
  const messages = new Set(
    failures.map((each) => each instanceof Error ? each.message : `${each}`),
  );
  if (messages.size === 1) return first;
  const { reason, next } = first;
  return new AgentError(`[${[...messages].join(", ")}]`, {
    next,
    ...reason === undefined ? {} : { reason },
  });
}

function authOf({ username, password }: Login): RegistryAuth {
  return {
    username,
    password,
    auth: "",
    serverAddress: "",
    identityToken: "",
    registryToken: "",
  };
}

function keyOf({ image, credentials }: PullAsk): string {
  return JSON.stringify([
    image,
    credentials.map(({ login, source }) => [hashOf(login), source]),
  ]);
}
