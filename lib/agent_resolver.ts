/**
 * Says of the node what of its resolv.conf pods cannot have. Looked at again
 * and again: the agent may read the file, but not watch the directory it is in.
 * Compat: kubelet 1.36 CheckLimitsForResolvConf, which looks at its start only.
 */
import type { Clock } from "./base/clock.ts";
import type { Config } from "./config/load.ts";
import type { NodeRecorder } from "./node/types.ts";
import { parseResolvConf, resolverFault } from "./pod/dns.ts";
import type { NodeTexts } from "./port/host.ts";

const PERIOD_MS = 30_000;

export interface ResolverPorts {
  readonly clock: Clock;
  readonly nodeTexts: NodeTexts;
  readonly recorder: NodeRecorder;
}

export function resolverLoop(ports: ResolverPorts, config: Config) {
  return {
    name: "resolver",
    run: (signal: AbortSignal) => checkResolver(ports, config, signal),
  };
}

/** Until `signal` aborts; each fault is told once, until it is another. */
export async function checkResolver(
  { clock, nodeTexts, recorder }: ResolverPorts,
  { kubelet: { resolvConf, clusterDomain } }: Config,
  signal: AbortSignal,
): Promise<void> {
  if (resolvConf === "") return;
  let told: string | undefined;
  for (;;) {
    const found = nodeTexts.read(resolvConf);
    const message = found.kind === "failed"
      ? found.message
      : resolverFault(resolvConf, parseResolvConf(found.text), clusterDomain);
    if (message !== undefined && message !== told) {
      const reason = "CheckLimitsForResolvConf";
      recorder.record({ type: "Warning", reason, message });
    }
    told = message;
    await clock.sleep(PERIOD_MS, signal);
  }
}
