/** A probe runner in a small world of pods, a network and time that moves. */
import { createMetrics } from "../base/metrics.ts";
import { containerId, podUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { V1Container } from "../api/types.ts";
import type { ExecResult } from "../port/runtime.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakePodNet } from "../../tests/fakes/fake_pod_net.ts";
import { ProbeRunner } from "./run.ts";
import { Teller } from "./tell.ts";
import type { ProbedInstance, ProbedPod } from "./watched.ts";

export const SECOND = 1_000;
export const IP = "10.0.0.7";

export interface PodState {
  readonly uid?: string;
  readonly containers: V1Container[];
  readonly isStopping?: boolean;
  /** Of the container `web`; undefined: none runs. */
  readonly id?: string | undefined;
  readonly told?: ProbedInstance["told"];
  readonly startedAtMs?: number;
}

export class ProbeWorld {
  readonly clock = new FakeClock();
  readonly net = new FakePodNet(this.clock);
  readonly probes = createMetrics();
  readonly steps: Step[] = [];
  /** Pods that a pass was asked for. */
  readonly hinted: string[] = [];
  readonly commands: string[][] = [];
  fraction = 0;
  exec: (
    command: readonly string[],
    signal: AbortSignal,
  ) => Promise<ExecResult> = () => Promise.resolve(exits(0));
  readonly runner: ProbeRunner;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor() {
    const { clock, steps, probes } = this;
    const recorder = {
      record: (_uid: string, step: Step) => void steps.push(step),
    };
    this.runner = new ProbeRunner({
      clock,
      random: { fraction: () => this.fraction, hex: () => "0" },
      podNet: this.net,
      runtime: {
        execSync: ({ command }, signal) => {
          this.commands.push([...command]);
          return this.exec(command, signal);
        },
      },
      expand: (words) => words,
      teller: new Teller(recorder, {
        lateness: { observe: () => {}, remove: () => {} },
        probes,
      }),
      hint: (uid) => void this.hinted.push(uid),
    });
    this.#running = this.runner.run(this.#stop.signal);
  }

  watch(state: PodState): void {
    this.runner.watch(seen(state, this.clock.nowMs()));
  }

  verdict(id = "c1") {
    return this.runner.verdicts.get(containerId(id));
  }

  /** Requests that have reached a port of the pod. */
  asked(port: number): number {
    return this.net.arrived.get(`${IP}:${port}`)?.length ?? 0;
  }

  answer(port: number, status: number): void {
    this.net.put(IP, port, { kind: "http", status });
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  async close(): Promise<void> {
    this.#stop.abort(new DOMException("The test is over", "AbortError"));
    await this.#running;
  }
}

function seen(state: PodState, nowMs: number): ProbedPod {
  const { uid = "u1", containers, isStopping = false, id, told } = state;
  const instances = new Map<string, ProbedInstance>();
  for (const { name } of id === undefined ? [] : containers) {
    instances.set(name, {
      id: containerId(name === "web" ? id ?? "" : `${id}-${name}`),
      isRunning: true,
      startedAtMs: state.startedAtMs ?? nowMs,
      told,
    });
  }
  const pod = aPod({ uid, containers });
  return { uid: podUid(uid), pod, podIp: IP, isStopping, instances };
}

export function exits(exitCode: number, text = ""): ExecResult {
  const stdout = new TextEncoder().encode(text);
  return { exitCode, stdout, stderr: new Uint8Array() };
}

/** Until its caller needs no answer any more. */
export function hangs(signal: AbortSignal): Promise<ExecResult> {
  const { promise, reject } = Promise.withResolvers<ExecResult>();
  signal.addEventListener("abort", () => reject(signal.reason));
  return promise;
}

/** A container whose probes ask its ports: 1 startup, 2 ready, 3 live. */
export function probed(
  own: Partial<Record<"startup" | "readiness" | "liveness", object>>,
): V1Container[] {
  const probe = (port: number, extra: object) => ({
    httpGet: { port },
    periodSeconds: 1,
    ...extra,
  });
  const { startup, readiness, liveness } = own;
  return [aContainer({
    ...startup && { startupProbe: probe(1, startup) },
    ...readiness && { readinessProbe: probe(2, readiness) },
    ...liveness && { livenessProbe: probe(3, liveness) },
  })];
}
