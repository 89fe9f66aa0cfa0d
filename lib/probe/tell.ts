/**
 * What others hear of probes: events of the pod, and metrics. The names are
 * contract. Called by run.ts after each answer.
 * Compat: kubelet 1.36 prober.go probe, prober_manager.go.
 */
import type { Histogram, Metrics } from "../base/metrics.ts";
import { PROBE_METRICS } from "../api/metric_table_node.ts";
import { nameOf, namespaceOf, uidOf } from "../api/pod.ts";
import type { Step } from "../api/step.ts";
import type { Recorder } from "../port/recorder.ts";
import type { Outcome } from "./outcome.ts";
import type { ProbeKind } from "./types.ts";
import type { Probe } from "./watched.ts";

const WORDS: Readonly<Record<ProbeKind, string>> = {
  startup: "Startup",
  readiness: "Readiness",
  liveness: "Liveness",
};

/** Undefined: nothing worth an event. */
export function stepOf(kind: ProbeKind, outcome: Outcome): Step | undefined {
  const told = (reason: string, words: string): Step => ({
    type: "Warning",
    reason,
    message: `${WORDS[kind]} probe ${words}`,
  });
  switch (outcome.kind) {
    case "success":
      return outcome.warning === undefined
        ? undefined
        : told("ProbeWarning", `warning: ${outcome.warning}`);
    case "failure":
      return told("Unhealthy", `failed: ${outcome.message}`);
    case "error":
      return told(
        "Unhealthy",
        `errored and resulted in ${outcome.state} state: ${outcome.message}`,
      );
  }
}

export class Teller {
  readonly #recorder: Recorder;
  readonly #total;
  readonly #duration;
  readonly #lateness;

  /** `probes` is a set of its own, as /metrics/probes is. */
  constructor(
    recorder: Recorder,
    metrics: {
      readonly lateness: Histogram<never>;
      readonly probes: Metrics;
    },
  ) {
    this.#recorder = recorder;
    this.#lateness = metrics.lateness;
    this.#total = metrics.probes.counter(PROBE_METRICS.total);
    this.#duration = metrics.probes.histogram(PROBE_METRICS.seconds);
  }

  asked(lateMs: number): void {
    this.#lateness.observe({}, lateMs / 1000);
  }

  answered(probe: Probe, outcome: Outcome, durationMs: number): void {
    const { kind, member } = probe;
    const step = stepOf(kind, outcome);
    if (step !== undefined) {
      const container = member.container.name;
      this.#recorder.record(member.pod.seen.uid, { ...step, container });
    }
    if (outcome.kind === "error") return;
    const { pod_uid, ...labels } = labelsOf(probe);
    const result = outcome.kind === "success" ? "successful" : "failed";
    this.#total.add({ ...labels, pod_uid, result });
    // Compat: the time of a failure is not told.
    if (outcome.kind === "success") {
      this.#duration.observe(labels, durationMs / 1000);
    }
  }

  forget(probe: Probe): void {
    const { pod_uid, ...labels } = labelsOf(probe);
    for (const result of ["successful", "failed"]) {
      this.#total.remove({ ...labels, pod_uid, result });
    }
    this.#duration.remove(labels);
  }
}

function labelsOf({ kind, member }: Probe) {
  const { pod } = member.pod.seen;
  return {
    probe_type: WORDS[kind],
    container: member.container.name,
    pod: nameOf(pod),
    namespace: namespaceOf(pod),
    pod_uid: uidOf(pod),
  };
}
