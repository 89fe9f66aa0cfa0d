/**
 * Keeps the client certificate fresh: renews it in time with itself, gets
 * another with the bootstrap credential when it has expired all the same, and
 * says so when neither works. The new one is used without a restart.
 */
import { chainOf, isAbort } from "../base/errors.ts";
import type { Cluster } from "../port/cluster.ts";
import {
  bootstrapOnce,
  type ClientParts,
  type ClientSettings,
  clientStore,
  renewWith,
  tellFailure,
  Tries,
} from "./bootstrap.ts";
import { clientWish } from "./csr.ts";
import {
  clockProblem,
  isExpired,
  lacks,
  renewAtMs,
  retryDelayMs,
} from "./rotate.ts";
import type { Held } from "./store.ts";
import { readPair } from "./x509.ts";

/** The wall clock may jump, and a suspended machine sleeps past timers. */
const LOOK_EVERY_MS = 60_000;

export async function runClientCertificate(
  parts: ClientParts,
  settings: ClientSettings,
  how: { readonly cluster: Cluster; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, random, view } = parts;
  const { cluster, signal } = how;
  const fraction = random.fraction();
  const tries = new Tries();
  for (;;) {
    const held = await heldPair(parts, settings);
    const nowMs = trueNowMs(parts, cluster);
    const dueMs = dueAtMs(held, { settings, fraction });
    if (held !== undefined) {
      view.holds(held.facts, dueMs === Infinity ? undefined : dueMs);
    }
    if (dueMs > nowMs) {
      if (held !== undefined) tellStanding(parts, held, cluster);
      await clock.sleep(Math.min(dueMs - nowMs, LOOK_EVERY_MS), signal);
      continue;
    }
    const outcome = await renew(parts, settings, { ...how, held });
    tries.count(outcome);
    if (outcome === "done") {
      cluster.reconnect();
      view.solved();
      // One that is due again at once must not become a flood of requests.
      await clock.sleep(retryDelayMs(1, random.fraction()), signal);
    } else await clock.sleep(tries.waitMs(random.fraction()), signal);
  }
}

/** Certificates are judged by the clock of those who look at them. */
function trueNowMs({ clock }: ClientParts, cluster: Cluster): number {
  return cluster.serverTimeMs() ?? clock.nowMs();
}

/** When to renew; with nothing to renew and no wish to rotate: never. */
function dueAtMs(
  held: Held | undefined,
  how: { readonly settings: ClientSettings; readonly fraction: number },
): number {
  const { rotateCertificates, bootstrapKubeconfig, nodeName } = how.settings;
  if (held === undefined) return rotateCertificates ? -Infinity : Infinity;
  if (rotateCertificates) {
    const isOther = lacks(held.facts, clientWish(nodeName)) !== undefined;
    return isOther ? -Infinity : renewAtMs(held.facts, how.fraction);
  }
  return bootstrapKubeconfig === "" ? Infinity : held.facts.notAfterMs;
}

/** What rotates is in the store; else it is the kubeconfig's own. */
async function heldPair(
  parts: ClientParts,
  settings: ClientSettings,
): Promise<Held | undefined> {
  const { clock, kubeconfigs, view } = parts;
  try {
    const store = clientStore(parts, settings);
    const { held, broken } = await store.load(clock.nowMs());
    if (broken !== undefined) view.problem("unusable", `set aside ${broken}`);
    if (settings.rotateCertificates) return held;
    const facts = await kubeconfigs.read(settings.kubeconfig);
    if (facts?.clientPair === undefined) return undefined;
    const { certificate, key } = facts.clientPair;
    const reading = readPair(certificate, key);
    return reading.kind === "whole" ? reading : undefined;
  } catch (error) {
    view.problem("unusable", chainOf(error));
    return undefined;
  }
}

function tellStanding(
  parts: ClientParts,
  held: Held,
  cluster: Cluster,
): void {
  const { clock, view } = parts;
  const { notBeforeMs, notAfterMs } = held.facts;
  const serverMs = cluster.serverTimeMs();
  const skew = clockProblem(clock.nowMs(), { serverMs, notBeforeMs });
  if (skew !== undefined) return view.problem("clock", skew);
  if (isExpired(held.facts, trueNowMs(parts, cluster))) {
    const end = new Date(notAfterMs).toISOString();
    view.problem("expired", `the client certificate ended at ${end}`);
  } else view.solved();
}

async function renew(
  parts: ClientParts,
  settings: ClientSettings,
  how: {
    readonly cluster: Cluster;
    readonly signal: AbortSignal;
    readonly held: Held | undefined;
  },
): Promise<"done" | "denied" | "failed"> {
  const { cluster, signal, held } = how;
  const isUseless = held !== undefined &&
    isExpired(held.facts, trueNowMs(parts, cluster));
  if (isUseless && settings.bootstrapKubeconfig !== "") {
    return await bootstrapOnce(parts, settings, signal);
  }
  try {
    const ask = { settings, signal, when: "always" } as const;
    return await renewWith(cluster, parts, ask);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    tellFailure(parts, cluster, error);
    return "failed";
  }
}
