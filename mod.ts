/**
 * denolet as a library: an agent made from a configuration and the ports it
 * needs. The executable in `main.ts` is one user of it.
 *
 * @module
 */
export { type Agent, createAgent } from "./lib/agent.ts";
export type { AgentOptions, AgentPorts } from "./lib/agent_ports.ts";
export type { ClusterPorts } from "./lib/agent_cluster.ts";
export { type Config, loadConfig } from "./lib/config/load.ts";
export { parseCommandLine } from "./lib/config/command_line.ts";
export type { AgentView, LoopView, PodView } from "./lib/server/view.ts";
export type { Clock } from "./lib/base/clock.ts";
export type { Logger } from "./lib/base/log.ts";
export type { Cgroups } from "./lib/port/cgroups.ts";
export type { Files, HostFacts, HostPaths, Mounts } from "./lib/port/host.ts";
export type { Cluster, Keys, Kubeconfigs } from "./lib/port/cluster.ts";
export type { Machine } from "./lib/port/machine.ts";
export type { OwnProcess } from "./lib/port/processes.ts";
export type { Images } from "./lib/port/images.ts";
export type { LogFiles } from "./lib/port/log_files.ts";
export type { Http, Listener } from "./lib/port/net.ts";
export type { ContainerRuntime } from "./lib/port/runtime.ts";
