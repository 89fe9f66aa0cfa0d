/**
 * A real machine to prove it: Debian with systemd, cgroup v2 and containerd
 * under qemu, made a node by the user-data of deploy/cloud-init, of a control
 * plane on this machine.
 *
 *   deno task vm [whole|short] [--focus=PATTERN] [--keep-logs]
 *
 * `short` leaves out what takes long; `--focus` picks steps by their names,
 * besides those that the rest stands on. Prints how long each step took, ends
 * with 1 when one failed, and tells where the logs are then. Everything but the
 * image is removed at the end.
 */
import { parseArgs } from "node:util";
import { findImage } from "../../deploy/vm/machine.ts";
import { run } from "../../deploy/world/command.ts";
import * as cgroups from "./cgroup_steps.ts";
import { cisPasses } from "./cis_steps.ts";
import { memoryEviction } from "./eviction_steps.ts";
import { firstPod, joined } from "./first_pod.ts";
import { probesRefused } from "./hardening_steps.ts";
import { journalIsRead } from "./journal_steps.ts";
import { removeAll } from "./pods.ts";
import { Rig } from "./rig.ts";
import * as systemd from "./shutdown_steps.ts";
import { stats } from "./stats_steps.ts";
import { type Row, runSteps, type Step, textOf } from "./table.ts";
import * as twenty from "./twenty_steps.ts";
import { userNamespace } from "./userns_steps.ts";

const WORLD = Deno.env.get("DENOLET_VM_WORLD") ?? "vm";
const PREPARE = new URL("../../deploy/prepare.sh", import.meta.url).pathname;

interface Part extends Step<Rig> {
  readonly isShort?: true;
}

const PARTS: readonly Part[] = [
  {
    name: "the image, made once",
    isVital: true,
    run: async () => {
      await findImage();
      return "";
    },
  },
  {
    name: "a control plane",
    isVital: true,
    run: async (rig) => {
      await rig.startCluster();
      return rig.cluster.server;
    },
  },
  {
    name: "the first boot, cloud-init",
    isVital: true,
    run: async (rig) => {
      await rig.firstBoot();
      return (await rig.sh("systemctl --version | head -n 1")).trim();
    },
  },
  { name: "the node joins", isVital: true, run: joined },
  { name: "a pod, its log, a command", isShort: true, run: firstPod },
  { name: "injected code", isShort: true, run: probesRefused },
  { name: "the checks of CIS", isShort: true, run: cisPasses },
  {
    name: "cgroups under systemd",
    isShort: true,
    run: (rig) => cgroups.trioWithValues(rig, "systemd"),
  },
  {
    name: "systemd reads its units anew",
    isShort: true,
    run: cgroups.systemdInterferes,
  },
  { name: "the agent starts again", run: cgroups.agentRestarts },
  {
    name: "pods of systemd go",
    isShort: true,
    run: (rig) => cgroups.trioGone(rig, "systemd"),
  },
  { name: "a container takes too much", run: cgroups.groupKill },
  { name: "figures of use", run: stats },
  { name: "a user namespace", run: userNamespace },
  { name: "memory gets short", run: memoryEviction },
  {
    name: "systemd knows of the agent",
    isShort: true,
    run: systemd.serviceManagerKnows,
  },
  { name: "an agent that does nothing", run: systemd.stuckAgent },
  { name: "a shutdown waits for pods", run: systemd.shutdownWaits },
  {
    name: "a power cut in the middle of 20 starts",
    isShort: true,
    run: twenty.cutPower,
  },
  { name: "a reboot with 20 pods", run: twenty.reboot },
  { name: "the driver cgroupfs", run: cgroups.changeDriver },
  {
    name: "cgroups under cgroupfs",
    run: (rig) => cgroups.trioWithValues(rig, "cgroupfs"),
  },
  {
    name: "pods of cgroupfs go",
    run: (rig) => cgroups.trioGone(rig, "cgroupfs"),
  },
  { name: "the journal is read", run: journalIsRead },
];

/** Why there is nothing to try here; undefined: there is. */
async function obstacle(): Promise<string | undefined> {
  if (Deno.build.arch !== "x86_64") return "the image is for x86_64 only";
  if (Deno.uid() !== 0) return "it takes root, to make the image";
  try {
    await run("/bin/sh", [PREPARE, "vm"]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...Deno.args],
    allowPositionals: true,
    options: {
      "keep-logs": { type: "boolean", default: false },
      focus: { type: "string", default: "" },
    },
  });
  const part = positionals[0] ?? "whole";
  if (!["whole", "short"].includes(part) || positionals.length > 1) {
    console.error(`Cannot run ${positionals}: it takes whole or short`);
    return 2;
  }
  const reason = await obstacle();
  if (reason !== undefined) {
    console.warn(`SKIP: no virtual machine, because ${reason}`);
    return 0;
  }
  const focus = new RegExp(values.focus);
  const steps = PARTS.filter(({ name, isVital, isShort }) =>
    isVital || (part === "whole" || isShort) && focus.test(name)
  );
  const rows = await proved(steps, { keepsLogs: values["keep-logs"] });
  const failed = rows.filter(({ isOk }) => !isOk).length;
  console.log("\n" + rows.map(textOf).join("\n"));
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const passed = rows.length - failed;
  console.log(
    `\n${failed === 0 ? "ok" : "FAILED"} | ${passed} passed | ` +
      `${failed} failed (${seconds.toFixed(0)} s)`,
  );
  return failed === 0 ? 0 : 1;
}

/** Whatever happens, nothing but logs is left. */
async function proved(
  steps: readonly Step<Rig>[],
  { keepsLogs }: { readonly keepsLogs: boolean },
): Promise<readonly Row[]> {
  const interrupted = new AbortController();
  const stop = () => interrupted.abort(new Error("It was interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, stop);
  }
  const rig = new Rig(WORLD);
  try {
    const rows = await runSteps(steps, rig, {
      signal: interrupted.signal,
      tidy: removeAll,
    });
    if (keepsLogs || rows.some(({ isOk }) => !isOk)) {
      console.log(`logs are in ${await rig.keepLogs()}`);
    }
    return rows;
  } finally {
    await rig.end();
  }
}

Deno.exit(await main());
