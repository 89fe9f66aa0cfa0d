/**
 * A virtual machine by qemu: made from the image of image.sh, switched on,
 * its power cut, removed. Its processor is qemu's own translator, which works
 * everywhere; DENOLET_VM_ACCEL=kvm takes the host's, which is much quicker.
 */
import { run } from "../world/command.ts";
import { endProgram, startProgram } from "../cluster/process.ts";
import type { MachineFacts } from "./facts.ts";

const IMAGE_SCRIPT = new URL("./image.sh", import.meta.url).pathname;

/** The folder with disk.img, vmlinuz and initrd.img; made when it is not there. */
export async function findImage(): Promise<string> {
  const output = await run("/bin/sh", [IMAGE_SCRIPT]);
  return output.trim();
}

/** A new disk, and the seed for its first boot. */
export async function makeMachine(
  machine: MachineFacts,
  { image, userData }: { readonly image: string; readonly userData: string },
): Promise<void> {
  const { folder, disk, seed, name } = machine;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await run("cp", ["--sparse=always", `${image}/disk.img`, disk]);
  // The image may be made anew while this machine runs.
  for (const file of ["vmlinuz", "initrd.img"]) {
    await run("cp", [`${image}/${file}`, `${folder}/${file}`]);
  }
  const metaData = `instance-id: ${name}\nlocal-hostname: ${name}\n`;
  await Deno.writeTextFile(`${folder}/user-data`, userData, { mode: 0o600 });
  await Deno.writeTextFile(`${folder}/meta-data`, metaData);
  await run("cloud-localds", [
    seed,
    `${folder}/user-data`,
    `${folder}/meta-data`,
  ]);
}

/**
 * Lets this host answer at the machine's address, for qemu to hand it in. Only
 * from loopback: qemu takes that for the host, where connections from the
 * address itself would look to the machine like its own.
 */
export async function takeAddress({ address }: MachineFacts): Promise<void> {
  const all = await run("ip", ["-o", "-4", "address", "show"]);
  if (all.includes(` ${address}/`)) {
    throw new Error(
      `Cannot reach a machine at ${address}: this host has that address`,
    );
  }
  await run("ip", ["route", "replace", ...routeTo(address)]);
}

function routeTo(address: string): string[] {
  const from = ["src", "127.0.0.1", "table", "local"];
  return ["local", `${address}/32`, "dev", "lo", ...from];
}

/** Switches it on unless it is; the pid of qemu. */
export async function powerOn(machine: MachineFacts): Promise<number> {
  return await startProgram({
    path: "qemu-system-x86_64",
    args: qemuFlags(machine),
    mark: mark(machine),
    log: `${machine.folder}/qemu.log`,
  });
}

/**
 * Ends it between two instructions. What the machine has handed to its disk is
 * there on the next boot, and nothing else.
 */
export async function powerCut(machine: MachineFacts): Promise<void> {
  await endProgram(mark(machine), "kill");
}

export async function removeMachine(machine: MachineFacts): Promise<void> {
  await powerCut(machine);
  const route = routeTo(machine.address);
  await run("ip", ["route", "delete", ...route], { failure: "ignore" });
  await run("rm", ["-rf", machine.folder]);
}

function mark({ control }: MachineFacts): string {
  return `socket,id=control,path=${control},server=on,wait=off`;
}

function qemuFlags(machine: MachineFacts): string[] {
  const { folder, disk, seed, serialLog, address } = machine;
  return [
    ...["-name", `denolet-${machine.name}`, "-nodefaults", "-display", "none"],
    ...[...processor(), "-smp", "2", "-m", "2048"],
    ...["-kernel", `${folder}/vmlinuz`, "-initrd", `${folder}/initrd.img`],
    "-append",
    "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=-1",
    // Flushes are not waited for: the host's memory outlives the machine, so
    // a power cut finds the same with and without.
    ...["-drive", `file=${disk},if=virtio,format=raw,cache=unsafe`],
    ...["-drive", `file=${seed},if=virtio,format=raw,readonly=on`],
    "-nic",
    `user,model=virtio-net-pci,hostfwd=tcp:${address}:10250-:10250`,
    ...["-device", "virtio-rng-pci"],
    ...["-chardev", `file,id=serial,path=${serialLog},append=on`],
    ...["-serial", "chardev:serial"],
    ...["-chardev", mark(machine), "-device", "virtio-serial"],
    "-device",
    "virtserialport,chardev=control,name=org.qemu.guest_agent.0",
  ];
}

/** Translated, newer instructions take longer than what they are to save. */
function processor(): string[] {
  return Deno.env.get("DENOLET_VM_ACCEL") === "kvm"
    ? ["-accel", "kvm", "-cpu", "host"]
    : ["-accel", "tcg,thread=multi", "-cpu", "Nehalem"];
}
