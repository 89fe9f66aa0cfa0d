/**
 * What a world's virtual machine consists of: pure derivations from the world.
 * Everything is below one folder of the world.
 */
import type { WorldFacts } from "../world/facts.ts";

export interface MachineFacts {
  readonly world: WorldFacts;
  /** Everything of the machine is below this folder. */
  readonly folder: string;
  /** Copied from the image; what a power cut leaves is what the next boot finds. */
  readonly disk: string;
  /** What cloud-init reads on the first boot. */
  readonly seed: string;
  /** What the kernel and systemd say, over all boots. */
  readonly serialLog: string;
  /** Socket of the guest agent: commands, without a network. */
  readonly control: string;
  /** Host name, and name of the node. */
  readonly name: string;
  /**
   * The machine's address in qemu's user network. The host answers there as
   * well: so the API server reaches the node at the address that the node
   * tells, and qemu hands the connection in.
   */
  readonly address: string;
  /** The host's loopback, as the machine reaches it. */
  readonly host: string;
}

export function machineFacts(world: WorldFacts): MachineFacts {
  const folder = `${world.root}/vm`;
  return {
    world,
    folder,
    disk: `${folder}/disk.img`,
    seed: `${folder}/seed.img`,
    serialLog: `${folder}/serial.log`,
    control: `${folder}/control.sock`,
    name: world.name,
    address: "10.0.2.15",
    host: "10.0.2.2",
  };
}
