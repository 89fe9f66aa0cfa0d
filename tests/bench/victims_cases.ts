/**
 * The pressure that `bench victims` makes: what is scarce, who is there, and
 * what is done last so that it becomes short. Pure but for what it measures.
 */
import type { V1Container, V1Pod, V1PodSpec } from "../../lib/api/types.ts";

export const HIGH = "bench-high";
const MI = 1024 * 1024;
/** What all pods together may have where memory is to be short. */
const PODS_MI = 1_500;

export interface Case {
  readonly name: string;
  /** The root directory gets a file system of its own. */
  readonly disk?: { readonly sizeMi: number; readonly inodes: number };
  /** Asked when the pods run and have taken what they take. */
  readonly flags: () => Promise<readonly string[]>;
  /** Who must run before the flags are known; else they are first. */
  readonly isMeasured?: true;
  readonly pods: readonly BenchPod[];
  /** Comes last, and tips the scales. */
  readonly last?: BenchPod;
  readonly victims: number;
  /** Several go at one moment, or each for itself. */
  readonly isUnordered?: true;
}

export interface BenchPod {
  readonly name: string;
  readonly priorityClassName?: string;
  /** Run once everybody is there; before it the pod only waits. */
  readonly take: string;
  readonly resources?: V1Container["resources"];
  readonly medium?: "Memory";
  readonly sizeLimit?: string;
}

const SHORT = "--eviction-pressure-transition-period=3s";
const STATS = "--volume-stats-agg-period=5s";

const memory = (mi: number) =>
  `dd if=/dev/zero of=/data/x bs=1M count=${mi} 2>/dev/null`;
const disk = memory;
const inodes = (count: number) =>
  `i=0; while [ $i -lt ${count} ]; do : >/data/$i; i=$((i+1)); done`;
const processes = (count: number) =>
  `i=0; while [ $i -lt ${count} ]; do sleep 1000 & i=$((i+1)); done`;
const asks = (requests: Record<string, string>) => ({ requests });
const CRITICAL = { priorityClassName: "system-node-critical" };
const PREFERRED = { priorityClassName: HIGH };

async function memoryFlags(): Promise<readonly string[]> {
  const info = await Deno.readTextFile("/proc/meminfo");
  const totalMi = Math.floor(Number(/\d+/.exec(info)?.[0]) / 1024);
  return [
    `--system-reserved=memory=${totalMi - PODS_MI}Mi`,
    "--eviction-hard=memory.available<100Mi",
    "--eviction-minimum-reclaim=memory.available=600Mi",
    SHORT,
  ];
}

/** Room for half of what the last pod takes. */
async function processFlags(): Promise<readonly string[]> {
  const read = async (name: string) =>
    Number(await Deno.readTextFile(`/proc/sys/kernel/${name}`));
  const most = Math.min(await read("pid_max"), await read("threads-max"));
  const load = await Deno.readTextFile("/proc/loadavg");
  const count = Number(/\/(\d+) /.exec(load)?.[1]);
  return [
    `--eviction-hard=pid.available<${most - count - 200}`,
    "--eviction-minimum-reclaim=pid.available=300",
    SHORT,
  ];
}

function onDisk(
  signal: string,
  take: (units: number) => string,
  unit: number,
): Pick<Case, "flags" | "disk" | "pods" | "last" | "victims"> {
  return {
    disk: { sizeMi: 128, inodes: 4_096 },
    flags: () =>
      Promise.resolve([
        `--eviction-hard=${signal}<40%`,
        `--eviction-minimum-reclaim=${signal}=26%`,
        SHORT,
        STATS,
      ]),
    pods: [
      { name: "small", take: take(8 * unit) },
      { name: "large", take: take(16 * unit) },
      {
        name: "above",
        take: take(14 * unit),
        resources: asks({ "ephemeral-storage": "4Mi" }),
      },
      {
        name: "within",
        take: take(15 * unit),
        resources: asks({ "ephemeral-storage": "30Mi" }),
      },
      { name: "preferred", ...PREFERRED, take: take(18 * unit) },
    ],
    last: { name: "last", ...CRITICAL, take: take(14 * unit) },
    victims: 3,
  };
}

export const CASES: readonly Case[] = [
  {
    name: "memory",
    flags: memoryFlags,
    pods: [
      { name: "small", medium: "Memory", take: memory(100) },
      { name: "large", medium: "Memory", take: memory(200) },
      {
        name: "above",
        medium: "Memory",
        take: memory(180),
        resources: asks({ memory: "50Mi" }),
      },
      {
        name: "within",
        medium: "Memory",
        take: memory(200),
        resources: asks({ memory: "300Mi" }),
      },
      {
        name: "preferred",
        ...PREFERRED,
        medium: "Memory",
        take: memory(250),
      },
      {
        name: "guaranteed",
        medium: "Memory",
        take: memory(100),
        resources: { limits: { cpu: "50m", memory: "150Mi" } },
      },
    ],
    last: {
      name: "last",
      ...CRITICAL,
      medium: "Memory",
      take: memory(420),
    },
    victims: 4,
  },
  { name: "disk", ...onDisk("nodefs.available", disk, 1) },
  { name: "inodes", ...onDisk("nodefs.inodesFree", inodes, 32) },
  {
    name: "pids",
    isMeasured: true,
    flags: processFlags,
    pods: [
      { name: "few", take: processes(110) },
      { name: "many", take: processes(300) },
      {
        name: "asking",
        take: processes(120),
        resources: asks({ memory: "300Mi" }),
      },
      { name: "preferred", ...PREFERRED, take: processes(200) },
    ],
    last: { name: "last", ...CRITICAL, take: processes(400) },
    victims: 2,
  },
  {
    name: "limits",
    flags: () => Promise.resolve([SHORT, STATS]),
    pods: [
      { name: "volume", sizeLimit: "1Mi", take: disk(3) },
      {
        name: "layer",
        take: "dd if=/dev/zero of=/x bs=1M count=4 2>/dev/null",
        resources: { limits: { "ephemeral-storage": "2Mi" } },
      },
      {
        name: "pod",
        take: disk(4),
        resources: { limits: { "ephemeral-storage": "2Mi" } },
      },
      {
        name: "logs",
        take: "yes words of a log | head -c 4194304",
        resources: { limits: { "ephemeral-storage": "2Mi" } },
      },
      {
        name: "modest",
        take: disk(1),
        resources: { limits: { "ephemeral-storage": "9Mi" } },
      },
    ],
    victims: 4,
    isUnordered: true,
  },
  {
    name: "preemption",
    flags: () => Promise.resolve([`--system-reserved=cpu=${cpus() - 1}`]),
    pods: [
      {
        name: "guaranteed",
        take: "true",
        resources: { limits: { cpu: "500m", memory: "50Mi" } },
      },
      { name: "more", take: "true", resources: asks({ cpu: "300m" }) },
      { name: "less", take: "true", resources: asks({ cpu: "150m" }) },
      { name: "nothing", take: "true" },
    ],
    last: {
      name: "last",
      ...CRITICAL,
      take: "true",
      resources: asks({ cpu: "600m" }),
    },
    victims: 2,
    isUnordered: true,
  },
];

function cpus(): number {
  return navigator.hardwareConcurrency;
}

/** `goFolder` is the machine's; a file in it tells the pods to begin. */
export function podOf(
  pod: BenchPod,
  at: {
    readonly nodeName: string;
    readonly image: string;
    readonly goFolder: string;
  },
): V1Pod {
  const { name, take, resources, medium, sizeLimit, priorityClassName } = pod;
  const spec: Partial<V1PodSpec> = priorityClassName === undefined
    ? {}
    : { priorityClassName };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "victim" } },
    spec: {
      ...spec,
      nodeName: at.nodeName,
      dnsPolicy: "Default",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      // The control plane is not to decide who goes.
      tolerations: [{ operator: "Exists" }],
      containers: [{
        name: "app",
        image: at.image,
        imagePullPolicy: "IfNotPresent",
        command: [
          "sh",
          "-c",
          // The kubelet calls who ends well Succeeded, at times.
          "trap 'exit 1' TERM; until [ -e /go/now ]; do sleep 0.2; done; " +
          `${take}; sleep 1000 & wait`,
        ],
        ...resources === undefined ? {} : { resources },
        volumeMounts: [
          { name: "go", mountPath: "/go", readOnly: true },
          { name: "data", mountPath: "/data" },
        ],
      }],
      volumes: [
        { name: "go", hostPath: { path: at.goFolder } },
        {
          name: "data",
          emptyDir: {
            ...medium === undefined ? {} : { medium },
            ...sizeLimit === undefined ? {} : { sizeLimit },
          },
        },
      ],
    },
  };
}

/** Bytes that a file system of a case takes. */
export function sizeBytes({ sizeMi }: NonNullable<Case["disk"]>): number {
  return sizeMi * MI;
}
