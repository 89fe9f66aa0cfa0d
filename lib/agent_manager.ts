/**
 * The wiring of what the service manager is told: that the agent is ready, how
 * it is, that it is alive, that it ends.
 */
import { chainOf } from "./base/errors.ts";
import type { Loop } from "./agent_cluster.ts";
import type { Logger } from "./base/log.ts";
import type { AgentPorts } from "./agent_ports.ts";
import { healthChecks, type HealthParts } from "./agent_routes.ts";
import { nodeHeadline } from "./server/explain_node.ts";
import type { HealthCheck } from "./server/health.ts";
import type { AgentView } from "./server/view.ts";
import type { ShutdownLoop } from "./shutdown/run.ts";

/** `systemctl status` shows one line; it need not be younger than this. */
const STATUS_EVERY_MS = 10_000;
/** Compat: kubelet 1.36 watchdog: so long after a failure. */
const AGAIN_MS = 1_000;
const LONGEST_STATUS = 200;

export interface ManagerParts {
  readonly ports: Pick<AgentPorts, "manager" | "clock"> & {
    readonly log: Logger;
  };
  readonly view: AgentView;
}

/**
 * Every loop runs. Told until it is heard: who waits for it ends us else.
 * Compat: kubelet 1.36: not that pods can, or are, run.
 */
export async function tellReady(
  { ports }: ManagerParts,
  signal: AbortSignal,
): Promise<void> {
  const { manager, clock, log } = ports;
  const { mainPid } = manager;
  const lines = mainPid === undefined ? [] : [`MAINPID=${mainPid}`];
  for (;;) {
    const failure = manager.notify("READY=1", ...lines);
    if (failure === undefined) return;
    log.warn("Cannot tell the service manager that the agent is ready", {
      error: failure,
    });
    await clock.sleep(AGAIN_MS, signal);
  }
}

export function managerLoops(
  parts: ManagerParts & HealthParts,
): Loop[] {
  const checks = healthChecks(parts);
  return [
    { name: "watchdog", run: (signal) => feedWatchdog(parts, checks, signal) },
    { name: "manager-status", run: (signal) => keepTelling(parts, signal) },
    // Loops begin in one go, whichever comes last.
    { name: "ready", run: (signal) => tellReady(parts, signal) },
  ];
}

/** How the node is, in the words of `denolet explain`. */
export async function keepTelling(
  { ports, view }: ManagerParts,
  signal: AbortSignal,
): Promise<void> {
  const { manager, clock } = ports;
  let before = "";
  while (manager.isListening) {
    const headline = nodeHeadline(view, clock.nowMs()).slice(0, LONGEST_STATUS);
    if (headline !== before) manager.notify(`STATUS=${headline}`);
    before = headline;
    await clock.sleep(STATUS_EVERY_MS, signal);
  }
}

/**
 * Feeds the service manager's watchdog while the checks are well. That this
 * loop turns at all says that the event loop does.
 * Compat: kubelet 1.36 watchdog healthChecker: every half of its patience.
 */
export async function feedWatchdog(
  { ports }: ManagerParts,
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<void> {
  const { manager, clock, log } = ports;
  const { watchdogMs } = manager;
  if (watchdogMs === undefined) return;
  for (;;) {
    const ill = checks.find(({ check }) => check() !== undefined);
    if (ill === undefined) await feed(ports, signal);
    else {
      log.error("The watchdog is not fed, as the agent is not well", {
        check: ill.name,
        reason: ill.check(),
      });
    }
    await clock.sleep(watchdogMs / 2, signal);
  }
}

async function feed(
  { manager, clock, log }: ManagerParts["ports"],
  signal: AbortSignal,
): Promise<void> {
  if (manager.notify("WATCHDOG=1") === undefined) return;
  await clock.sleep(AGAIN_MS, signal);
  const failure = manager.notify("WATCHDOG=1");
  if (failure !== undefined) {
    log.error("Cannot feed the watchdog", { error: failure });
  }
}

/** Aborts once the agent may end: with the machine, not before its pods. */
export function ending(
  { ports, shutdown }: ManagerParts & {
    readonly shutdown: Pick<ShutdownLoop, "isOff" | "settle">;
  },
  asked: AbortSignal,
  atOnce: AbortSignal,
): AbortSignal {
  const { manager, log } = ports;
  const end = new AbortController();
  const begin = () => {
    manager.notify("STOPPING=1");
    if (shutdown.isOff) return end.abort(asked.reason);
    shutdown.settle(atOnce).catch((error) => {
      log.error("Pods may not have ended", { error: chainOf(error) });
    }).finally(() => end.abort(asked.reason));
  };
  if (asked.aborted) begin();
  else asked.addEventListener("abort", begin, { once: true });
  return end.signal;
}
