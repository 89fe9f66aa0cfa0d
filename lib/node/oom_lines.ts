/**
 * Reads from the lines of the kernel's log when memory ran out, and who was
 * ended for it. Pure: what is known so far goes in and comes out.
 * Compat: kubelet 1.36 oom watcher, cadvisor's oomparser.
 */

export interface OutOfMemory {
  /** The cgroup whose limit was reached; `/`: the machine's own memory. */
  readonly limitedBy: string;
  readonly victim: { readonly name: string; readonly pid: number };
}

/** What has been read of a report under way; undefined: there is none. */
export type Report = { readonly limitedBy: string } | undefined;

export interface Read {
  readonly report: Report;
  /** Set by the line with which a report is complete. */
  readonly found?: OutOfMemory;
}

const BEGIN = "invoked oom-killer:";
const KILL = "oom-kill:";
/** Kernels before 5.0. */
const LIMIT = "killed as a result of limit of ";
const END = /Killed process (\d+) \((.+)\)/;

export function readLine(report: Report, line: string): Read {
  if (line.includes(BEGIN)) return { report: { limitedBy: "/" } };
  if (report === undefined) return { report };
  const kill = after(line, KILL);
  if (kill !== undefined) {
    const fields = fieldsOf(kill);
    const [name, pid] = [fields.get("task"), fields.get("pid")];
    // Of a shortage of the machine there is no `oom_memcg`.
    const limitedBy = fields.get("oom_memcg") ?? "/";
    if (name !== undefined && pid !== undefined) {
      return complete(limitedBy, name, pid);
    }
  }
  const limit = after(line, LIMIT);
  if (limit !== undefined) return { report: { limitedBy: limit } };
  const end = END.exec(line);
  if (end === null) return { report };
  const [, pid = "", name = ""] = end;
  return complete(report.limitedBy, name, pid);
}

function after(line: string, words: string): string | undefined {
  const at = line.indexOf(words);
  return at < 0 ? undefined : line.slice(at + words.length);
}

/** `constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,…` */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(",").map((part) => {
      const [name = "", ...value] = part.split("=");
      return [name, value.join("=")];
    }),
  );
}

function complete(limitedBy: string, name: string, pid: string): Read {
  const victim = { name, pid: Number(pid) };
  return { report: undefined, found: { limitedBy, victim } };
}

/** The words of the event. */
export function oomMessage({ victim: { name, pid } }: OutOfMemory): string {
  const words = "System OOM encountered";
  if (name === "" || pid === 0) return words;
  return `${words}, victim process: ${name}, pid: ${pid}`;
}
