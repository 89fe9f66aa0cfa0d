/**
 * Settings of the kernel that agents change, as the kubelet does: remembered
 * before the first world of this machine is made, put back after the last one.
 */
import { WANTED_SETTINGS } from "../../lib/node/kernel_settings.ts";
import { readIfThere } from "./command.ts";

/** By name below /proc/sys. */
export type KernelValues = Readonly<Record<string, string>>;

export async function kernelValues(): Promise<KernelValues> {
  const found: Record<string, string> = {};
  for (const name of WANTED_SETTINGS.keys()) {
    const value = await readIfThere(`/proc/sys/${name}`);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

export async function setKernelValues(values: KernelValues): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    const path = `/proc/sys/${name}`;
    if (await readIfThere(path) !== value) {
      await Deno.writeTextFile(path, value);
    }
  }
}

/** `root`: of all worlds. What is remembered already stays. */
export async function rememberKernel(root: string): Promise<void> {
  if (await readIfThere(fileIn(root)) !== undefined) return;
  const text = JSON.stringify(await kernelValues());
  await Deno.writeTextFile(fileIn(root), text);
}

/** Does nothing as long as there is a world. */
export async function restoreKernel(root: string): Promise<void> {
  const text = await readIfThere(fileIn(root));
  if (text === undefined) return;
  for await (const { isDirectory } of Deno.readDir(root)) {
    if (isDirectory) return;
  }
  await setKernelValues(JSON.parse(text));
  await Deno.remove(fileIn(root));
}

function fileIn(root: string): string {
  return `${root}/kernel.json`;
}
