/**
 * Asks every probe in its time and keeps what they say. The sole writer of the
 * verdicts: the sync loop tells of pods and reads them, and is hinted when one
 * changes. One timer serves all probes.
 * Compat: kubelet 1.36 prober_manager.go, worker.go.
 */
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import { isAbort } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import { ask, type AskPorts } from "./ask.ts";
import * as decide from "./decide.ts";
import { Lane } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import type { Teller } from "./tell.ts";
import { Timetable } from "./timetable.ts";
import type { ProbeKind, ProbeView, Verdict, Verdicts } from "./types.ts";
import { viewOf } from "./view.ts";
import {
  isStarted,
  type Member,
  type Probe,
  type ProbedInstance,
  type ProbedPod,
  probesOf,
  statesOf,
  type WatchedPod,
  watchedPod,
} from "./watched.ts";

/** New pods ring the alarm; this is only the longest sleep. */
const LONGEST_SLEEP_MS = 3_600_000;
/** Begun in one go; then others have their turn. */
const MOST_AT_ONCE = 16;
/** Startup probes of pods that come together are spread over this. */
const SPREAD_MS = 1_000;

export interface ProbePorts extends AskPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly teller: Teller;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

export class ProbeRunner {
  readonly #ports: ProbePorts;
  readonly #pods = new Map<PodUid, WatchedPod>();
  readonly #verdicts = new Map<ContainerId, Verdict>();
  readonly #timetable = new Timetable<Probe>();
  readonly #alarm = new Alarm();
  readonly #exec = new Lane({ most: 128, share: 8 });
  readonly #net = new Lane({ most: 512, share: 32 });
  readonly #running = new Set<Promise<void>>();
  /** Wall time; what ran before is taken over as it was told. */
  readonly #bornAtMs: number;
  #isRunning = false;

  constructor(ports: ProbePorts) {
    this.#ports = ports;
    this.#bornAtMs = ports.clock.nowMs();
  }

  /** Asks until `signal` aborts, then waits for those under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    this.#isRunning = true;
    try {
      for (;;) await this.#alarm.wait(clock, this.#beginDue(), signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      this.#isRunning = false;
      for (const pod of this.#pods.values()) {
        for (const probe of probesOf(pod)) this.#rest(probe);
      }
      await Promise.all(this.#running);
    }
  }

  /** Tells of a pod as it is now; cheap when nothing has changed. */
  watch(seen: ProbedPod): void {
    const pod = this.#pods.get(seen.uid) ??
      watchedPod(seen, (kind, ms) => this.#anchor(kind, ms));
    if (pod === undefined) return;
    this.#pods.set(seen.uid, pod);
    const wasStopping = pod.seen.isStopping;
    pod.seen = seen;
    for (const member of pod.members) {
      const newest = seen.instances.get(member.container.name);
      const instance = newest?.isRunning ? newest : undefined;
      if (instance?.id !== member.instance?.id) this.#adopt(member, instance);
      if (seen.isStopping !== wasStopping) this.#publish(member);
      this.#arm(member);
    }
  }

  forget(uid: PodUid): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    for (const member of pod.members) this.#adopt(member, undefined);
    for (const probe of probesOf(pod)) this.#ports.teller.forget(probe);
  }

  /** Of every container that runs and has probes. */
  get verdicts(): Verdicts {
    return this.#verdicts;
  }

  viewsOf(uid: PodUid): readonly ProbeView[] {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return [];
    const { clock } = this.#ports;
    const offsetMs = clock.nowMs() - clock.monotonicMs();
    return probesOf(pod).map((probe) => viewOf(probe, offsetMs));
  }

  /** Another instance runs, or none: what the last one did counts no more. */
  #adopt(member: Member, instance: ProbedInstance | undefined): void {
    if (member.instance !== undefined) {
      this.#verdicts.delete(member.instance.id);
    }
    member.instance = instance;
    for (const probe of member.probes.values()) {
      this.#rest(probe);
      probe.state = decide.firstState(probe.kind, instance?.told);
      probe.last = undefined;
    }
    if (instance === undefined) return;
    this.#verdicts.set(instance.id, this.#verdict(member));
    const isOld = instance.startedAtMs < this.#bornAtMs;
    for (const probe of member.probes.values()) {
      if (isOld) this.#spread(probe);
      else if (probe.kind === "liveness") probe.anchorMs = this.#now();
    }
    if (!isOld && isStarted(member)) this.#askReadiness(member);
  }

  /** Sets when each probe of a container is asked next. */
  #arm(member: Member): void {
    for (const probe of member.probes.values()) {
      const gate = this.#gate(probe);
      if (gate.kind === "closed") this.#rest(probe);
      else if (probe.work === undefined) this.#schedule(probe, gate);
    }
  }

  #schedule(probe: Probe, gate: decide.Gate): void {
    const { anchorMs, periodMs, dueMs } = probe;
    const nowMs = this.#now();
    if (gate.kind === "later") {
      const fromMs = nowMs + gate.atMs - this.#ports.clock.nowMs();
      this.#set(probe, decide.tickFrom(anchorMs, periodMs, fromMs));
    } else if (dueMs === undefined) {
      this.#set(probe, decide.tickAfter(anchorMs, periodMs, nowMs));
    }
  }

  /** Not asked any more until it is armed again. */
  #rest(probe: Probe): void {
    this.#timetable.set(probe, undefined);
    probe.work?.abort(new DOMException("Nobody needs to know", "AbortError"));
    probe.work = undefined;
  }

  /** At once, and then in whole periods from now. */
  #askReadiness(member: Member): void {
    const probe = member.probes.get("readiness");
    if (probe === undefined || probe.work !== undefined) return;
    probe.anchorMs = this.#now();
    if (this.#gate(probe).kind === "open") this.#set(probe, probe.anchorMs);
  }

  /** Somewhere in its next period, so that not all are asked together. */
  #spread(probe: Probe): void {
    const { random } = this.#ports;
    probe.anchorMs = this.#now() + random.fraction() * probe.periodMs;
    if (this.#gate(probe).kind === "open") this.#set(probe, probe.anchorMs);
  }

  #anchor(kind: ProbeKind, periodMs: number): number {
    const spreadMs = kind === "startup" ? Math.min(periodMs, SPREAD_MS) : 0;
    return this.#now() + this.#ports.random.fraction() * spreadMs;
  }

  #gate({ kind, state, spec, member }: Probe): decide.Gate {
    const { instance, pod } = member;
    if (instance === undefined) return { kind: "closed" };
    return decide.gate(kind, state, {
      spec,
      isStarted: isStarted(member),
      isStopping: pod.seen.isStopping,
      startedAtMs: instance.startedAtMs,
      nowMs: this.#ports.clock.nowMs(),
    });
  }

  #set(probe: Probe, dueMs: number): void {
    const nextMs = this.#timetable.nextMs ?? Infinity;
    this.#timetable.set(probe, dueMs);
    if (dueMs < nextMs) this.#alarm.ring();
  }

  /** Begins what is due; returns for how long nothing else is. */
  #beginDue(): number {
    for (let count = 0; count < MOST_AT_ONCE; count++) {
      const due = this.#timetable.take(this.#now());
      if (due === undefined) break;
      this.#begin(due.item, due.dueMs);
    }
    const nextMs = this.#timetable.nextMs ?? Infinity;
    return Math.min(LONGEST_SLEEP_MS, Math.max(0, nextMs - this.#now()));
  }

  #begin(probe: Probe, dueMs: number): void {
    const work = new AbortController();
    probe.work = work;
    const lane = probe.spec.exec === undefined ? this.#net : this.#exec;
    lane.enter(probe.member.pod.seen.uid, () => {
      const asking = this.#ask(probe, { work, dueMs })
        .finally(() => this.#running.delete(asking));
      this.#running.add(asking);
      return asking;
    });
  }

  async #ask(
    probe: Probe,
    { work, dueMs }: { work: AbortController; dueMs: number },
  ): Promise<void> {
    const { spec, member: { container, instance, pod } } = probe;
    const { signal } = work;
    const { podIp } = pod.seen;
    if (!this.#isRunning || signal.aborted || instance === undefined) return;
    const startMs = this.#now();
    this.#ports.teller.asked(startMs - dueMs);
    if (podIp !== "" || spec.exec !== undefined) {
      const { id } = instance;
      const asked = { spec, container, id, podIp };
      try {
        const outcome = await ask(this.#ports, asked, signal);
        if (!signal.aborted) this.#answered(probe, outcome, startMs);
      } catch (error) {
        if (!isAbort(error, signal)) throw error;
      }
    }
    if (probe.work !== work) return;
    probe.work = undefined;
    this.#again(probe, dueMs);
  }

  /** Compat: of the times that passed meanwhile, one is made up for. */
  #again(probe: Probe, dueMs: number): void {
    const { anchorMs, periodMs, member } = probe;
    if (this.#gate(probe).kind === "open") {
      const nowMs = this.#now();
      this.#set(probe, decide.tickAgain(anchorMs, periodMs, { dueMs, nowMs }));
    }
    this.#arm(member);
  }

  #answered(probe: Probe, outcome: Outcome, startMs: number): void {
    const { kind, spec, member } = probe;
    const { clock, teller } = this.#ports;
    teller.answered(probe, outcome, this.#now() - startMs);
    const message = outcome.kind === "success"
      ? outcome.warning ?? ""
      : outcome.message;
    probe.last = { result: outcome.kind, message, atMs: clock.nowMs() };
    if (outcome.kind === "error") return;
    const wasStarted = isStarted(member);
    const answer = outcome.kind;
    probe.state = decide.afterAnswer(kind, probe.state, { answer, spec });
    this.#publish(member);
    if (!wasStarted && isStarted(member)) this.#askReadiness(member);
  }

  #publish(member: Member): void {
    const { instance, pod } = member;
    if (instance === undefined) return;
    const verdict = this.#verdict(member);
    const before = this.#verdicts.get(instance.id);
    if (before !== undefined && decide.isSameVerdict(before, verdict)) return;
    this.#verdicts.set(instance.id, verdict);
    const isNews = () => this.#verdicts.get(instance.id) === verdict;
    this.#ports.hint(pod.seen.uid, isNews);
  }

  #verdict(member: Member): Verdict {
    const { isStopping } = member.pod.seen;
    return decide.verdictOf(statesOf(member), { isStopping });
  }

  #now(): number {
    return this.#ports.clock.monotonicMs();
  }
}
