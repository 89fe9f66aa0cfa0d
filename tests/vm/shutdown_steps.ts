/**
 * Steps on a machine with systemd as PID 1 and a logind of its own: what the
 * service manager knows of the agent, a stuck agent, and a shutdown that waits
 * for the pods. Leaves the agent's configuration as it was.
 */
import assert from "node:assert/strict";
import { IMAGES, reference } from "../../deploy/world/facts.ts";

/** The machine, and the cluster that it is a node of. */
export interface Machine {
  /** Runs a shell script in the machine; rejects when it fails. */
  sh(script: string, timeoutMs?: number): Promise<string>;
  kubectl(...args: string[]): Promise<string>;
  until(
    what: string,
    isSo: () => boolean | Promise<boolean>,
    timeoutMs?: number,
  ): Promise<void>;
  booted(): Promise<void>;
  nodeReady(): Promise<void>;
  bootId(): Promise<string>;
}

const CONFIG = "/var/lib/kubelet/config.yaml";
const STATE = "/var/lib/kubelet/graceful_node_shutdown_state";
const SLOW_MS = 240_000;
/** More than logind waits by itself, and what a translated processor needs. */
const SECONDS = { usual: 20, critical: 20 };
const STUBBORN = "trap '' TERM; while :; do sleep 1; done";
const OBEDIENT = "trap 'exit 0' TERM; sleep 100000 & wait";

/** The unit is of type notify: it is active only once the agent said so. */
export async function serviceManagerKnows(rig: Machine): Promise<string> {
  await rig.until("a status for systemd", async () => {
    return (await show(rig, "StatusText")) !== "";
  }, SLOW_MS);
  assert.equal(await show(rig, "Type"), "notify");
  assert.equal(await show(rig, "ActiveState"), "active");
  return await show(rig, "StatusText");
}

/** A process that does nothing any more feeds no watchdog. */
export async function stuckAgent(rig: Machine): Promise<string> {
  const folder = "/run/systemd/system/denolet.service.d";
  await rig.sh(
    `mkdir -p ${folder} && printf ` +
      `'[Service]\\nWatchdogSec=20\\nTimeoutAbortSec=3\\n' ` +
      `>${folder}/watchdog.conf && systemctl daemon-reload && ` +
      "systemctl restart denolet",
    SLOW_MS,
  );
  await rig.nodeReady();
  const before = await show(rig, "MainPID");
  const startMs = performance.now();
  await rig.sh(`kill -STOP ${before}`);
  await rig.until("another agent", async () => {
    const now = await show(rig, "MainPID");
    return now !== "0" && now !== before &&
      await show(rig, "ActiveState") === "active";
  }, SLOW_MS);
  const seconds = (performance.now() - startMs) / 1000;
  await rig.sh(
    `rm -r ${folder} && systemctl daemon-reload && systemctl restart denolet`,
    SLOW_MS,
  );
  await rig.nodeReady();
  return `another one runs after ${seconds.toFixed(0)} s`;
}

/** The machine reboots; pods end before it does, the critical one last. */
export async function shutdownWaits(rig: Machine): Promise<string> {
  const { usual, critical } = SECONDS;
  await rig.sh(
    `cp ${CONFIG} ${CONFIG}.before && printf '%s\\n' ` +
      `'shutdownGracePeriod: ${usual + critical}s' ` +
      `'shutdownGracePeriodCriticalPods: ${critical}s' >>${CONFIG} && ` +
      "systemctl restart denolet",
    SLOW_MS,
  );
  await rig.nodeReady();
  await rig.until("a lock of the agent's", async () => {
    const locks = await rig.sh("systemd-inhibit --list --no-pager");
    return /kubelet .*shutdown .*Kubelet needs time .*delay/.test(locks);
  }, SLOW_MS);
  const delay = await rig.sh(
    "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 " +
      "org.freedesktop.login1.Manager InhibitDelayMaxUSec",
  );
  assert.equal(delay.trim(), `t ${(usual + critical) * 1_000_000}`);
  await makePods(rig);
  const bootId = await rig.bootId();
  await rig.sh("nohup systemctl reboot >/dev/null 2>&1 &");
  const ended = await watchEnds(rig);
  // It answers for a while as it goes down.
  await rig.until("the next boot", async () => {
    return await rig.bootId().catch(() => bootId) !== bootId;
  }, SLOW_MS);
  await rig.nodeReady();
  const { startTime, endTime } = JSON.parse(await rig.sh(`cat ${STATE}`));
  const seconds = (Date.parse(endTime) - Date.parse(startTime)) / 1000;
  assert.ok(
    seconds > usual - 1 && seconds < usual + critical + 4,
    `${seconds}`,
  );
  // What has failed stays so, on the other side of the reboot too.
  for (const name of ["web", "slow", "dns"]) {
    assert.equal(await endOf(rig, name), "Failed Terminated", name);
  }
  await rig.kubectl("delete", "pods", "web", "slow", "dns");
  await rig.sh(
    `mv ${CONFIG}.before ${CONFIG} && systemctl restart denolet`,
    SLOW_MS,
  );
  await rig.nodeReady();
  return `pods had ended ${seconds.toFixed(1)} s after; seen: ${ended}`;
}

async function show(rig: Machine, property: string): Promise<string> {
  const script = `systemctl show denolet --property=${property} --value`;
  return (await rig.sh(script)).trim();
}

async function makePods(rig: Machine): Promise<void> {
  const rows = [
    { name: "web", command: OBEDIENT, priorityClassName: "" },
    { name: "slow", command: STUBBORN, priorityClassName: "" },
    {
      name: "dns",
      command: OBEDIENT,
      priorityClassName: "system-node-critical",
    },
  ];
  for (const { name, command, priorityClassName } of rows) {
    const overrides = {
      spec: { terminationGracePeriodSeconds: 60, priorityClassName },
    };
    await rig.kubectl(
      ...["run", name, `--image=${reference(IMAGES.busybox)}`],
      "--image-pull-policy=IfNotPresent",
      `--overrides=${JSON.stringify(overrides)}`,
      ...["--command", "--", "sh", "-c", command],
    );
  }
  await rig.kubectl(
    ...["wait", "pods", "web", "slow", "dns", "--for=condition=Ready"],
    `--timeout=${SLOW_MS / 1000}s`,
  );
}

/** From outside: in which order the API server hears of their ends. */
async function watchEnds(rig: Machine): Promise<string> {
  const seen: string[] = [];
  await rig.until("the end of every pod", async () => {
    for (const name of ["web", "slow", "dns"]) {
      if (seen.includes(name)) continue;
      if (await endOf(rig, name) === "Failed Terminated") seen.push(name);
    }
    return seen.length === 3;
  }, SLOW_MS);
  // The stubborn one is killed as the critical one's turn begins.
  assert.ok(seen.indexOf("web") < seen.indexOf("dns"), seen.join(", "));
  return seen.join(", ");
}

async function endOf(rig: Machine, name: string): Promise<string> {
  const path = "jsonpath={.status.phase} {.status.reason}";
  return await rig.kubectl("get", "pod", name, "--output", path);
}
