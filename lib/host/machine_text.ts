/**
 * Reads the texts by which a Linux kernel and its distribution describe the
 * machine. Pure: `machine.ts` has opened the files.
 */
import type { DefaultRoute, HugePages } from "../port/machine.ts";

const BYTES_PER_KIB = 1024n;
/** `RTF_UP` of a route's flags. */
const ROUTE_UP = 1;
const NO_ADDRESS_4 = "00000000";
const NO_ADDRESS_6 = "0".repeat(32);

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["aarch64", "arm64"],
]);

/** One value of /proc/meminfo in bytes; undefined when it is not there. */
export function meminfoBytes(text: string, name: string): bigint | undefined {
  const kib = meminfoNumber(text, name);
  return kib === undefined ? undefined : kib * BYTES_PER_KIB;
}

/** One number of /proc/meminfo as it stands. */
export function meminfoNumber(text: string, name: string): bigint | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1];
  return found === undefined ? undefined : BigInt(found);
}

/** Huge pages of the default size, the only ones /proc tells about. */
export function defaultHugePages(meminfo: string): readonly HugePages[] {
  const sizeBytes = meminfoBytes(meminfo, "Hugepagesize");
  const count = meminfoNumber(meminfo, "HugePages_Total");
  return sizeBytes === undefined || count === undefined
    ? []
    : [{ sizeBytes, count }];
}

/** Size named by a directory of /sys/kernel/mm/hugepages. */
export function hugePageSize(directory: string): bigint | undefined {
  const kib = /^hugepages-(\d+)kB$/.exec(directory)?.[1];
  return kib === undefined ? undefined : BigInt(kib) * BYTES_PER_KIB;
}

/** Processors in /proc/stat, which lists those that are online. */
export function onlineCpus(stat: string): number {
  return stat.match(/^cpu\d+ /gm)?.length ?? 0;
}

/** Of /proc/cpuinfo. Compat: cadvisor 0.56 GetPhysicalCores, GetSockets */
export function cpuTopology(cpuinfo: string): {
  readonly physicalCores?: number;
  readonly sockets?: number;
} {
  const distinct = (line: RegExp) => {
    const found = cpuinfo.matchAll(line).map(([, id]) => id);
    return new Set(found).size;
  };
  const physicalCores = distinct(/^core id\s*:\s*(\d+)$/gm);
  const sockets = distinct(/^physical id\s*:\s*(\d+)$/gm);
  return {
    ...physicalCores === 0 ? {} : { physicalCores },
    ...sockets === 0 ? {} : { sockets },
  };
}

/** Compat: cadvisor 0.56 getOperatingSystem */
export function prettyName(osRelease: string): string {
  const name = /^.*PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1];
  return name === undefined
    ? "Linux"
    : name.trim().replace(/^"+|(?<!")"+$/g, "");
}

/** The processor family as Kubernetes names it. */
export function architectureOf(name: string): string {
  return ARCHITECTURES.get(name) ?? name;
}

/** Default routes of /proc/net/route. */
export function defaultRoutes4(text: string): DefaultRoute[] {
  return text.split("\n").slice(1).flatMap((line) => {
    const [interfaceName = "", destination, , flags = "", , , , mask] = line
      .split(/\s+/);
    const isDefault = destination === NO_ADDRESS_4 && mask === NO_ADDRESS_4 &&
      (Number.parseInt(flags, 16) & ROUTE_UP) !== 0;
    return isDefault ? [{ family: "IPv4" as const, interfaceName }] : [];
  });
}

/**
 * Default routes of /proc/net/ipv6_route. One without a gateway is the
 * kernel's own refusal on the loopback interface.
 */
export function defaultRoutes6(text: string): DefaultRoute[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination, length, , , gateway] = fields;
    const interfaceName = fields[9] ?? "";
    const isDefault = destination === NO_ADDRESS_6 && length === "00" &&
      gateway !== NO_ADDRESS_6 && interfaceName !== "";
    return isDefault ? [{ family: "IPv6" as const, interfaceName }] : [];
  });
}
