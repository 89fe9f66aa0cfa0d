/** The wiring of the chains of iptables that are kept for others. */
import type { Loop } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { IptablesLoop, type IptablesView } from "./node/iptables.ts";
import type { LoopView } from "./server/view.ts";

export interface IptablesParts {
  readonly config: Config;
  readonly ports: Pick<AgentPorts, "programs" | "clock" | "log">;
}

export interface KeptIptables {
  readonly loops: readonly Loop[];
  views(): readonly LoopView[];
}

/** None where the configuration wants none. */
export function createIptables({ config, ports }: IptablesParts): KeptIptables {
  if (!config.kubelet.makeIPTablesUtilChains) {
    return { loops: [], views: () => [] };
  }
  const loop = new IptablesLoop(ports);
  return {
    loops: [{ name: "iptables", run: (signal) => loop.run(signal) }],
    views: () => [iptablesView(loop.view())],
  };
}

/** What may not be run is no problem: no pod of this node misses it. */
export function iptablesView(view: IptablesView): LoopView {
  const { kept, letBe, failing, lastAtMs, nextAtMs } = view;
  const words = [
    kept.length === 0 ? [] : [`keeps the chains of ${kept.join(" and ")}`],
    [...letBe.values()].map((why) => `keeps none: ${why}`),
  ].flat();
  return {
    name: "iptables",
    detail: words.length === 0 ? "makes its chains" : words.join("; "),
    ...failing.size === 0 ? {} : { problem: [...failing.values()].join("; ") },
    lastAtMs,
    nextAtMs,
  };
}
