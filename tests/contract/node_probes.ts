/**
 * More of what injected code would try: the ways of Node's modules, and ways
 * around a path or an import. Added to those of permission_probes.ts.
 */
import {
  all,
  FROM_DATA,
  isListed,
  more,
  open,
  OUTSIDE,
  type Probe,
  READS,
  SHADOW,
} from "./probe_grants.ts";

const OUTSIDE_BOTH = all(more("read", OUTSIDE), more("write", OUTSIDE));

export const NODE_PROBES: readonly Probe[] = [
  {
    name: "read it in a worker of node:worker_threads",
    code:
      `await new Promise((good, bad) => import("node:worker_threads").then(` +
      `({ Worker }) => { new Worker(new URL("${FROM_DATA}"))` +
      `.on("error", bad); setTimeout(good, 300) }))`,
    widened: SHADOW,
  },
  {
    name: "read it from an imported blob",
    code: `await import(URL.createObjectURL(new Blob([${
      JSON.stringify(READS)
    }], { type: "text/javascript" })))`,
    widened: SHADOW,
  },
  {
    name: "read it by a path with dots",
    code: `Deno.readTextFileSync("/var/tmp/denolet/../../../etc/shadow")`,
    widened: SHADOW,
  },
  {
    name: "make a hard link",
    // Nothing is there to be linked: who may, hears that.
    code: `Deno.linkSync("${OUTSIDE}/none", "${OUTSIDE}/hard")`,
    widened: OUTSIDE_BOTH,
  },
  {
    name: "open a database by node:sqlite",
    code: `const { DatabaseSync } = await import("node:sqlite"); ` +
      `new DatabaseSync("${OUTSIDE}/db").close()`,
    widened: OUTSIDE_BOTH,
  },
  {
    name: "write the heap by node:v8",
    code: `(await import("node:v8")).writeHeapSnapshot("${OUTSIDE}/heap")`,
    widened: more("write", OUTSIDE),
  },
  {
    name: "listen elsewhere by node:dgram",
    // Its refusal comes late, outside of the call.
    code: `await new Promise((good, bad) => { ` +
      `process.once("uncaughtException", bad); import("node:dgram").then(` +
      `({ createSocket }) => { const socket = createSocket("udp4"); ` +
      `socket.on("error", bad); ` +
      `socket.bind(0, "127.200.0.1", () => socket.close(good)) }) })`,
    widened: open("net"),
    where: isListed,
  },
  {
    name: "attach the inspector",
    code: `const { Session } = await import("node:inspector"); ` +
      `const session = new Session(); session.connect(); session.disconnect()`,
    widened: more("sys", "inspector"),
  },
  {
    name: "become the user that it is",
    code: `process.setuid(0)`,
    widened: more("sys", "setuid"),
  },
  {
    name: "signal a process by node:process",
    code: `process.kill(process.ppid, "SIGCONT")`,
    widened: open("run"),
  },
  {
    name: "work in another folder",
    code: `Deno.chdir("/root")`,
    widened: more("read", "/root"),
  },
];
