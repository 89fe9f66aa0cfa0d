/** How many volumes there are of each kind, wanted and made. */
import type { Reader } from "./base/cell.ts";
import type { PodUid } from "./api/id.ts";
import type { V1Volume } from "./api/types.ts";
import type { Desired } from "./source/types.ts";
import type { VolumeState } from "./volume/types.ts";

const KINDS = [
  ["secret", "secret"],
  ["configMap", "configmap"],
  ["projected", "projected"],
  ["downwardAPI", "downward-api"],
  ["emptyDir", "empty-dir"],
  ["hostPath", "host-path"],
  ["nfs", "nfs"],
  ["image", "image"],
] as const;

type Row = readonly [
  { readonly plugin_name: string; readonly state: string },
  number,
];

/** Rows of `volume_manager_total_volumes`. */
export function volumeCounts({ desiredReader, volumes }: {
  readonly desiredReader: Reader<Desired>;
  readonly volumes: { stateOf(uid: PodUid): VolumeState | undefined };
}): Row[] {
  const wanted = new Map<string, number>();
  const made = new Map<string, number>();
  for (const [uid, { pod }] of desiredReader.get().pods) {
    const { phase } = pod.status ?? {};
    if (phase === "Succeeded" || phase === "Failed") continue;
    const state = volumes.stateOf(uid);
    const paths = state?.kind === "ready" ? state.paths : undefined;
    for (const volume of pod.spec?.volumes ?? []) {
      const path = paths?.get(volume.name);
      const plugin = pluginOf(volume, path ?? "");
      wanted.set(plugin, (wanted.get(plugin) ?? 0) + 1);
      if (path !== undefined) made.set(plugin, (made.get(plugin) ?? 0) + 1);
    }
  }
  return [
    ...rows(wanted, "desired_state_of_world"),
    ...rows(made, "actual_state_of_world"),
  ];
}

function rows(counts: ReadonlyMap<string, number>, state: string): Row[] {
  return [...counts].map(([plugin_name, count]) => [
    { plugin_name, state },
    count,
  ]);
}

/** What is behind a claim shows in its path once it is made. */
function pluginOf(volume: V1Volume, path: string): string {
  const kind = KINDS.find(([field]) => volume[field] !== undefined)?.[1] ??
    /\/volumes\/kubernetes\.io~([^/]+)\//.exec(path)?.[1];
  return kind === undefined ? "N/A" : `kubernetes.io/${kind}`;
}
