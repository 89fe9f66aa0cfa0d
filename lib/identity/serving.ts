/**
 * Keeps the pair that the node's own server shows: asked for at the cluster
 * with `serverTLSBootstrap`, else signed by itself; either way it names every
 * address of the node and follows them. Until the cluster has answered, a
 * self-signed one stands in, so that the server never has nothing to show.
 */
import type { Reader, Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { ClusterCertificates, Keys } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import { Tries } from "./bootstrap.ts";
import { servingWish, type Wish } from "./csr.ts";
import { requestPair } from "./request.ts";
import { lacks, renewAtMs } from "./rotate.ts";
import { ownPair, standIn } from "./self_signed.ts";
import { type Held, PairStore } from "./store.ts";
import type { NodeAddress } from "../node/types.ts";
import type { Pair } from "./types.ts";
import type { View } from "./view.ts";

export interface ServingParts {
  /** Undefined: a standalone node, which has nobody to ask. */
  readonly certificates: ClusterCertificates | undefined;
  readonly keys: Keys;
  /** Must follow links. */
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly view: View;
  readonly addresses: Reader<readonly NodeAddress[]>;
  /** What the server shows; written by this loop only. */
  readonly pair: Writer<Pair | undefined>;
}

export interface ServingSettings {
  readonly nodeName: string;
  readonly certDir: string;
  readonly serverTLSBootstrap: boolean;
}

const LOOK_EVERY_MS = 60_000;

/** One pass after another; addresses that change begin a new one. */
export async function runServingCertificate(
  parts: ServingParts,
  settings: ServingSettings,
  signal: AbortSignal,
): Promise<void> {
  const round = new Round(parts, settings);
  const ended = new AbortController();
  const whole = AbortSignal.any([signal, ended.signal]);
  let changed = new AbortController();
  const watching = tellChanges(parts.addresses, whole, () => {
    changed.abort(new DOMException("Addresses changed", "AbortError"));
  });
  try {
    for (;;) {
      changed = new AbortController();
      const both = AbortSignal.any([signal, changed.signal]);
      try {
        await round.run(both);
      } catch (error) {
        if (signal.aborted || !isAbort(error, both)) throw error;
      }
    }
  } finally {
    ended.abort(new DOMException("Serving ended", "AbortError"));
    await watching;
  }
}

async function tellChanges(
  addresses: Reader<readonly NodeAddress[]>,
  signal: AbortSignal,
  tell: () => void,
): Promise<void> {
  let before = JSON.stringify(addresses.get());
  for await (const now of addresses.changes(signal)) {
    const text = JSON.stringify(now);
    if (text !== before) tell();
    before = text;
  }
}

class Round {
  readonly #parts: ServingParts;
  readonly #settings: ServingSettings;
  readonly #store: PairStore;
  readonly #fraction: number;
  readonly #tries = new Tries();
  /** The addresses of the pair that stands in, where one does. */
  #standInFor: string | undefined;

  constructor(parts: ServingParts, settings: ServingSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#fraction = parts.random.fraction();
    this.#store = new PairStore({
      files: parts.files,
      folder: settings.certDir,
      prefix: "kubelet-server",
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { certificates } = this.#parts;
    const isAsked = this.#settings.serverTLSBootstrap &&
      certificates !== undefined;
    try {
      if (isAsked) await this.#asked(certificates, signal);
      else await this.#own(signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      await this.#failed(error, signal);
    }
  }

  /** A disk that cannot be written leaves the server something to show. */
  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, view } = this.#parts;
    view.problem("unreachable", chainOf(error));
    await this.#showBest(undefined);
    this.#tries.count("failed");
    await clock.sleep(this.#tries.waitMs(random.fraction()), signal);
  }

  async #own(signal: AbortSignal): Promise<void> {
    const { addresses, clock, view } = this.#parts;
    const held = await ownPair(this.#parts, {
      ...this.#settings,
      addresses: addresses.get(),
    });
    this.#show(held.pair);
    view.holds(held.facts, undefined);
    await clock.sleep(LOOK_EVERY_MS, signal);
  }

  async #asked(
    certificates: ClusterCertificates,
    signal: AbortSignal,
  ): Promise<void> {
    const { addresses, clock, view } = this.#parts;
    const { nodeName } = this.#settings;
    const wish = servingWish(nodeName, addresses.get());
    const { held } = await this.#store.load(clock.nowMs());
    const dueMs = this.#dueAtMs(held, wish);
    await this.#showBest(held);
    if (held !== undefined) view.holds(held.facts, dueMs);
    const waitMs = wish === undefined ? Infinity : dueMs - clock.nowMs();
    if (wish === undefined || waitMs > 0) {
      if (held !== undefined && waitMs > 0) view.solved();
      return await clock.sleep(Math.min(waitMs, LOOK_EVERY_MS), signal);
    }
    const outcome = await this.#ask(certificates, wish, signal);
    this.#tries.count(outcome);
    const { random } = this.#parts;
    await clock.sleep(
      outcome === "done" ? 0 : this.#tries.waitMs(random.fraction()),
      signal,
    );
  }

  #dueAtMs(held: Held | undefined, wish: Wish | undefined): number {
    if (held === undefined) return -Infinity;
    if (wish !== undefined && lacks(held.facts, wish) !== undefined) {
      return -Infinity;
    }
    return renewAtMs(held.facts, this.#fraction);
  }

  async #ask(
    certificates: ClusterCertificates,
    wish: Wish,
    signal: AbortSignal,
  ): Promise<"done" | "denied" | "failed"> {
    const { clock, keys, view } = this.#parts;
    const store = this.#store;
    const parts = { certificates, clock, keys, store, view };
    try {
      const answer = await requestPair(parts, wish, signal);
      if (answer.kind !== "issued") {
        const kind = answer.kind === "denied" ? "denied" : "unreachable";
        view.problem(kind, answer.message);
        return answer.kind === "denied" ? "denied" : "failed";
      }
      await store.save(answer.pair, clock.nowMs());
      await store.removePendingKey();
      this.#show(answer.pair);
      view.solved();
      return "done";
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      view.problem("unreachable", chainOf(error));
      return "failed";
    }
  }

  async #showBest(held: Held | undefined): Promise<void> {
    const { addresses, clock } = this.#parts;
    const isGood = held !== undefined && held.facts.notAfterMs > clock.nowMs();
    if (isGood) return this.#show(held.pair);
    const node = { ...this.#settings, addresses: addresses.get() };
    const isShown = this.#standInFor === JSON.stringify(node.addresses);
    if (isShown) return;
    this.#show(await standIn(this.#parts, node));
    this.#standInFor = JSON.stringify(node.addresses);
  }

  #show(pair: Pair): void {
    this.#standInFor = undefined;
    const before = this.#parts.pair.get();
    if (before?.certificate !== pair.certificate || before.key !== pair.key) {
      this.#parts.pair.set(pair);
    }
  }
}
