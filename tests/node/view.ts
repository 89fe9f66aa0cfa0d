/**
 * What a container sees of itself: a script that tells it, and the reading of
 * what it told from the container's log. Nothing here knows what is right.
 */
import type { V1Pod } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import { OBEDIENT } from "./agent_world.ts";

/** Lines by what they tell of: `status`, `hosts`, `mounts`, … */
export type View = ReadonlyMap<string, readonly string[]>;

/** The section that comes last. */
export const END = "end";
const CGROUP_FILES = [
  "memory/memory.limit_in_bytes",
  "memory/memory.memsw.limit_in_bytes",
  "cpu/cpu.shares",
  "cpu/cpu.cfs_quota_us",
  "cpu/cpu.cfs_period_us",
  "memory.max",
  "memory.swap.max",
  "memory.oom.group",
  "cpu.weight",
  "cpu.max",
];
const SYSCTLS = [
  "net/ipv4/ip_unprivileged_port_start",
  "net/ipv4/ping_group_range",
  "kernel/shm_rmid_forced",
  "kernel/hostname",
];
const STATUS = "Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|" +
  "Seccomp|Seccomp_filters";
/** Of files below them: mode, owners, kind, name; never what changes. */
const TREES = "/data /secret /config /info /var/run/secrets";

/** Of files below them: what they say. */
const READ = "/data /config /info";

/** Tells everything once, then waits to be ended. */
export const TELL = [
  `echo '== status'; grep -E '^(${STATUS}):' /proc/self/status`,
  "echo '== mounts'; " +
  'while read -r a b c d where how rest; do type="${rest##* - }"; ' +
  'echo "$where $how ${type%% *}"; done < /proc/self/mountinfo',
  "echo '== hosts'; cat /etc/hosts",
  "echo '== hosts-mode'; stat -c '%a %u %g' /etc/hosts",
  "echo '== resolv'; cat /etc/resolv.conf",
  "echo '== hostname'; hostname; cat /etc/hostname",
  `echo '== sysctl'; for f in ${SYSCTLS.join(" ")}; do ` +
  'echo "$f $(cat /proc/sys/$f)"; done',
  "echo '== limits'; cat /proc/self/limits",
  `echo '== cgroup'; for f in ${CGROUP_FILES.join(" ")}; do ` +
  '[ -r /sys/fs/cgroup/$f ] && echo "$f $(cat /sys/fs/cgroup/$f)"; done',
  "echo '== oom'; cat /proc/self/oom_score_adj",
  "echo '== ids'; cat /proc/self/uid_map",
  "echo '== env'; env",
  "echo '== pwd'; pwd",
  "echo '== proc'; ls -A /proc/scsi 2>/dev/null | wc -l; " +
  "head -c1 /proc/kcore 2>/dev/null | wc -c; " +
  "[ -w /proc/sys/kernel/domainname ] && echo writable",
  "echo '== first'; cat /proc/1/comm",
  "echo '== devices'; ls /dev",
  `echo '== files'; for t in ${TREES}; do [ -e $t ] && ` +
  "find -L $t 2>/dev/null | while read -r f; do " +
  "stat -L -c '%A %u %g %n' \"$f\"; done; done",
  `echo '== contents'; find -L ${READ} -type f 2>/dev/null | sort | ` +
  'while read -r f; do echo "$f: $(head -c 300 "$f" 2>&1)"; done',
  `echo '== ${END}'`,
  OBEDIENT,
].join("\n");

/** Waits until a container of the pod has told everything. */
export async function viewOf(
  pod: V1Pod,
  { container = "app", attempt = 0, timeoutMs = 30_000 } = {},
): Promise<View> {
  let view: View = new Map();
  await until(`the whole word of ${pod.metadata?.name}`, async () => {
    view = await told(pod, { container, attempt });
    return view.has(END);
  }, timeoutMs);
  return view;
}

/** What it has told by now; with the section `END` it is all. */
export async function told(
  pod: V1Pod,
  { container = "app", attempt = 0 } = {},
): Promise<View> {
  const { namespace, name, uid } = pod.metadata ?? {};
  const file = `${world.root}/var/log/pods/${namespace}_${name}_${uid}/` +
    `${container}/${attempt}.log`;
  return sections(linesIn(await Deno.readTextFile(file).catch(() => "")));
}

/** Of the runtime's log format: time, stream, tag, text; a terminal's too. */
function linesIn(log: string): string[] {
  return log.split("\n").map((line) =>
    line.split(" ").slice(3).join(" ").replace(/\r$/, "")
  );
}

function sections(lines: readonly string[]): View {
  const found = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of lines) {
    if (line.startsWith("== ")) {
      current = [];
      found.set(line.slice(3), current);
    } else current.push(line);
  }
  return found;
}
