/**
 * `/metrics/cadvisor`: a series for each cgroup under the names that
 * dashboards and rules know. Pure. What no file of the kernel tells (load
 * averages, sockets, queue times of disks) is left out rather than shown as 0.
 * Compat: cadvisor 0.56 metrics/prometheus.go, kubelet 1.36
 * containerPrometheusLabelsFunc.
 */
import type { CgroupUse, InterfaceCounts, MachineDisk } from "../port/usage.ts";
import { type ContainerFamily, NETWORK_FAMILIES } from "./cadvisor_devices.ts";
import { diskReadings } from "./cadvisor_disks.ts";
import { machineFamilies, type MachineLabels } from "./cadvisor_machine.ts";
import { CONTAINER_FAMILIES } from "./cadvisor_families.ts";
import { type Family, labelText, type Series } from "./exposition.ts";
import type { Figures, PodFigures, Sample } from "./types.ts";

interface Row {
  readonly labels: string;
  readonly use: CgroupUse;
  readonly startedAtMs: number | undefined;
  /** Of the machine's own row. */
  readonly disks: readonly MachineDisk[];
}

/** Family by family, so that a big answer is made in slices. */
export function* cadvisorFamilies(
  figures: Figures | undefined,
  machine: MachineLabels,
): Generator<Family> {
  yield* machineFamilies(machine);
  yield {
    name: "container_scrape_error",
    help:
      "1 if there was an error while getting container metrics, 0 otherwise",
    type: "gauge",
    series: [{ labels: "", value: figures === undefined ? 1 : 0 }],
  };
  if (figures === undefined) return;
  const rows = rowsOf(figures, machine);
  for (const family of CONTAINER_FAMILIES) yield containerFamily(family, rows);
  yield {
    name: "container_last_seen",
    help: "Last time a container was seen by the exporter",
    type: "gauge",
    series: rows.map(({ labels, use }) => ({
      labels,
      value: Math.floor(use.atMs / 1000),
      atMs: use.atMs,
    })),
  };
  yield {
    name: "container_start_time_seconds",
    help: "Start time of the container since unix epoch in seconds.",
    type: "gauge",
    series: rows.flatMap(({ labels, startedAtMs }) =>
      startedAtMs === undefined
        ? []
        : [{ labels, value: Math.floor(startedAtMs / 1000) }]
    ),
  };
  const interfaces = interfaceRows(figures);
  for (const { read, ...head } of NETWORK_FAMILIES) {
    yield {
      ...head,
      series: interfaces.map(({ labels, counts, atMs }) => ({
        labels,
        value: read(counts),
        atMs,
      })),
    };
  }
}

function containerFamily(
  { read, readDisk, ...head }: ContainerFamily,
  rows: readonly Row[],
): Family {
  const series: Series[] = [];
  for (const { labels, use, disks } of rows) {
    const readings = readDisk !== undefined && disks.length > 0
      ? diskReadings(disks, readDisk)
      : read(use);
    for (const { extra, value } of readings) {
      const all = extra === undefined ? labels : `${labels},${extra}`;
      series.push({ labels: all, value, atMs: use.atMs });
    }
  }
  return { ...head, series };
}

/** The whole, all pods, each pod, its sandbox and its containers. */
function rowsOf(figures: Figures, { bootedAtMs }: MachineLabels): Row[] {
  const { node, nodeDisks: disks, allPods, pods } = figures;
  const shared = [
    ...allPods === undefined ? [] : [allPods],
    ...figures.classes,
  ];
  return [
    { ...rowOf(node, {}), startedAtMs: bootedAtMs, disks },
    ...shared.map((sample) => rowOf(sample, {})),
    ...pods.flatMap(podRows),
  ];
}

function podRows(each: PodFigures): Row[] {
  const { whole, sandbox, pod: { sandboxStartedAtMs: startedAtMs } } = each;
  return [
    ...whole === undefined
      ? []
      : [{ ...rowOf(whole, podOf(each)), startedAtMs }],
    ...sandbox === undefined ? [] : [{
      ...rowOf(sandbox, { ...podOf(each), ...sandboxOf(each) }),
      startedAtMs,
    }],
    ...each.containers.map((sample) => ({
      ...rowOf(sample, {
        ...podOf(each),
        name: sample.container.id,
        image: sample.container.image,
        container: sample.container.name,
      }),
      startedAtMs: sample.container.startedAtMs,
    })),
  ];
}

function podOf({ pod }: PodFigures) {
  return { namespace: pod.namespace, pod: pod.name };
}

function sandboxOf({ pod, sandboxImage: image }: PodFigures) {
  return { name: pod.sandbox ?? "", image };
}

interface Names {
  readonly container?: string;
  readonly image?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly pod?: string;
}

/** Every label is there, empty where it does not apply. */
function rowOf({ cgroup, use }: Sample, names: Names): Row {
  const { container = "", image = "", name = "" } = names;
  const { namespace = "", pod = "" } = names;
  const labels = labelText([
    ["container", container],
    ["id", cgroup],
    ["image", image],
    ["name", name],
    ["namespace", namespace],
    ["pod", pod],
  ]);
  return { labels, use, startedAtMs: undefined, disks: [] };
}

interface InterfaceRow {
  readonly labels: string;
  readonly counts: InterfaceCounts;
  readonly atMs: number;
}

/** On the sandbox, and for the node on the whole; not for host networks. */
function interfaceRows({ node, nodeNetwork, pods }: Figures): InterfaceRow[] {
  const owners = [
    { sample: node, names: {}, network: nodeNetwork },
    ...pods.flatMap((each) => {
      const sample = each.sandbox ?? each.whole;
      if (sample === undefined || each.network === undefined) return [];
      const names = { ...podOf(each), ...sandboxOf(each) };
      return [{ sample, names, network: each.network }];
    }),
  ];
  return owners.flatMap(({ sample, names, network }) => {
    const { labels } = rowOf(sample, names);
    return network.map((counts) => ({
      labels: `${labels},${labelText([["interface", counts.name]])}`,
      counts,
      atMs: sample.use.atMs,
    }));
  });
}
