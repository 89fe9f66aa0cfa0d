/**
 * Makes sure that there is a kubeconfig to start with: uses the one that is
 * there, or gets a certificate with the bootstrap credential and writes one.
 * Tries for ever, says what is wrong meanwhile, and never ends the process.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type {
  Cluster,
  Keys,
  KubeconfigFacts,
  Kubeconfigs,
} from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import { clientWish } from "./csr.ts";
import { kubeconfigText } from "./kubeconfig.ts";
import { requestPair } from "./request.ts";
import {
  clockProblem,
  deniedDelayMs,
  isExpired,
  lacks,
  retryDelayMs,
} from "./rotate.ts";
import { PairStore } from "./store.ts";
import type { View } from "./view.ts";
import { mayBeSignedBy, readPair } from "./x509.ts";

const LONGEST_CA_BYTES = 1 << 20;

export interface ClientParts {
  readonly kubeconfigs: Kubeconfigs;
  readonly keys: Keys;
  /** Must follow links. */
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly view: View;
}

export interface ClientSettings {
  readonly nodeName: string;
  readonly kubeconfig: string;
  /** Empty: there is none. */
  readonly bootstrapKubeconfig: string;
  readonly certDir: string;
  readonly rotateCertificates: boolean;
}

export function clientStore(
  { files }: Pick<ClientParts, "files">,
  { certDir }: Pick<ClientSettings, "certDir">,
): PairStore {
  return new PairStore({ files, folder: certDir, prefix: "kubelet-client" });
}

/** Resolves as soon as `settings.kubeconfig` can be used. */
export async function ensureKubeconfig(
  parts: ClientParts,
  settings: ClientSettings,
  signal: AbortSignal,
): Promise<void> {
  const tries = new Tries();
  for (;;) {
    const found = await judgeKubeconfig(parts, settings);
    if (found.kind === "usable") return parts.view.solved();
    if (settings.bootstrapKubeconfig === "") {
      parts.view.problem(
        "unusable",
        `${found.why}, and there is no --bootstrap-kubeconfig to get another`,
      );
      tries.count("failed");
    } else {
      parts.log.info("Kubeconfig is not usable, bootstrapping", {
        why: found.why,
      });
      const outcome = await bootstrapOnce(parts, settings, signal);
      if (outcome === "done") return parts.view.solved();
      tries.count(outcome);
    }
    await parts.clock.sleep(tries.waitMs(parts.random.fraction()), signal);
  }
}

/** How often it went wrong in a row, and how long to wait therefore. */
export class Tries {
  #failed = 0;
  #denied = 0;

  count(outcome: "failed" | "denied" | "done"): void {
    this.#denied = outcome === "denied" ? this.#denied + 1 : 0;
    this.#failed = outcome === "failed" ? this.#failed + 1 : 0;
  }

  waitMs(fraction: number): number {
    return this.#denied > 0
      ? deniedDelayMs(this.#denied, fraction)
      : retryDelayMs(this.#failed, fraction);
  }
}

type Judged =
  | { readonly kind: "usable" }
  | { readonly kind: "unusable"; readonly why: string };

/**
 * Compat: kubelet 1.36 isClientConfigStillValid: with a bootstrap credential
 * at hand only a client certificate counts; without one, whatever is there.
 */
async function judgeKubeconfig(
  parts: ClientParts,
  settings: ClientSettings,
): Promise<Judged> {
  const { kubeconfig, bootstrapKubeconfig } = settings;
  const unusable = (why: string) => ({ kind: "unusable", why } as const);
  try {
    const facts = await parts.kubeconfigs.read(kubeconfig);
    if (facts === undefined) return unusable(`there is no file ${kubeconfig}`);
    if (bootstrapKubeconfig === "") return { kind: "usable" };
    if (facts.clientPair === undefined) {
      return unusable(`${kubeconfig} has no client certificate`);
    }
    const { certificate, key } = facts.clientPair;
    const reading = readPair(certificate, key);
    if (reading.kind === "broken") {
      return unusable(`the certificate of ${kubeconfig}: ${reading.why}`);
    }
    const { notAfterMs } = reading.facts;
    return isExpired(reading.facts, parts.clock.nowMs())
      ? unusable(
        `the certificate of ${kubeconfig} ended at ` +
          new Date(notAfterMs).toISOString(),
      )
      : { kind: "usable" };
  } catch (error) {
    return unusable(chainOf(error));
  }
}

/** One way from the bootstrap credential to a certificate and a kubeconfig. */
export async function bootstrapOnce(
  parts: ClientParts,
  settings: ClientSettings,
  signal: AbortSignal,
): Promise<"done" | "denied" | "failed"> {
  const { kubeconfigs, view } = parts;
  const path = settings.bootstrapKubeconfig;
  const cluster = kubeconfigs.open({ path });
  try {
    const facts = await kubeconfigs.read(path);
    if (facts === undefined) {
      view.problem("unusable", `there is no bootstrap kubeconfig ${path}`);
      return "failed";
    }
    const ca = await caText(parts, facts);
    const outcome = await renewWith(cluster, parts, { settings, signal, ca });
    if (outcome !== "done") return outcome;
    const text = kubeconfigText(
      facts,
      clientStore(parts, settings).currentPath,
    );
    await writeKubeconfig(parts, settings.kubeconfig, text);
    return "done";
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const isRefused = error instanceof AgentError &&
      error.reason === "Unauthorized";
    tellFailure(parts, cluster, {
      error,
      ...isRefused ? { advice: `put a fresh token into ${path}` } : {},
    });
    return "failed";
  } finally {
    cluster.close();
  }
}

async function caText(
  { files }: ClientParts,
  { ca }: KubeconfigFacts,
): Promise<string | undefined> {
  if (ca?.kind !== "file") return ca?.text;
  const bytes = await files.read(ca.path, LONGEST_CA_BYTES);
  return bytes && new TextDecoder().decode(bytes);
}

async function writeKubeconfig(
  { files }: ClientParts,
  path: string,
  text: string,
): Promise<void> {
  await files.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o755);
  await files.replace(path, new TextEncoder().encode(text), 0o600);
}

/** Gets a pair and makes it the current one, unless a good one is there. */
export async function renewWith(
  cluster: Cluster,
  parts: ClientParts,
  how: {
    readonly settings: ClientSettings;
    readonly signal: AbortSignal;
    /** `always` for a renewal; else a good one that is there is kept. */
    readonly when?: "always";
    /**
     * A pair that this CA has not signed is no good one, it may be a former
     * cluster's. Where clients have a CA of their own: asked for once more.
     */
    readonly ca?: string | undefined;
  },
): Promise<"done" | "denied" | "failed"> {
  const { settings, signal, when, ca = "" } = how;
  const { clock, keys, view } = parts;
  const store = clientStore(parts, settings);
  const wish = clientWish(settings.nodeName);
  const { held } = await store.load(clock.nowMs());
  if (
    when !== "always" && held !== undefined &&
    !isExpired(held.facts, clock.nowMs()) &&
    lacks(held.facts, wish) === undefined &&
    mayBeSignedBy(held.pair, ca)
  ) return "done";
  const { certificates } = cluster;
  const request = { certificates, clock, keys, store, view };
  const answer = await requestPair(request, wish, signal);
  if (answer.kind === "denied") {
    view.problem("denied", answer.message);
    return "denied";
  }
  if (answer.kind === "void") {
    view.problem("unreachable", answer.message);
    return "failed";
  }
  await store.save(answer.pair, clock.nowMs());
  await store.removePendingKey();
  return "done";
}

/** A wrong clock explains most of what goes wrong with certificates. */
export function tellFailure(
  { clock, view }: ClientParts,
  cluster: Cluster,
  what: {
    readonly error: unknown;
    /** What somebody may do about it. */
    readonly advice?: string;
    /** That the credential has ended, which explains the failure. */
    readonly ended?: string | undefined;
  },
): void {
  const serverMs = cluster.serverTimeMs();
  const known = { serverMs, notBeforeMs: undefined };
  const clockWords = clockProblem(clock.nowMs(), known);
  const { error, advice, ended } = what;
  const words = chainOf(error) + (advice === undefined ? "" : `: ${advice}`);
  if (clockWords !== undefined) {
    view.problem("clock", `${words}; ${clockWords}`);
  } else if (ended !== undefined) {
    view.problem("expired", `${ended} (${words})`);
  } else view.problem("unreachable", words);
}
