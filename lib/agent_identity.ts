/**
 * The wiring of the node's certificates: the one it shows to the API server,
 * the one its own server shows, and what is wrong with them.
 */
import { cell, type Reader, type Writer } from "./base/cell.ts";
import type { Clock } from "./base/clock.ts";
import type { Logger } from "./base/log.ts";
import type { Counter } from "./base/metrics.ts";
import type { Random } from "./base/random.ts";
import type { Meters } from "./api/meters.ts";
import type { Config } from "./config/load.ts";
import { ensureKubeconfig } from "./identity/bootstrap.ts";
import { runClientCertificate } from "./identity/run.ts";
import { runServingCertificate } from "./identity/serving.ts";
import { certificateSettings } from "./identity/settings.ts";
import {
  type CertificateView,
  emptyView,
  type Pair,
} from "./identity/types.ts";
import { View } from "./identity/view.ts";
import type { NodeAddress } from "./node/types.ts";
import type { Cluster, Keys, Kubeconfigs } from "./port/cluster.ts";
import type { Files } from "./port/host.ts";

interface IdentityPorts {
  readonly cluster: Cluster;
  readonly kubeconfigs: Kubeconfigs;
  readonly keys: Keys;
  readonly certificateFiles: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meters: Pick<
    Meters,
    "clientRenewErrors" | "servingRenewErrors" | "servingRotation"
  >;
}

export function createIdentity(config: Config, ports: IdentityPorts) {
  const settings = certificateSettings(config);
  const { cluster, meters } = ports;
  const [client, clientView] = cell<CertificateView>(emptyView("client"));
  const [serving, servingView] = cell<CertificateView>(emptyView("serving"));
  const [problems, problemsReader] = cell<readonly string[]>([]);
  const [pair, pairReader] = cell<Pair | undefined>(undefined);
  const views = [clientView, servingView];
  const shared = { ...ports, files: ports.certificateFiles };
  const view = viewOf(ports, client, meters.clientRenewErrors);
  return {
    /** The pair is what the server shows where no file is configured. */
    facts: { certificates: views, servingPair: pairReader },
    problems: problemsReader,
    run: async (opened: () => void, signal: AbortSignal) => {
      await Promise.all([
        ...views.map((each) => tellProblems(each, views, { problems, signal })),
        countRotations(servingView, ports, signal),
        ensureKubeconfig({ ...shared, view }, settings, signal).then(() => {
          opened();
          return runClientCertificate({ ...shared, view }, settings, {
            cluster,
            signal,
          });
        }),
      ]);
    },
    serve: async (
      node: Reader<{ readonly addresses: readonly NodeAddress[] } | undefined>,
      signal: AbortSignal,
    ) => {
      if (config.kubelet.tlsCertFile !== "") return;
      const [addresses, reader] = cell<readonly NodeAddress[]>(
        node.get()?.addresses ?? [],
      );
      const follow = async () => {
        for await (const known of node.changes(signal)) {
          if (known !== undefined) addresses.set(known.addresses);
        }
      };
      await Promise.all([
        follow(),
        runServingCertificate(
          {
            ...shared,
            certificates: cluster.certificates,
            view: viewOf(ports, serving, meters.servingRenewErrors),
            addresses: reader,
            pair,
          },
          settings,
          signal,
        ),
      ]);
    },
  };
}

async function tellProblems(
  view: Reader<unknown>,
  views: readonly Reader<CertificateView>[],
  { problems, signal }: {
    readonly problems: Writer<readonly string[]>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for await (const _ of view.changes(signal)) {
    const words = problemsOf(views);
    if (words.join("\n") !== problems.get().join("\n")) problems.set(words);
  }
}

/** Tells how old each certificate is that another takes the place of. */
async function countRotations(
  shown: Reader<CertificateView>,
  { clock, meters }: Pick<IdentityPorts, "clock" | "meters">,
  signal: AbortSignal,
): Promise<void> {
  let before = shown.get().notBeforeMs;
  for await (const { notBeforeMs } of shown.changes(signal)) {
    if (notBeforeMs === undefined || notBeforeMs === before) continue;
    if (before !== undefined) {
      const livedMs = clock.nowMs() - before;
      meters.servingRotation.observe({}, livedMs / 1000);
    }
    before = notBeforeMs;
  }
}

function viewOf(
  ports: IdentityPorts,
  shown: Writer<CertificateView>,
  failures: Counter<never>,
): View {
  return new View({
    ...ports,
    cell: shown,
    failed: () => failures.add({}),
  });
}

function problemsOf(views: readonly Reader<CertificateView>[]): string[] {
  return views.flatMap((each) => each.get().problem ?? [])
    .map(({ reason, message }) => `${reason}: ${message}`);
}
