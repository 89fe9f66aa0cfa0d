/**
 * `/metrics/resource`: what metrics-server reads. Pure.
 * Compat: kubelet 1.36 metrics/collectors/resource_metrics.go. metrics-server
 * reads it as text: a name is followed by `{` at once, and every sample of a
 * cgroup carries the millisecond at which it was taken.
 */
import { type Family, labelText, seconds, type Series } from "./exposition.ts";
import type { ContainerFigures, Figures, PodFigures, Sample } from "./types.ts";

type Read = (sample: Sample) => Pick<Series, "value"> | undefined;

const cpu: Read = ({ use: { cpu } }) => cpu && { value: seconds(cpu.usageNs) };
const memory: Read = ({ use: { memory } }) =>
  memory && { value: memory.workingSetBytes };
const swap: Read = ({ use: { memory } }) =>
  memory && { value: memory.swapBytes };
const swapLimit: Read = ({ use: { memory } }) =>
  memory?.swapLimitBytes === undefined
    ? undefined
    : { value: memory.swapLimitBytes };

/** `figures` undefined: they could not be had, which is told too. */
export function resourceFamilies(figures: Figures | undefined): Family[] {
  if (figures === undefined) return [failed(1)];
  const node = [{ labels: "", sample: figures.node }];
  const pods = figures.pods.flatMap((each) =>
    each.whole === undefined
      ? []
      : [{ labels: podLabels(each), sample: each.whole }]
  );
  const containers = figures.pods.flatMap((each) =>
    each.containers.map((container) => ({
      labels: containerLabels(each, container),
      sample: container,
    }))
  );
  return [
    family(CPU("node", "node"), node, cpu),
    family(MEMORY("node", "node"), node, memory),
    family(SWAP("node", "node"), node, swap),
    family(CPU("container", "container"), containers, cpu),
    family(MEMORY("container", "container"), containers, memory),
    startTimes(figures.pods),
    family(SWAP("container", "container"), containers, swap),
    family(
      {
        name: "container_swap_limit_bytes",
        help: "[ALPHA] Current amount of the container swap limit in bytes",
        type: "gauge",
      },
      containers,
      swapLimit,
    ),
    family(CPU("pod", "pod"), pods, cpu),
    family(MEMORY("pod", "pod"), pods, memory),
    family(SWAP("pod", "pod"), pods, swap),
    failed(0),
  ];
}

type Head = Pick<Family, "name" | "help" | "type">;

const CPU = (prefix: string, what: string): Head => ({
  name: `${prefix}_cpu_usage_seconds_total`,
  help: `[STABLE] Cumulative cpu time consumed by the ${what} in core-seconds`,
  type: "counter",
});
const MEMORY = (prefix: string, what: string): Head => ({
  name: `${prefix}_memory_working_set_bytes`,
  help: `[STABLE] Current working set of the ${what} in bytes`,
  type: "gauge",
});
const SWAP = (prefix: string, what: string): Head => ({
  name: `${prefix}_swap_usage_bytes`,
  help: `[ALPHA] Current swap usage of the ${what} in bytes`,
  type: "gauge",
});

function family(
  head: Head,
  rows: readonly { readonly labels: string; readonly sample: Sample }[],
  read: Read,
): Family {
  const series = rows.flatMap(({ labels, sample }) => {
    const found = read(sample);
    return found === undefined
      ? []
      : [{ labels, ...found, atMs: sample.use.atMs }];
  });
  return { ...head, series };
}

/** Without a timestamp: it does not change. */
function startTimes(pods: readonly PodFigures[]): Family {
  return {
    name: "container_start_time_seconds",
    help: "[STABLE] Start time of the container since unix epoch in seconds",
    type: "gauge",
    series: pods.flatMap((pod) =>
      pod.containers.map((each) => ({
        labels: containerLabels(pod, each),
        value: each.container.startedAtMs / 1000,
      }))
    ),
  };
}

function failed(value: 0 | 1): Family {
  return {
    name: "resource_scrape_error",
    help: "[STABLE] 1 if there was an error while getting container metrics, " +
      "0 otherwise",
    type: "gauge",
    series: [{ labels: "", value }],
  };
}

function podLabels({ pod }: PodFigures): string {
  return labelText([["namespace", pod.namespace], ["pod", pod.name]]);
}

function containerLabels(
  { pod }: PodFigures,
  { container }: ContainerFigures,
): string {
  return labelText([
    ["container", container.name],
    ["namespace", pod.namespace],
    ["pod", pod.name],
  ]);
}
