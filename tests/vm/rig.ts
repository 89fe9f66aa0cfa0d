/**
 * A control plane on this machine and a virtual machine that is its node: what
 * the steps of `deno task vm` work with.
 */
import {
  clusterDown,
  type ClusterFacts,
  clusterUp,
  kubectl,
} from "../../deploy/cluster.ts";
import { tellCa } from "../../deploy/cluster/bootstrap.ts";
import { isNodeReady } from "../../deploy/cluster/kubelet.ts";
import { type Ask, get, pause } from "../../deploy/cluster/request.ts";
import { type MachineFacts, machineFacts } from "../../deploy/vm/facts.ts";
import { openShelf, stockShelf, userData } from "../../deploy/vm/goods.ts";
import { Guest } from "../../deploy/vm/guest.ts";
import {
  findImage,
  makeMachine,
  powerOn,
  removeMachine,
  takeAddress,
} from "../../deploy/vm/machine.ts";
import { type WorldFacts, worldFacts } from "../../deploy/world/facts.ts";

/** A translated processor takes its time, and shares the host's with others. */
const BOOT_MS = 240_000;

interface CloudInitResult {
  readonly v1: { readonly errors: readonly string[] };
}

export class Rig {
  readonly world: WorldFacts;
  readonly machine: MachineFacts;
  readonly guest: Guest;
  #cluster: ClusterFacts | undefined;

  constructor(name: string) {
    this.world = worldFacts(name);
    this.machine = machineFacts(this.world);
    this.guest = new Guest(this.machine.control);
  }

  get cluster(): ClusterFacts {
    if (this.#cluster === undefined) throw new Error("There is no cluster yet");
    return this.#cluster;
  }

  async startCluster(): Promise<void> {
    // Left by a run that was killed.
    await this.end();
    this.#cluster = await clusterUp(this.world, {});
    await tellCa(this.#cluster);
  }

  /** To the end of cloud-init: by then the agent is installed and started. */
  async firstBoot(): Promise<void> {
    const { machine, guest } = this;
    const image = await findImage();
    await stockShelf(machine);
    await using shelf = openShelf(machine);
    await makeMachine(machine, {
      image,
      userData: await userData(machine, this.cluster, shelf.addr.port),
    });
    await takeAddress(machine);
    await powerOn(machine);
    await this.booted();
    // `cloud-init status --wait` would take half of the processor for itself.
    await guest.sh(
      "until [ -e /run/cloud-init/result.json ]; do sleep 1; done",
      BOOT_MS,
    );
    const result = await this.sh("cat /run/cloud-init/result.json");
    const { v1 }: CloudInitResult = JSON.parse(result);
    if (v1.errors.length > 0) {
      throw new Error(`cloud-init failed: ${v1.errors.join(", ")}`);
    }
  }

  /** Until somebody answers there. */
  async booted(): Promise<void> {
    await this.until("the machine", () => this.guest.isThere(), BOOT_MS);
  }

  async nodeReady(): Promise<void> {
    await this.until("a Ready node", async () => {
      return await isNodeReady(this.cluster, this.machine.name);
    }, BOOT_MS);
  }

  /** Changes with each boot. */
  async bootId(): Promise<string> {
    return (await this.sh("cat /proc/sys/kernel/random/boot_id")).trim();
  }

  /** Runs a shell script in the machine. */
  sh(script: string, timeoutMs?: number): Promise<string> {
    return this.guest.sh(script, timeoutMs);
  }

  /** Lines of files below a folder of the machine: `name` → text. */
  async files(
    folder: string,
    names: string,
  ): Promise<ReadonlyMap<string, string>> {
    const text = await this.sh(`cd ${folder} && grep -s '' ${names} /dev/null`);
    const found = new Map<string, string>();
    for (const line of text.trimEnd().split("\n")) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon);
      const before = found.get(name);
      const now = line.slice(colon + 1);
      found.set(name, before === undefined ? now : `${before}\n${now}`);
    }
    return found;
  }

  kubectl(...args: string[]): Promise<string> {
    return kubectl(this.world, args);
  }

  /** Asks the API server as its administrator. */
  get<T>(path: string, wish: Ask = {}): Promise<T> {
    return get<T>(this.cluster, path, wish);
  }

  /** Asks a few times a second: each question costs the machine time. */
  async until(
    what: string,
    isSo: () => boolean | Promise<boolean>,
    timeoutMs = 60_000,
  ): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!await isSo()) {
      if (performance.now() > deadlineMs) {
        throw new Error(`Cannot see ${what} within ${timeoutMs / 1000} s`);
      }
      for (let pauses = 0; pauses < 6; pauses++) await pause();
    }
  }

  /** Asserts again and again; what failed last is what is told. */
  async passes(
    check: () => Promise<void>,
    timeoutMs = 20_000,
  ): Promise<void> {
    let last: unknown;
    try {
      await this.until("it", async () => {
        try {
          await check();
          return true;
        } catch (error) {
          last = error;
          return false;
        }
      }, timeoutMs);
    } catch (error) {
      throw last ?? error;
    }
  }

  /** What helps to find out why, in a folder that stays. */
  async keepLogs(): Promise<string> {
    const folder = await Deno.makeTempDir({ prefix: "denolet-vm." });
    const { serialLog, folder: own } = this.machine;
    for (const path of [serialLog, `${own}/qemu.log`]) {
      await copyIfThere(path, `${folder}/${path.split("/").at(-1)}`);
    }
    const scripts = {
      "agent.log": "journalctl -u denolet --no-pager",
      "containerd.log": "journalctl -u containerd --no-pager",
      "journal.log": "journalctl --no-pager",
      "cgroups.txt": "systemd-cgls --no-pager -l",
    };
    for (const [file, script] of Object.entries(scripts)) {
      const told = await this.guest.run(script).catch((error) => ({
        stdout: String(error),
      }));
      await Deno.writeTextFile(`${folder}/${file}`, told.stdout);
    }
    const objects = ["get", "nodes,pods,csr,events", "-A", "-o", "yaml"];
    const shown = await this.kubectl(...objects).catch(String);
    await Deno.writeTextFile(`${folder}/objects.yaml`, shown);
    return folder;
  }

  /** Ends all of it, and removes it; may find nothing to do. */
  async end(): Promise<void> {
    await removeMachine(this.machine);
    await clusterDown(this.world);
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await Deno.copyFile(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
