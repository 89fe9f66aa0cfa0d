/**
 * `HostTraits` of a Linux machine, looked up once at start: which control
 * groups it has, what the kernel can limit, and what it should hide from pods.
 * Compat: kubelet 1.36 checkSwapControllerAvailability, defaultMaskedPaths,
 * apparmor.IsEnabled, IsCgroup2UnifiedMode.
 */
import type { HostTraits } from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import type { Libc } from "./libc.ts";
import { hugePageSize, meminfoBytes } from "./machine_text.ts";
import { kernelText } from "./node_texts.ts";

const CGROUP = "/sys/fs/cgroup";
const CPUS = "/sys/devices/system/cpu";
const HUGE_PAGES = "/sys/kernel/mm/hugepages";
const SWAP_LIMIT_V1 = `${CGROUP}/memory/memory.memsw.limit_in_bytes`;

export function hostTraits(libc: Libc): HostTraits {
  const isUnified = isThere(libc, `${CGROUP}/cgroup.controllers`);
  const meminfo = kernelText(libc, "/proc/meminfo") ?? "";
  return {
    cgroupVersion: isUnified ? 2 : 1,
    onlineCpus: kernelText(libc, `${CPUS}/online`) ?? "",
    hasSwapLimits: isThere(libc, isUnified ? ownSwap(libc) : SWAP_LIMIT_V1),
    swapBytes: meminfoBytes(meminfo, "SwapTotal") ?? 0n,
    // Compat: kubelet 1.36 IsTmpfsNoswapOptionSupported, which mounts one.
    hasNoSwapTmpfs: libc.filesystems.knowsFlag("tmpfs", "noswap"),
    hugePageSizes: namesIn(libc, HUGE_PAGES).flatMap((name) => {
      const size = hugePageSize(name);
      return size === undefined ? [] : [size];
    }).sort((a, b) => (a < b ? -1 : 1)),
    kernelVersion: kernelText(libc, "/proc/sys/kernel/osrelease") ?? "",
    hasAppArmor: isThere(libc, "/sys/kernel/security/apparmor") &&
      kernelText(libc, "/sys/module/apparmor/parameters/enabled")
          ?.startsWith("Y") === true,
    maskedPaths: namesIn(libc, CPUS).filter((name) => /^cpu\d+$/.test(name))
      .map((name) => `${CPUS}/${name}/thermal_throttle`)
      .filter((path) => isThere(libc, path)),
  };
}

/** The root of the hierarchy has no such file; our own group has. */
function ownSwap(libc: Libc): string {
  const own = kernelText(libc, "/proc/self/cgroup") ?? "";
  const path = /^0::(.*)$/m.exec(own)?.[1] ?? "/";
  return `${CGROUP}${path}/memory.swap.max`;
}

function isThere(libc: Libc, path: string): boolean {
  const fd = libc.openAt(AT_FDCWD, cString(path), {
    flags: O_PATH,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
  if (fd < 0) return false;
  libc.closeFd(fd);
  return true;
}

/** None where there is no such directory. */
function namesIn(libc: Libc, path: string): string[] {
  const fd = libc.openAt(AT_FDCWD, cString(path), {
    flags: O_RDONLY | O_DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
  if (fd < 0) return [];
  const entries = libc.entries(fd);
  libc.closeFd(fd);
  if (typeof entries === "number") return [];
  const decoder = new TextDecoder();
  return entries.map(({ name }) => decoder.decode(name.subarray(0, -1)));
}
