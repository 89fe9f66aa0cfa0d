/**
 * Counters, gauges and histograms by name: what features count, and what the
 * server shows. A set of metrics is made in the wiring and handed in; there is
 * none of the module's own. The only importer of the library besides the
 * server. Names, labels and help are contract.
 */
import * as prom from "prom-client";

/** Prometheus's own, in seconds. */
export const USUAL_BUCKETS: readonly number[] = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** Values by label; a series begins with its first value. */
export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface Counter<Name extends string> {
  /** Adds 1, or `count`, which is never negative. */
  add(labels: Labels<Name>, count?: number): void;
  /** Takes the series away; none there is fine. */
  remove(labels: Labels<Name>): void;
}

export interface Gauge<Name extends string> {
  set(labels: Labels<Name>, value: number): void;
  /** All series at once: those that are not named are gone. */
  replace(rows: Iterable<readonly [Labels<Name>, number]>): void;
  remove(labels: Labels<Name>): void;
}

export interface Histogram<Name extends string> {
  observe(labels: Labels<Name>, value: number): void;
  remove(labels: Labels<Name>): void;
}

export interface MetricSpec<Name extends string> {
  readonly name: string;
  readonly help: string;
  /** The same for every series. */
  readonly labels: readonly Name[];
}

export interface Metrics {
  counter<Name extends string>(spec: MetricSpec<Name>): Counter<Name>;
  gauge<Name extends string>(spec: MetricSpec<Name>): Gauge<Name>;
  histogram<Name extends string>(
    spec: MetricSpec<Name> & {
      /** Upper bounds, ascending; Prometheus's own by default. */
      readonly buckets?: readonly number[];
    },
  ): Histogram<Name>;
  /** Everything in Prometheus' text format, of type `contentType`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** A set of its own; a name may be made once in each. */
export function createMetrics(): Metrics {
  const registry = new prom.Registry();
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter(spec) {
      const made = new prom.Counter(configOf(spec, registry));
      return {
        add: (labels, count = 1) => made.inc({ ...labels }, count),
        remove: (labels) => made.remove({ ...labels }),
      };
    },
    gauge(spec) {
      const made = new prom.Gauge(configOf(spec, registry));
      return {
        set: (labels, value) => made.set({ ...labels }, value),
        replace: (rows) => {
          made.reset();
          for (const [labels, value] of rows) made.set({ ...labels }, value);
        },
        remove: (labels) => made.remove({ ...labels }),
      };
    },
    histogram({ buckets, ...spec }) {
      const made = new prom.Histogram({
        ...configOf(spec, registry),
        ...buckets === undefined ? {} : { buckets: [...buckets] },
      });
      return {
        observe: (labels, value) => made.observe({ ...labels }, value),
        remove: (labels) => made.remove({ ...labels }),
      };
    },
  };
}

function configOf<Name extends string>(
  { name, help, labels }: MetricSpec<Name>,
  registry: prom.Registry,
) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}
