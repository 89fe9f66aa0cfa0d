/**
 * The families of `/metrics/cadvisor` about the machine itself; see
 * cadvisor.ts. Pure. Compat: cadvisor 0.56 metrics/prometheus_machine.go
 */
import { type Family, labelText } from "./exposition.ts";

/** Facts of the machine that go with them. */
export interface MachineLabels {
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly version: string;
  readonly cores: number;
  /** Absent: the kernel does not tell. */
  readonly physicalCores?: number;
  readonly sockets?: number;
  readonly bootedAtMs: number;
  readonly memoryBytes: bigint;
  readonly swapBytes: bigint;
}

export function machineFamilies(machine: MachineLabels): Family[] {
  const labels = labelText([
    ["boot_id", machine.bootId],
    ["machine_id", machine.machineId],
    ["system_uuid", machine.systemUuid],
  ]);
  const gauge = (
    name: string,
    help: string,
    value: number | bigint | undefined,
  ): Family => ({
    name,
    help,
    type: "gauge",
    series: value === undefined ? [] : [{ labels, value }],
  });
  return [
    versionFamily(machine),
    gauge(
      "machine_cpu_physical_cores",
      "Number of physical CPU cores.",
      machine.physicalCores,
    ),
    gauge("machine_cpu_cores", "Number of logical CPU cores.", machine.cores),
    gauge(
      "machine_cpu_sockets",
      "Number of CPU sockets.",
      machine.sockets,
    ),
    gauge(
      "machine_memory_bytes",
      "Amount of memory installed on the machine.",
      machine.memoryBytes,
    ),
    gauge(
      "machine_swap_bytes",
      "Amount of swap memory available on the machine.",
      machine.swapBytes,
    ),
    {
      name: "machine_scrape_error",
      help: "1 if there was an error while getting machine metrics, " +
        "0 otherwise.",
      type: "gauge",
      series: [{ labels: "", value: 0 }],
    },
  ];
}

function versionFamily(
  { version, kernelVersion, osImage }: MachineLabels,
): Family {
  return {
    name: "cadvisor_version_info",
    help: "A metric with a constant '1' value labeled by kernel version, " +
      "OS version, docker version, cadvisor version & cadvisor revision.",
    type: "gauge",
    series: [{
      labels: labelText([
        ["cadvisorRevision", ""],
        ["cadvisorVersion", version],
        ["dockerVersion", ""],
        ["kernelVersion", kernelVersion],
        ["osVersion", osImage],
      ]),
      value: 1,
    }],
  };
}
