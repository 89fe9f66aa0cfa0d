/**
 * Tells systemd of the cgroups that belong to it: slices as transient units
 * with the values that the files have. So systemd does not set them back, and
 * forgets them when the pod is gone. PID 1 is asked on its own socket; each
 * order has a connection of its own, so there is none to look after.
 * Compat: kubelet 1.36 by libcontainer: startUnit, setUnitProperties, stopUnit.
 */
import { AgentError, nextOf, orAlreadySo } from "../base/errors.ts";
import { AT_FDCWD, cString, O_PATH, RESOLVE_NO_MAGICLINKS } from "./abi.ts";
import { connectPeer, type DbusConnection } from "./dbus.ts";
import type { Property } from "./dbus_values.ts";
import type { Libc } from "./libc.ts";
import { sliceBasics, sliceOf } from "./slice_properties.ts";

const MANAGER = {
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
};
/** Takes the place of jobs that are in the way. */
const MODE = { type: "s", value: "replace" } as const;
const NO_OTHERS = { type: "a(sa(sv))", value: [] } as const;
/** Until the next boot. */
const RUNTIME = { type: "b", value: true } as const;

export class SystemdSlices {
  readonly #libc: Libc;
  readonly #socket: string;

  /** `socket`: where PID 1 listens. */
  constructor(libc: Libc, socket: string) {
    this.#libc = libc;
    this.#socket = socket;
  }

  /**
   * Makes the slice a unit with these values, or gives them to the unit there
   * is. Rejects (`retry`) when systemd refuses or does not answer; where there
   * is no systemd, nothing is to be done.
   */
  async set(cgroupPath: string, values: readonly Property[]): Promise<void> {
    const unit = unitOf(cgroupPath);
    await this.#ask(async (systemd) => {
      const all = [...sliceBasics(cgroupPath), ...values];
      const properties = { type: "a(sv)", value: all } as const;
      try {
        const args = [unit, MODE, properties, NO_OTHERS];
        await systemd.call(MANAGER, "StartTransientUnit", { args, gives: "o" });
      } catch (error) {
        if (nextOf(error) !== "already-so") throw error;
        const args = [unit, RUNTIME, { ...properties, value: values }];
        await systemd.call(MANAGER, "SetUnitProperties", { args, gives: "" });
      }
    });
  }

  /** Ends the slice and what is in it; resolves when that is on its way. */
  async stop(cgroupPath: string): Promise<void> {
    const args = [unitOf(cgroupPath), MODE];
    await this.#ask((systemd) =>
      orAlreadySo(systemd.call(MANAGER, "StopUnit", { args, gives: "o" }))
    );
  }

  async #ask(
    order: (systemd: DbusConnection) => Promise<void>,
  ): Promise<void> {
    if (!this.#isThere()) return;
    const systemd = await connectPeer(this.#libc, this.#socket, () => {});
    try {
      await order(systemd);
    } finally {
      systemd.close();
    }
  }

  /** Another init has no such socket, or none that this process sees. */
  #isThere(): boolean {
    const how = { flags: O_PATH, resolve: RESOLVE_NO_MAGICLINKS };
    const fd = this.#libc.openAt(AT_FDCWD, cString(this.#socket), how);
    if (fd >= 0) this.#libc.closeFd(fd);
    return fd >= 0;
  }
}

function unitOf(cgroupPath: string): { type: "s"; value: string } {
  const value = sliceOf(cgroupPath);
  if (value !== undefined) return { type: "s", value };
  throw new AgentError(`Cannot tell systemd of ${cgroupPath}: no slice`, {
    next: "give-up",
  });
}
