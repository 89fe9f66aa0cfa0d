/**
 * `HostFacts` from the bound /proc below the run directory. These files are
 * made by the kernel from memory; reading one never waits for a disk.
 */
import { AgentError } from "../base/errors.ts";
import type { HostFacts, HostTraits } from "../port/host.ts";
import type { Libc } from "./libc.ts";
import { boundProc } from "./mounts.ts";
import { hostTraits } from "./traits.ts";

const BYTES_PER_KIB = 1024n;

export class ProcFacts implements HostFacts {
  readonly #proc: string;
  readonly #libc: Libc;

  constructor(runDir: string, libc: Libc) {
    this.#proc = boundProc(runDir);
    this.#libc = libc;
  }

  traits(): HostTraits {
    return hostTraits(this.#libc);
  }

  // Not `Deno.hostname()`, which would need `--allow-sys=hostname`.
  hostname(): string {
    return this.#read("sys/kernel/hostname").trim();
  }

  // Not `navigator.hardwareConcurrency`: that is what our own cgroup may use.
  cpuCount(): number {
    const online = this.#read("stat").match(/^cpu\d+ /gm);
    return Math.max(online?.length ?? 0, 1);
  }

  memoryBytes(): bigint {
    const kib = /^MemTotal:\s+(\d+) kB$/m.exec(this.#read("meminfo"))?.[1];
    if (kib === undefined) {
      throw new AgentError("Cannot read memory size: no MemTotal in meminfo", {
        next: "give-up",
      });
    }
    return BigInt(kib) * BYTES_PER_KIB;
  }

  giveBackMemory(): void {
    this.#libc.trim();
  }

  bootId(): Promise<string> {
    return Promise.try(() => this.#read("sys/kernel/random/boot_id").trim());
  }

  #read(name: string): string {
    const path = `${this.#proc}/${name}`;
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
