/**
 * What is compared: somebody who can start and stop pods, and the experiments
 * that all of them go through. An experiment only gives orders and asks the
 * observer; it knows nothing of how a subject works.
 */
import { setTimeout } from "node:timers/promises";
import { type PodUid, podUid } from "../../lib/api/id.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { Observer } from "./observer.ts";
import { cpuMs } from "./usage.ts";

export interface BenchPod {
  readonly uid: PodUid;
  readonly name: string;
  readonly manifest: V1Pod;
}

export interface Subject {
  readonly name: string;
  readonly observer: Observer;
  /** The kubelet leaves stopped sandboxes to a sweep once a minute. */
  readonly removes: "at-once" | "later";
  /** The agent's process; undefined when there is none to account for. */
  readonly pid: number | undefined;
  /** What may be done before the clock starts. */
  prepare(pods: readonly BenchPod[]): Promise<void>;
  start(pods: readonly BenchPod[]): Promise<void>;
  stop(pods: readonly BenchPod[]): Promise<void>;
}

/** How one kind of agent is started and ended. */
export interface AgentProcess {
  /** Does not wait; resolves with the process id. */
  spawn(): Promise<number>;
  stop(): Promise<void>;
  isHealthy(): Promise<boolean>;
}

/** The shell dies of SIGTERM at once, and the rest of its container with it. */
export const OBEDIENT = "trap 'exit 0' TERM; sleep 2147483647 & wait";

export function benchPods(count: number, image: string): BenchPod[] {
  return Array.from({ length: count }, () => {
    const uid = podUid(crypto.randomUUID());
    const name = `bench-${uid.slice(0, 8)}`;
    return { uid, name, manifest: manifest({ uid, name, image }) };
  });
}

function manifest(of: { uid: PodUid; name: string; image: string }): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: of.name, namespace: "default", uid: of.uid },
    spec: {
      containers: [{
        name: "app",
        image: of.image,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", OBEDIENT],
      }],
    },
  };
}

export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
}

/** Milliseconds from the order to start until the last pod is seen running. */
async function timeStart(
  subject: Subject,
  pods: readonly BenchPod[],
): Promise<number> {
  const startMs = performance.now();
  const [endMs] = await Promise.all([
    subject.observer.allAre("running", uidsOf(pods)),
    subject.start(pods),
  ]);
  return endMs - startMs;
}

/** Milliseconds from the order to stop until the last pod is seen so. */
export async function timeStop(
  subject: Subject,
  pods: readonly BenchPod[],
): Promise<{ stoppedMs: number; goneMs: number | undefined }> {
  const uids = uidsOf(pods);
  const startMs = performance.now();
  const [stoppedMs, goneMs] = await Promise.all([
    subject.observer.allAre("stopped", uids),
    subject.removes === "at-once"
      ? subject.observer.allAre("gone", uids)
      : undefined,
    subject.stop(pods),
  ]);
  return {
    stoppedMs: stoppedMs - startMs,
    goneMs: goneMs === undefined ? undefined : goneMs - startMs,
  };
}

export function uidsOf(pods: readonly BenchPod[]): PodUid[] {
  return pods.map((pod) => pod.uid);
}

/**
 * Between start and stop: the shell must have set its trap, or SIGTERM would
 * be lost on it, and late work of the start must not count for the stop.
 */
export const SETTLE_MS = 1_000;

export interface Lifecycle {
  readonly startMs: number;
  readonly stoppedMs: number;
  readonly goneMs: number | undefined;
  /** The agent's CPU time in all; undefined without an agent. */
  readonly startCpuMs: number | undefined;
  readonly stopCpuMs: number | undefined;
}

/** Starts pods, calls `meanwhile` when they run, stops them again. */
export async function lifecycle(
  subject: Subject,
  pods: readonly BenchPod[],
  meanwhile?: () => Promise<void>,
): Promise<Lifecycle> {
  await subject.prepare(pods);
  const beforeMs = await cpuOf(subject);
  const startMs = await timeStart(subject, pods);
  await pause(SETTLE_MS);
  const startedMs = await cpuOf(subject);
  await meanwhile?.();
  const stoppingMs = await cpuOf(subject);
  const stop = await timeStop(subject, pods);
  await pause(SETTLE_MS);
  const stoppedMs = await cpuOf(subject);
  return {
    startMs,
    ...stop,
    startCpuMs: difference(startedMs, beforeMs),
    stopCpuMs: difference(stoppedMs, stoppingMs),
  };
}

async function cpuOf(subject: Subject): Promise<number | undefined> {
  return subject.pid === undefined ? undefined : await cpuMs(subject.pid);
}

function difference(
  after: number | undefined,
  before: number | undefined,
): number | undefined {
  return after === undefined || before === undefined
    ? undefined
    : after - before;
}
