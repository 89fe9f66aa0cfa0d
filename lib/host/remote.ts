/**
 * Mounting NFS by the kernel's own call: no helper program is run, so the
 * server's address and the version, which `mount.nfs` would find out, are
 * found out here.
 */
import { AgentError } from "../base/errors.ts";
import type { BindHow, RemoteMount } from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  MS_DIRSYNC,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_RELATIME,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  O_RDONLY,
} from "./abi.ts";
import type { Libc } from "./libc.ts";

/** In the order in which `mount.nfs` tries them. */
const VERSIONS = ["4.2", "4.1", "4.0", "3"];

const FLAGS: ReadonlyMap<string, number> = new Map([
  ["ro", MS_RDONLY],
  ["nosuid", MS_NOSUID],
  ["nodev", MS_NODEV],
  ["noexec", MS_NOEXEC],
  ["sync", MS_SYNCHRONOUS],
  ["dirsync", MS_DIRSYNC],
  ["noatime", MS_NOATIME],
  ["nodiratime", MS_NODIRATIME],
  ["relatime", MS_RELATIME],
  ["strictatime", MS_STRICTATIME],
]);
/** Meant for `mount.nfs` or a boot script; the kernel does not know them. */
const NOT_FOR_KERNEL = new Set([
  "async",
  "atime",
  "auto",
  "bg",
  "defaults",
  "dev",
  "diratime",
  "exec",
  "fg",
  "noauto",
  "nofail",
  "nouser",
  "rw",
  "suid",
  "user",
  "users",
  "_netdev",
]);

export interface SplitOptions {
  readonly flags: number;
  readonly data: readonly string[];
  readonly hasVersion: boolean;
}

/** Flags of the call, and what the file system itself is told. Pure. */
export function splitOptions(
  { options, isReadOnly }: BindHow,
): SplitOptions {
  let flags = isReadOnly ? MS_RDONLY : 0;
  const data: string[] = [];
  for (const each of options.flatMap((option) => option.split(","))) {
    const flag = FLAGS.get(each);
    if (flag !== undefined) flags |= flag;
    else if (!isForHelper(each)) data.push(each);
  }
  const hasVersion = data.some((each) => /^(nfs)?v(ers)?=?\d/.test(each));
  return { flags, data, hasVersion };
}

function isForHelper(option: string): boolean {
  return option === "" || NOT_FOR_KERNEL.has(option) ||
    option.startsWith("retry=") || option.startsWith("x-");
}

export async function mountRemote(
  libc: Libc,
  at: {
    readonly fd: number;
    readonly remote: RemoteMount;
    readonly doing: string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { fd, remote, doing } = at;
  const { server, exported } = remote;
  const address = await addressOf(server, doing, signal);
  const { flags, data, hasVersion } = splitOptions(remote);
  const host = address.includes(":") ? `[${address}]` : server;
  for (const version of hasVersion ? [undefined] : VERSIONS) {
    signal.throwIfAborted();
    const options = [
      ...data,
      ...version === undefined ? [] : [`vers=${version}`],
      `addr=${address}`,
    ];
    const how = { type: "nfs", flags, data: options.join(",") };
    const target = `/proc/self/fd/${fd}`;
    if (await libc.mountAside(`${host}:${exported}`, target, how)) return;
  }
  throw new AgentError(
    await knowsNfs(libc)
      ? `${doing}: the server refused, or did not answer`
      : `${doing}: this kernel has no NFS (module nfs is not loaded)`,
    { next: "retry" },
  );
}

async function addressOf(
  server: string,
  doing: string,
  signal: AbortSignal,
): Promise<string> {
  const bare = server.replace(/^\[(.*)\]$/, "$1");
  if (bare.includes(":") || /^[\d.]+$/.test(bare)) return bare;
  const failures: unknown[] = [];
  for (const kind of ["A", "AAAA"] as const) {
    try {
      const [found] = await Deno.resolveDns(bare, kind, { signal });
      if (found !== undefined) return found;
    } catch (error) {
      failures.push(error);
    }
  }
  signal.throwIfAborted();
  throw new AgentError(`${doing}: cannot find the address of ${bare}`, {
    next: "retry",
    cause: failures[0],
  });
}

async function knowsNfs(libc: Libc): Promise<boolean> {
  const how = { flags: O_RDONLY, resolve: 0 };
  const fd = libc.openAt(AT_FDCWD, cString("/proc/filesystems"), how);
  if (fd < 0) return true;
  const bytes = new Uint8Array(16_384);
  const length = await libc.read(fd, bytes);
  libc.closeFd(fd);
  const text = new TextDecoder().decode(bytes.subarray(0, Math.max(0, length)));
  return /\snfs4?$/m.test(text);
}
