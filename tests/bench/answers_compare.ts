/** What one of two answers tells and the other does not. Pure. */

/** By name: the type, and each set of labels that some series has. */
export type Families = ReadonlyMap<
  string,
  { readonly type: string; readonly labels: ReadonlySet<string> }
>;

export interface Missing {
  readonly path: string;
  readonly what: string;
}

/** Something that is left out knowingly, and why. */
interface Exception {
  readonly path: string;
  readonly what: RegExp;
  readonly reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    path: "/metrics",
    what: /^metric go_/,
    reason: "There is no Go in it",
  },
  {
    path: "/metrics",
    what: /^metric (aggregator_|apiserver_|cardinality_)/,
    reason: "Of the API server's library, which the kubelet links",
  },
  {
    path: "/metrics",
    what: /^metric workqueue_/,
    reason: "There are no such queues; `denolet explain` shows the loops",
  },
  {
    path: "/metrics",
    what: /^metric registered_metrics_total/,
    reason: "It counts the kubelet's own declarations",
  },
  {
    path: "/metrics",
    what: /^metric rest_client_(exec_plugin|transport|rate_limiter)_/,
    reason: "Of client-go's transports, of which there are none",
  },
  {
    path: "/metrics",
    what: /^metric (dra_|kubelet_topology_manager_admission_duration_ms)/,
    reason: "No devices are claimed, and nothing is aligned",
  },
  {
    path: "/metrics",
    what: /^metric kubelet_(evented_pleg_connection_|pleg_pod_relist_)/,
    reason: "Of the kubelet's own way to follow containers",
  },
  {
    path: "/metrics/cadvisor",
    what:
      /^metric container_(tasks_state|cpu_load_(d_)?average_10s|health_state)/,
    reason: "Constants, as the kubelet reads no load and knows no health",
  },
  {
    path: "/metrics/cadvisor",
    what: /^metric container_(file_descriptors|sockets|ulimits_soft)/,
    reason: "Read from every process's own files, which are not granted",
  },
  {
    path: "/metrics/cadvisor",
    what: /^metric container_spec_memory_reservation_limit_bytes/,
    reason: "Version 1's soft limit, which is no reservation",
  },
  {
    path: "/metrics/cadvisor",
    what: /^metric machine_(cpu_books|cpu_drawers|nvm_)/,
    reason: "Of mainframes and of memory that is no more sold",
  },
  {
    path: "/stats/summary",
    what: /\.psi\./,
    reason: "Zeros where the kernel does not tell, as on version 1",
  },
  {
    path: "/stats/summary",
    what: /\.io\.time/,
    reason: "A time without figures",
  },
  {
    path: "/pods",
    what: /config\.seen|lastProbeTime: null/,
    reason: "An instant that only the kubelet needs, and a null",
  },
];

export function unexpected(missing: readonly Missing[]): Missing[] {
  return missing.filter(({ path, what }) =>
    !EXCEPTIONS.some((each) => each.path === path && each.what.test(what))
  );
}

/** Of an exposition in Prometheus' text format. */
export function familiesIn(text: string): Families {
  const found = new Map<string, { type: string; labels: Set<string> }>();
  for (const line of text.split("\n")) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      found.set(name, { type, labels: new Set() });
    }
    const [, series, inside] = /^([a-zA-Z_:0-9]+)(?:\{(.*)\})? /.exec(line) ??
      [];
    if (series === undefined || line.startsWith("#")) continue;
    const family = found.get(series) ??
      found.get(series.replace(/_(bucket|sum|count)$/, ""));
    const names = (inside ?? "").matchAll(/([a-zA-Z_0-9]+)="/g)
      .map(([, label = ""]) => label);
    family?.labels.add(
      [...names].filter((each) => each !== "le").sort().join(),
    );
  }
  return found;
}

export function missingFamilies(
  path: string,
  ours: Families,
  theirs: Families,
): Missing[] {
  return [...theirs].flatMap(([name, { type, labels }]) => {
    const own = ours.get(name);
    if (own === undefined) return [{ path, what: `metric ${name}` }];
    if (own.type !== type) {
      return [{ path, what: `${name} is ${type}, not ${own.type}` }];
    }
    return [...labels].filter((set) => !own.labels.has(set))
      .map((set) => ({ path, what: `labels of ${name}: ${set}` }));
  });
}

/** Where members are named by what is at hand, only that there are some. */
export function missingMembers(
  path: string,
  ours: unknown,
  theirs: unknown,
): Missing[] {
  const own = new Set(membersOf(ours, ""));
  return [...new Set(membersOf(theirs, ""))]
    .filter((each) => !own.has(each) && !each.includes("managedFields"))
    .map((what) => ({ path, what }));
}

function membersOf(value: unknown, at: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((each) => membersOf(each, `${at}[]`));
  }
  if (typeof value !== "object" || value === null) {
    return [`${at}: ${value === null ? "null" : typeof value}`];
  }
  return Object.entries(value)
    .flatMap(([name, member]) => membersOf(member, `${at}.${name}`));
}
