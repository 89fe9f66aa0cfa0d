/**
 * What pods and the node take: `/stats/summary`, `/metrics/resource` and
 * `/metrics/cadvisor`. Figures are read first and told piece by piece, so that
 * a big node holds up nobody.
 * Compat: kubelet 1.36 server/stats/handler.go, metrics/collectors
 */
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { paced } from "../base/pace.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import { cadvisorFamilies } from "../stats/cadvisor.ts";
import type { MachineLabels } from "../stats/cadvisor_machine.ts";
import { type Family, familyText } from "../stats/exposition.ts";
import { resourceFamilies } from "../stats/resource.ts";
import type { Stats } from "../stats/run.ts";
import { type SummaryNode, summaryTexts } from "../stats/summary.ts";
import type { Figures } from "../stats/types.ts";
import { EXPOSITION, typed } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";

export interface StatsRouteParts {
  readonly stats: Pick<Stats, "figures" | "disks">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the agent's life: what is measured serves several callers. */
  readonly serving: AbortSignal;
  readonly node: () => Promise<SummaryNode>;
  readonly machine: () => Promise<MachineLabels>;
}

export function statsRoutes(parts: StatsRouteParts): Route[] {
  return [
    {
      path: "/stats/summary",
      methods: ["GET", "POST"],
      answer: (call) => summary(parts, call),
    },
    {
      path: "/metrics/resource",
      methods: ["GET"],
      answer: async (call) => {
        const figures = await known(parts, "cpu-and-memory");
        return exposition(parts, call, resourceFamilies(figures));
      },
    },
    {
      path: "/metrics/cadvisor",
      methods: ["GET"],
      answer: async (call) => {
        const figures = await known(parts, "everything");
        const machine = await parts.machine();
        return exposition(parts, call, cadvisorFamilies(figures, machine));
      },
    },
  ];
}

async function summary(
  { stats, node, clock, serving }: StatsRouteParts,
  { request: { query, signal } }: Call,
): Promise<NodeAnswer> {
  const word = query.get("only_cpu_and_memory")?.[0] ?? "";
  const isShort = TRUE.has(word);
  const [about, figures, disks] = await Promise.all([
    node(),
    stats.figures(isShort ? "cpu-and-memory" : "main"),
    isShort ? undefined : stats.disks(serving),
  ]);
  const texts = summaryTexts(about, figures, disks);
  return typed(200, "application/json", paced(texts, clock, signal));
}

/** Compat: Go's strconv.ParseBool. */
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);

/** Undefined is told as a scrape error: the other figures still count. */
async function known(
  { stats, log }: StatsRouteParts,
  detail: "cpu-and-memory" | "everything",
): Promise<Figures | undefined> {
  try {
    return await stats.figures(detail);
  } catch (error) {
    log.warn("Cannot read what the node takes", { error: chainOf(error) });
    return undefined;
  }
}

function exposition(
  { clock }: StatsRouteParts,
  { request: { signal } }: Call,
  families: Iterable<Family>,
): NodeAnswer {
  const texts = Iterator.from(families).map(familyText);
  return typed(200, EXPOSITION, paced(texts, clock, signal));
}
