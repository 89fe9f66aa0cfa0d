/** Opens everything the agent needs from the machine, once, at start. */
import { join } from "node:path";
import type { Cgroups } from "../port/cgroups.ts";
import type {
  Files,
  HostFacts,
  HostPaths,
  Mounts,
  NodeTexts,
} from "../port/host.ts";
import type { Config } from "../config/load.ts";
import type { Machine } from "../port/machine.ts";
import type { OwnProcess } from "../port/processes.ts";
import type { LogFiles, LogKeeper, SystemLogs } from "../port/log_files.ts";
import type { KernelNews, KernelSettings } from "../port/kernel.ts";
import type { Usage } from "../port/usage.ts";
import type { Http, Listener, PodNet } from "../port/net.ts";
import type { NodeListener } from "../port/node_server.ts";
import type { Programs } from "../port/programs.ts";
import type { Logind, ServiceManager } from "../port/service_manager.ts";
import { HostCgroups } from "./cgroups.ts";
import { HostFiles } from "./files.ts";
import { hostPathsOf } from "./host_paths.ts";
import { LinuxKernelNews } from "./kernel_news.ts";
import { LinuxKernelSettings } from "./kernel_settings.ts";
import { type Libc, openLibc } from "./libc.ts";
import { HostListener } from "./listener.ts";
import { HostLogKeeper } from "./log_keeper.ts";
import { HostLogFiles } from "./log_files.ts";
import { hostLogind } from "./logind.ts";
import { LinuxMachine } from "./machine.ts";
import { bindHostTrees } from "./mounts.ts";
import { HostNodeListener } from "./node_listener.ts";
import { hostHttp } from "./net.ts";
import { HostNodeTexts } from "./node_texts.ts";
import { claimRunDirectory } from "./one_agent.ts";
import { LinuxOwnProcess } from "./own_process.ts";
import { hostPodNet } from "./pod_net.ts";
import { ProcFacts } from "./proc.ts";
import { hostJournal } from "./journal.ts";
import { hostPrograms } from "./programs.ts";
import {
  hostServiceManager,
  managerEnvironment,
  socketOf,
} from "./service_manager.ts";
import { SystemdSlices } from "./systemd_slices.ts";
import { HostMounts } from "./tmpfs.ts";
import { LinuxUsage } from "./usage.ts";

/** Where PID 1 listens, for root alone. */
const SYSTEMD = "/run/systemd/private";

export interface Host {
  readonly files: Files;
  readonly manifestFiles: Files;
  readonly certificateFiles: Files;
  readonly logFiles: LogFiles;
  readonly systemLogs: SystemLogs;
  readonly logKeeper: LogKeeper;
  readonly mounts: Mounts;
  readonly hostPaths: HostPaths;
  readonly cgroups: Cgroups;
  readonly host: HostFacts;
  readonly nodeTexts: NodeTexts;
  readonly machine: Machine;
  readonly ownProcess: OwnProcess;
  readonly usage: Usage;
  readonly kernel: KernelNews;
  readonly kernelSettings: KernelSettings;
  readonly programs: Programs;
  readonly http: Http;
  /** What the gRPC library is not needed for. */
  readonly podNet: Omit<PodNet, "health">;
  readonly listener: Listener;
  readonly nodeListener: NodeListener;
  readonly logind: Logind;
  readonly manager: ServiceManager;
}

/**
 * Makes sure that no other agent has this run directory, binds the host's trees
 * below it and opens the adapters. Only
 * the manifest folder and what kubeconfigs name, which admins write, may hold
 * symbolic links.
 */
export function openHost(
  { paths, hostRoot, kubelet }: Pick<Config, "paths" | "hostRoot" | "kubelet">,
): Host {
  const libc = openLibc();
  claimRunDirectory(libc, { runDir: paths.runDir, pid: Deno.pid });
  bindHostTrees(libc, paths.runDir);
  const { rootDir, podLogsDir, containerLogsDir, runDir } = paths;
  const manifests = kubelet.staticPodPath;
  return {
    files: new HostFiles({
      libc,
      roots: [rootDir, podLogsDir, containerLogsDir, runDir],
      links: "refuse",
    }),
    manifestFiles: new HostFiles({
      libc,
      roots: manifests === "" ? [] : [join(manifests)],
      links: "follow",
    }),
    certificateFiles: new HostFiles({ libc, roots: ["/"], links: "follow" }),
    systemLogs: systemLogs(libc, join(hostRoot, "/var/log")),
    // Termination messages are below the pods' own directories.
    logFiles: new HostLogFiles({
      libc,
      roots: [podLogsDir, join(rootDir, "pods")],
      links: "refuse",
    }),
    logKeeper: new HostLogKeeper({
      ...{ libc, roots: [podLogsDir], links: "refuse" },
    }),
    mounts: new HostMounts({ libc, roots: [rootDir], links: "refuse" }),
    hostPaths: hostPathsOf(libc),
    cgroups: new HostCgroups(libc, {
      runDir,
      slices: new SystemdSlices(libc, join(hostRoot, SYSTEMD)),
    }),
    host: new ProcFacts(runDir, libc),
    nodeTexts: new HostNodeTexts(libc),
    machine: new LinuxMachine({ runDir, hostRoot }),
    ownProcess: new LinuxOwnProcess(libc),
    usage: new LinuxUsage(libc, { runDir, roots: [rootDir, podLogsDir] }),
    kernel: new LinuxKernelNews(libc, runDir),
    kernelSettings: new LinuxKernelSettings(runDir),
    programs: hostPrograms,
    http: hostHttp,
    podNet: hostPodNet,
    listener: new HostListener(libc),
    nodeListener: new HostNodeListener(),
    ...initSystem(libc, hostRoot),
  };
}

/** systemd where it is there; where it is not, nobody answers. */
function initSystem(libc: Libc, hostRoot: string) {
  const { busAddress, ...environment } = managerEnvironment();
  const busSocket = busAddress === undefined
    ? join(hostRoot, "/run/dbus/system_bus_socket")
    : socketOf(busAddress);
  return {
    logind: hostLogind(libc, { socket: busSocket, hostRoot }),
    manager: hostServiceManager(libc, {
      busSocket,
      ownSocket: join(hostRoot, "/run/systemd/private"),
      environment,
      pid: Deno.pid,
    }),
  };
}

function systemLogs(libc: Libc, folder: string): SystemLogs {
  const trees = { libc, roots: [folder], links: "refuse" } as const;
  return {
    folder,
    files: new HostFiles(trees),
    logFiles: new HostLogFiles(trees),
    journal: hostJournal,
  };
}
