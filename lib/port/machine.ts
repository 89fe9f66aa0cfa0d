/**
 * What the node's status needs of the machine. Everything is read afresh at
 * each call, from the kernel's memory where possible; the file system and the
 * name lookup may wait, so their callers bound them.
 */

/** Huge pages of one size that were set aside. */
export interface HugePages {
  readonly sizeBytes: bigint;
  readonly count: bigint;
}

export interface MachineFacts {
  /** Processors the scheduler may use. */
  readonly cpuCount: number;
  /** Absent where the kernel does not tell, as on most of ARM. */
  readonly physicalCores?: number;
  readonly sockets?: number;
  readonly memoryBytes: bigint;
  /** 0: no swap. */
  readonly swapBytes: bigint;
  /** Every size the kernel has, also those without pages; smallest first. */
  readonly hugePages: readonly HugePages[];
  /** Empty when the host has none. */
  readonly machineId: string;
  /** The firmware's name of the machine; the machine id where it has none. */
  readonly systemUuid: string;
  /** Changes with each boot. */
  readonly bootId: string;
  readonly kernelVersion: string;
  /** The distribution's name for people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly osImage: string;
  /** As Kubernetes names it: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** A network interface that is up. */
export interface NetworkInterface {
  readonly name: string;
  readonly isLoopback: boolean;
  /** IPv4 and IPv6 without prefix length or zone, as the kernel orders them. */
  readonly addresses: readonly string[];
}

export interface DefaultRoute {
  readonly family: "IPv4" | "IPv6";
  readonly interfaceName: string;
}

export interface NetworkFacts {
  readonly interfaces: readonly NetworkInterface[];
  /** As the kernel lists them, IPv4 first. */
  readonly defaultRoutes: readonly DefaultRoute[];
}

/** Rejects with an `AgentError` that names the file that cannot be read. */
export interface Machine {
  facts(): Promise<MachineFacts>;
  network(): Promise<NetworkFacts>;
  /** Size of the file system that holds `path`. */
  filesystemBytes(path: string): Promise<bigint>;
  /** Addresses of a host name, as the host resolves it; empty when unknown. */
  lookup(name: string, signal: AbortSignal): Promise<readonly string[]>;
}
