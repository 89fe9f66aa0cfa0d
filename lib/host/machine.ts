/**
 * `Machine` on Linux: /proc and what of /sys is bound below the run directory,
 * /etc below the host root, the interfaces of our network namespace (the
 * host's). Texts are read by `machine_text.ts`.
 */
import { lookup as lookUp } from "node:dns/promises";
import { statfs } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import type {
  HugePages,
  Machine,
  MachineFacts,
  NetworkFacts,
  NetworkInterface,
} from "../port/machine.ts";
import {
  architectureOf,
  cpuTopology,
  defaultHugePages,
  defaultRoutes4,
  defaultRoutes6,
  hugePageSize,
  meminfoBytes,
  onlineCpus,
  prettyName,
} from "./machine_text.ts";
import { boundDmi, boundHugePages, boundProc } from "./mounts.ts";

export class LinuxMachine implements Machine {
  readonly #runDir: string;
  /** The kernel takes its time to tell it, and it stays. */
  #cpus: ReturnType<typeof cpuTopology> | undefined;
  #uuid: string | undefined;
  readonly #hostRoot: string;

  constructor(paths: { readonly runDir: string; readonly hostRoot: string }) {
    this.#runDir = paths.runDir;
    this.#hostRoot = paths.hostRoot === "/" ? "" : paths.hostRoot;
  }

  facts(): Promise<MachineFacts> {
    return Promise.try(() => {
      const meminfo = this.#proc("meminfo");
      const memoryBytes = meminfoBytes(meminfo, "MemTotal");
      if (memoryBytes === undefined) {
        throw new AgentError("Cannot read memory size: no MemTotal", {
          next: "give-up",
        });
      }
      const machineId = this.#etc("machine-id") ??
        readIfAny(`${this.#hostRoot}/var/lib/dbus/machine-id`) ?? "";
      return {
        cpuCount: Math.max(onlineCpus(this.#proc("stat")), 1),
        ...this.#topology(),
        memoryBytes,
        swapBytes: meminfoBytes(meminfo, "SwapTotal") ?? 0n,
        hugePages: this.#hugePages() ?? defaultHugePages(meminfo),
        machineId,
        systemUuid: this.#systemUuid() ?? machineId,
        bootId: this.#proc("sys/kernel/random/boot_id").trim(),
        kernelVersion: this.#proc("sys/kernel/osrelease").trim(),
        osImage: this.#osImage(),
        architecture: architectureOf(Deno.build.arch),
      };
    });
  }

  network(): Promise<NetworkFacts> {
    return Promise.try(() => ({
      interfaces: interfaces(),
      defaultRoutes: [
        ...defaultRoutes4(this.#proc("net/route")),
        // There is no such file when IPv6 is switched off.
        ...defaultRoutes6(
          readIfAny(`${boundProc(this.#runDir)}/net/ipv6_route`) ?? "",
        ),
      ],
    }));
  }

  async filesystemBytes(path: string): Promise<bigint> {
    try {
      const { blocks, bsize } = await statfs(path, { bigint: true });
      return blocks * bsize;
    } catch (cause) {
      throw new AgentError(`Cannot measure the file system of ${path}`, {
        next: "retry",
        cause,
      });
    }
  }

  async lookup(name: string, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    // Unknown names and a dead resolver are one to us: no address.
    const asked = lookUp(name, { all: true }).catch(() => []);
    const found = await orAborted(asked, signal);
    return found.map(({ address }) => address);
  }

  #hugePages(): readonly HugePages[] | undefined {
    const directory = boundHugePages(this.#runDir);
    const found: HugePages[] = [];
    for (const name of namesIn(directory)) {
      const sizeBytes = hugePageSize(name);
      const count = readIfAny(`${directory}/${name}/nr_hugepages`);
      if (sizeBytes === undefined || !/^\d+$/.test(count ?? "")) continue;
      found.push({ sizeBytes, count: BigInt(count ?? 0) });
    }
    found.sort((a, b) => Number(a.sizeBytes - b.sizeBytes));
    return found.length === 0 ? undefined : found;
  }

  /** Compat: cadvisor 0.56 GetSystemUUID, without s390x and ppc system-id. */
  #systemUuid(): string | undefined {
    return this.#uuid ??= readIfAny(`${boundDmi(this.#runDir)}/product_uuid`) ??
      readIfAny(`${boundProc(this.#runDir)}/device-tree/vm,uuid`);
  }

  #topology() {
    const cpuinfo = () => readIfAny(`${boundProc(this.#runDir)}/cpuinfo`);
    return this.#cpus ??= cpuTopology(cpuinfo() ?? "");
  }

  #osImage(): string {
    const text = this.#etc("os-release") ??
      readIfAny(`${this.#hostRoot}/usr/lib/os-release`);
    return text === undefined ? "Unknown" : prettyName(text);
  }

  #etc(name: string): string | undefined {
    return readIfAny(`${this.#hostRoot}/etc/${name}`);
  }

  #proc(name: string): string {
    const path = `${boundProc(this.#runDir)}/${name}`;
    try {
      return Deno.readTextFileSync(path);
    } catch (cause) {
      throw new AgentError(`Cannot read ${path}; is /proc bound there?`, {
        next: "give-up",
        cause,
      });
    }
  }
}

/** Interfaces that are up; the system call leaves the others out. */
function interfaces(): NetworkInterface[] {
  const byName = new Map<string, string[]>();
  for (const { name, address } of Deno.networkInterfaces()) {
    const addresses = byName.get(name) ?? [];
    byName.set(name, [...addresses, address.replace(/%.*$/, "")]);
  }
  return [...byName].map(([name, addresses]) => ({
    name,
    isLoopback: addresses.some((one) => /^127\.|^::1$/.test(one)),
    addresses,
  }));
}

/** Trimmed text; undefined when it is absent, empty or not for us to read. */
function readIfAny(path: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(path).replaceAll("\0", "").trim();
    return text === "" ? undefined : text;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new AgentError(`Cannot read ${path}`, {
      next: "retry",
      cause: error,
    });
  }
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new AgentError(`Cannot list ${directory}`, {
      next: "retry",
      cause: error,
    });
  }
}

/** Optional facts that a host lacks or that we were not granted. */
function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.PermissionDenied;
}
