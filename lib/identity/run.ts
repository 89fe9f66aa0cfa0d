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
      if (held !== undefined) tellStanding(parts, settings, { held, cluster });
      await clock.sleep(Math.min(dueMs - nowMs, LOOK_EVERY_MS), signal);
      continue;
    }
    const outcome = await renew(parts, settings, { ...how, held });
    if (outcome === "done") cluster.reconnect();
    const fresh = outcome === "done"
      ? await heldPair(parts, settings)
      : undefined;
    const isOver = dueAtMs(fresh, { settings, fraction }) > nowMs;
    if (outcome === "done" && isOver) view.solved();
    if (fresh !== undefined && !isOver) tellDueAgain(parts, fresh, nowMs);
    // One that is due again at once must not become a flood of requests.
    tries.count(outcome === "done" && !isOver ? "failed" : outcome);
    const waitMs = isOver
      ? retryDelayMs(1, random.fraction())
      : tries.waitMs(random.fraction());
    await clock.sleep(waitMs, signal);
  }
}

/** A server whose certificates have ended by its own clock. */
function tellDueAgain({ view }: ClientParts, { facts }: Held, nowMs: number) {
  const { notBeforeMs, notAfterMs } = facts;
  const [from, to, now] = [notBeforeMs, notAfterMs, nowMs]
    .map((ms) => new Date(ms).toISOString());
  view.problem(
    "clock",
    `a certificate that was just issued is due again: it is valid from ` +
      `${from} to ${to}, and the API server's clock says ${now}: ` +
      "set the clocks of the control plane, or let certificates live longer",
  );
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
  const { clock, view } = parts;
  try {
    const store = clientStore(parts, settings);
    const { held, broken } = await store.load(clock.nowMs());
    if (broken !== undefined) view.problem("unusable", `set aside ${broken}`);
    return settings.rotateCertificates ? held : await ownPair(parts, settings);
  } catch (error) {
    view.problem("unusable", chainOf(error));
    return undefined;
  }
}

/** The pair that the kubeconfig names. */
async function ownPair(
  { kubeconfigs }: ClientParts,
  { kubeconfig }: ClientSettings,
): Promise<Held | undefined> {
  const facts = await kubeconfigs.read(kubeconfig);
  if (facts?.clientPair === undefined) return undefined;
  const { certificate, key } = facts.clientPair;
  const reading = readPair(certificate, key);
  return reading.kind === "whole" ? reading : undefined;
}

function tellStanding(
  parts: ClientParts,
  settings: ClientSettings,
  { held, cluster }: { readonly held: Held; readonly cluster: Cluster },
): void {
  const { clock, view } = parts;
  const { notBeforeMs } = held.facts;
  const serverMs = cluster.serverTimeMs();
  const skew = clockProblem(clock.nowMs(), { serverMs, notBeforeMs });
  if (skew !== undefined) return view.problem("clock", skew);
  if (isExpired(held.facts, trueNowMs(parts, cluster))) {
    view.problem("expired", endedWords(held, settings));
  } else view.solved();
}

function endedWords({ facts }: Held, { kubeconfig }: ClientSettings): string {
  const end = new Date(facts.notAfterMs).toISOString();
  return `the client certificate of ${kubeconfig} ended at ${end}, and there ` +
    "is no --bootstrap-kubeconfig to get another: name one with a fresh " +
    `token, or put a new certificate into ${kubeconfig}`;
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
  const { cluster, signal } = how;
  // With nothing in the store yet, the kubeconfig's own pair is shown.
  const shown = how.held ??
    await ownPair(parts, settings).catch(() => undefined);
  const isUseless = shown !== undefined &&
    isExpired(shown.facts, trueNowMs(parts, cluster));
  if (isUseless && settings.bootstrapKubeconfig !== "") {
    return await bootstrapOnce(parts, settings, signal);
  }
  try {
    const ask = { settings, signal, when: "always" } as const;
    return await renewWith(cluster, parts, ask);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const ended = isUseless ? endedWords(shown, settings) : undefined;
    tellFailure(parts, cluster, { error, ended });
    return "failed";
  }
}
