/** `KernelSettings` in the bound /proc below the run directory. */
import { AgentError } from "../base/errors.ts";
import type { KernelSettings } from "../port/kernel.ts";
import { boundProc } from "./mounts.ts";

export class LinuxKernelSettings implements KernelSettings {
  readonly #folder: string;

  constructor(runDir: string) {
    this.#folder = `${boundProc(runDir)}/sys`;
  }

  async read(name: string): Promise<bigint | undefined> {
    try {
      const text = await Deno.readTextFile(`${this.#folder}/${name}`);
      return BigInt(text.trim());
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw failed(`Cannot read the kernel setting ${name}`, error);
    }
  }

  async write(name: string, value: bigint): Promise<void> {
    const path = `${this.#folder}/${name}`;
    try {
      await Deno.writeTextFile(path, `${value}`, { create: false });
    } catch (error) {
      throw failed(`Cannot set the kernel setting ${name} to ${value}`, error);
    }
  }
}

function failed(what: string, cause: unknown): AgentError {
  return new AgentError(what, { next: "give-up", cause });
}
