/**
 * What code that got into the agent would try, and the one permission that
 * would let it: so a probe that is refused is refused for that reason. Each is
 * harmless when it succeeds. Used by the contract test, and by the virtual
 * machine with the installed program's own set.
 */
import deno from "../../deno.json" with { type: "json" };
import { NODE_PROBES } from "./node_probes.ts";
import {
  all,
  FROM_DATA,
  isListed,
  more,
  open,
  OUTSIDE,
  type PermissionSet,
  type Probe,
  READS,
  SHADOW,
} from "./probe_grants.ts";

export { OUTSIDE, type PermissionSet, type Probe } from "./probe_grants.ts";

const TRUE = more("run", "/bin/true");

export const PROBES: readonly Probe[] = [
  { name: "read /etc/shadow", code: READS, widened: SHADOW },
  {
    name: "read it by node:fs",
    code: `(await import("node:fs")).readFileSync("/etc/shadow")`,
    widened: SHADOW,
  },
  {
    name: "read it from imported text",
    code: `await import("${FROM_DATA}")`,
    widened: SHADOW,
  },
  {
    name: "ask for more",
    code: `const { state } = await Deno.permissions.request({ name: "read", ` +
      `path: "/etc/shadow" }); if (state !== "granted") ` +
      `throw new Deno.errors.NotCapable(state)`,
    widened: SHADOW,
  },
  {
    name: "list /root",
    code: `[...Deno.readDirSync("/root")]`,
    widened: more("read", "/root"),
  },
  {
    name: "read another process",
    code: `Deno.readTextFileSync("/proc/1/environ")`,
    widened: "all",
  },
  {
    name: "open own memory",
    code:
      `Deno.openSync("/proc/self/mem", { read: true, write: true }).close()`,
    widened: "all",
  },
  {
    name: "write outside",
    code: `Deno.writeTextFileSync("${OUTSIDE}/file", "")`,
    widened: more("write", OUTSIDE),
  },
  {
    name: "write outside by node:fs",
    code: `(await import("node:fs")).mkdirSync("${OUTSIDE}/folder/a", ` +
      `{ recursive: true })`,
    widened: more("write", OUTSIDE),
  },
  {
    name: "make a link",
    code: `try { Deno.symlinkSync("/etc/shadow", "${OUTSIDE}/link") } catch ` +
      `(e) { if (!(e instanceof Deno.errors.AlreadyExists)) throw e }`,
    widened: open("read", "write"),
  },
  {
    name: "start a program",
    code: `new Deno.Command("/bin/true").outputSync()`,
    widened: TRUE,
  },
  {
    name: "start one by node:child_process",
    code: `(await import("node:child_process")).execFileSync("/bin/true")`,
    // It hands its own environment on.
    widened: all(TRUE, open("env")),
  },
  {
    name: "signal a process",
    code: `Deno.kill(Deno.ppid, "SIGCONT")`,
    widened: open("run"),
  },
  {
    name: "read a variable",
    code: `Deno.env.get("HOME")`,
    widened: more("env", "HOME"),
  },
  {
    name: "read all variables",
    code: `Deno.env.toObject()`,
    widened: open("env"),
  },
  {
    name: "set a variable",
    code: `Deno.env.set("LD_PRELOAD", "")`,
    widened: more("env", "LD_PRELOAD"),
  },
  {
    name: "load a library",
    code: `Deno.dlopen("/usr/lib/none.so", {})`,
    widened: more("ffi", "/usr/lib/none.so"),
  },
  {
    name: "load an addon of Node",
    code: `process.dlopen({ exports: {} }, "/usr/lib/none.node")`,
    // It also reads the file on its way.
    widened: all(
      more("ffi", "/usr/lib/none.node"),
      more("read", "/usr/lib/none.node"),
    ),
  },
  {
    name: "take any pointer",
    code: `Deno.UnsafePointer.of(new Uint8Array(1))`,
    widened: open("ffi"),
  },
  {
    name: "ask for the load",
    code: `Deno.loadavg()`,
    widened: more("sys", "loadavg"),
  },
  {
    name: "ask for the cloud's credentials",
    code: `await fetch("http://169.254.169.254/", ` +
      `{ signal: AbortSignal.timeout(300) })`,
    widened: open("net"),
  },
  {
    name: "connect elsewhere",
    code: `await Deno.connect({ hostname: "127.200.0.1", port: 1 })`,
    widened: open("net"),
    where: isListed,
  },
  {
    name: "connect elsewhere by node:net",
    code: `await new Promise((good, bad) => import("node:net").then((net) => ` +
      `net.connect(1, "127.200.0.1").on("connect", good).on("error", bad)))`,
    widened: open("net"),
    where: isListed,
  },
  {
    name: "connect to another socket",
    code: `await Deno.connect({ transport: "unix", path: "/run/none.sock" })`,
    widened: all(
      more("net", "unix:/run/none.sock"),
      more("read", "/run/none.sock"),
      more("write", "/run/none.sock"),
    ),
    where: isListed,
  },
  {
    name: "listen elsewhere",
    code: `Deno.listen({ hostname: "127.200.0.1", port: 0 }).close()`,
    widened: open("net"),
    where: isListed,
  },
  {
    name: "import code from elsewhere",
    code: `await import("http://127.200.0.1:1/" + "code.js")`,
    widened: more("import", "127.200.0.1:1"),
  },
  {
    name: "read it in a worker",
    code: `await new Promise((good, bad) => { const worker = new Worker(` +
      `"${FROM_DATA}", { type: "module" }); worker.onerror = (event) => { ` +
      `event.preventDefault(); bad(new Error(event.message)) }; ` +
      `setTimeout(good, 300) })`,
    widened: SHADOW,
  },
  ...NODE_PROBES,
];

/** A program that prints `refused` or `granted` for each probe. */
export function probesProgram(probes: readonly Probe[]): string {
  const tries = probes.map(({ code }) =>
    `try { ${code}; console.log("granted"); } catch (error) {\n` +
    // node: modules give it a code instead of a name.
    `  console.log(/NotCapable|Requires \\w+ access/.test(String(error.name) ` +
    `+ String(error.message)) ? "refused" : "granted"); }`
  );
  return [`import process from "node:process";`, ...tries, "Deno.exit(0);"]
    .join("\n");
}

/** The probes that say something about this set. */
export function probesOf(set: PermissionSet): readonly Probe[] {
  return PROBES.filter(({ where }) => where === undefined || where(set));
}

/** What is shipped, by name. */
export const SETS: ReadonlyMap<string, PermissionSet> = new Map(
  Object.entries(deno.permissions),
);
