/**
 * What deploy/ offers for Prometheus, Grafana and log shippers: each file is
 * well-formed, names only series that there are, and reads the lines that the
 * agent and the runtime write.
 */
import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { createLogger } from "../../lib/base/log.ts";
import { METRICS } from "../../lib/api/metric_table.ts";
import { PROBE_METRICS, SLI_METRICS } from "../../lib/api/metric_table_node.ts";
import { cadvisorFamilies } from "../../lib/stats/cadvisor.ts";
import { resourceFamilies } from "../../lib/stats/resource.ts";
import { CONTAINER_FAMILIES } from "../../lib/stats/cadvisor_families.ts";
import { aSample, someFigures } from "../../lib/stats/fixture_test.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);
const read = (name: string) => Deno.readTextFileSync(new URL(name, DEPLOY));

const MACHINE = {
  ...{ machineId: "", systemUuid: "", bootId: "", kernelVersion: "" },
  ...{ osImage: "", version: "", cores: 1, memoryBytes: 0n, swapBytes: 0n },
  bootedAtMs: 0,
};

/** Every name under which something is exposed, histograms' parts included. */
function knownSeries(): Set<string> {
  const figures = someFigures({ node: aSample("/") });
  const tables = [METRICS, PROBE_METRICS, SLI_METRICS];
  const declared = tables.flatMap((table) => Object.values(table));
  return new Set([
    ...declared.flatMap(({ name, type }) =>
      type === "histogram"
        ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
        : [name]
    ),
    ...CONTAINER_FAMILIES.map(({ name }) => name),
    ...[...cadvisorFamilies(figures, MACHINE)].map(({ name }) => name),
    ...resourceFamilies(figures).map(({ name }) => name),
  ]);
}

/** Words that are followed by a selector, or look like a series. */
function seriesIn(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  return [...bare.matchAll(/[a-z][a-z0-9_:]*(?=\{)/g)].map(([name]) => name);
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly record?: string;
      readonly alert?: string;
      readonly expr: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    }[];
  }[];
}

Deno.test("rules.yaml names only series that there are", () => {
  const { groups }: Rules = parse(read("monitoring/rules.yaml"));
  const rules = groups.flatMap(({ rules }) => rules);
  const known = knownSeries();
  for (const { record } of rules) if (record) known.add(record);
  for (const { expr, alert, record } of rules) {
    const names = seriesIn(expr);
    const recorded = [...expr.matchAll(/\bnode:\w+:\w+/g)].map(([name]) =>
      name
    );
    assert.ok(names.length + recorded.length > 0, expr);
    for (const name of [...names, ...recorded]) {
      assert.ok(known.has(name), `${alert ?? record}: no series ${name}`);
    }
  }
});

Deno.test("rules.yaml says for each alert how bad it is and what to do", () => {
  const { groups }: Rules = parse(read("monitoring/rules.yaml"));
  const alerts = groups.flatMap(({ rules }) => rules)
    .filter(({ alert }) => alert !== undefined);
  assert.ok(alerts.length > 5);
  for (const { alert = "", labels, annotations } of alerts) {
    assert.match(labels?.severity ?? "", /^(warning|critical)$/, alert);
    assert.notEqual(annotations?.summary ?? "", "", alert);
    assert.notEqual(annotations?.description ?? "", "", alert);
  }
});

Deno.test("alertmanager.yaml sends each severity to a receiver it has", () => {
  const { route, receivers }: {
    readonly route: {
      readonly receiver: string;
      readonly routes: readonly { readonly receiver: string }[];
    };
    readonly receivers: readonly { readonly name: string }[];
  } = parse(read("monitoring/alertmanager.yaml"));
  const names = receivers.map(({ name }) => name);
  assert.deepEqual(names, ["pagerduty", "opsgenie"]);
  for (const { receiver } of [route, ...route.routes]) {
    assert.ok(names.includes(receiver));
  }
  assert.equal(
    parseAllDocuments(read("monitoring/alertmanager.yaml")).length,
    1,
  );
});

Deno.test("dashboard.json names only series that there are", () => {
  const { panels }: {
    readonly panels: readonly {
      readonly id: number;
      readonly title: string;
      readonly targets: readonly { readonly expr: string }[];
    }[];
  } = JSON.parse(read("monitoring/dashboard.json"));
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const known = knownSeries();
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = seriesIn(expr);
      assert.ok(names.length > 0, title);
      for (const name of names) {
        assert.ok(known.has(name), `${title}: no series ${name}`);
      }
    }
  }
});

const SHIPPERS = [
  "logging/fluent_bit_parsers.conf",
  "logging/fluentd.conf",
  "logging/logstash.conf",
];

/** The one pattern of a file with a group of that name. */
function patternIn(file: string, group: string): RegExp {
  const found = [...read(file).matchAll(/\^\(\?<time>.*\$(?=['/\n])/g)]
    .map(([text]) => text).filter((text) => text.includes(`?<${group}>`));
  assert.equal(found.length, 1, `${file}: patterns with ${group}`);
  return new RegExp(found[0] ?? "");
}

for (const file of SHIPPERS) {
  Deno.test(`${file} reads what the agent writes`, () => {
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line.trimEnd());
    const log = createLogger({ write, format: "text", verbosity: 2 });
    log.warn("Cannot report a pod; trying again", {
      pod: "default/web",
      error: 'it said "no": a = b',
    });
    log.error("Bad");
    log.debug("Small", { count: 1 });
    const pattern = patternIn(file, "level");
    const read = lines.map((line) => pattern.exec(line)?.groups);
    assert.deepEqual(
      read.map((groups) => [groups?.level, groups?.msg, groups?.fields]),
      [
        [
          "WARN",
          "Cannot report a pod; trying again",
          ' pod=default/web error="it said \\"no\\": a = b"',
        ],
        ["ERRO", "Bad", ""],
        ["DEBU", "Small", " count=1"],
      ],
    );
    assert.ok(
      read.every((groups) => !Number.isNaN(Date.parse(`${groups?.time}`))),
    );
  });

  Deno.test(`${file} reads what the runtime writes`, () => {
    const pattern = patternIn(file, "logtag");
    const line = "2026-01-02T03:04:05.678901234Z stderr P half of it";
    assert.deepEqual({ ...pattern.exec(line)?.groups }, {
      time: "2026-01-02T03:04:05.678901234Z",
      stream: "stderr",
      logtag: "P",
      log: "half of it",
    });
  });
}
