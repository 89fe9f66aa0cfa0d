/**
 * Run by `host_scoped_test.ts` in a child process with the smallest grants:
 * the real host adapter at work on hostile paths. Prints what it found as one
 * line of JSON; judging is the parent's business.
 */
import { AgentError } from "../../../lib/base/errors.ts";
import { HostCgroups } from "../../../lib/host/cgroups.ts";
import { HostFiles } from "../../../lib/host/files.ts";
import { hostPathsOf } from "../../../lib/host/host_paths.ts";
import { openLibc } from "../../../lib/host/libc.ts";
import { HostListener } from "../../../lib/host/listener.ts";
import { bindHostTrees, unbindHostTrees } from "../../../lib/host/mounts.ts";
import { HostNodeTexts } from "../../../lib/host/node_texts.ts";
import { ProcFacts } from "../../../lib/host/proc.ts";
import { HostMounts } from "../../../lib/host/tmpfs.ts";
import { unixClient } from "../../../lib/host/unix_client.ts";

const [root = "", libcPath = "", socket = ""] = Deno.args;
// Imported by chance, as a glob of test files may do: nothing may happen.
if (socket === "") throw new Error("Usage: host_scoped.ts ROOT LIBC SOCKET");
const libc = openLibc(libcPath);
const files = new HostFiles({ libc, roots: [root], links: "refuse" });
const trusting = new HostFiles({ libc, roots: [root], links: "follow" });
const found: Record<string, unknown> = {};

/** "ok", or what the error says to do next. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return error instanceof AgentError ? error.next : `threw ${error}`;
  }
}

async function hostilePaths(): Promise<void> {
  const bytes = new TextEncoder().encode("x");
  const read = (path: string) => outcome(files.read(`${root}/${path}`, 100));
  found["plain"] = await read("plain");
  found["absolute link"] = await read("absolute-link");
  found["relative link"] = await read("relative-link");
  found["through link"] = await read("linked-dir/passwd");
  found["dotdot"] = await read("sub/../../../etc/passwd");
  found["fifo"] = await read("fifo");
  found["device"] = await read("null");
  found["outside"] = await outcome(files.read("/etc/passwd", 1e6));
  found["write through link"] = await outcome(
    files.replace(`${root}/linked-dir/x`, bytes, 0o600),
  );
  found["remove through link"] = await outcome(
    files.removeTree(`${root}/linked-dir/x`),
  );
  found["trusted link"] = await outcome(trusting.read(`${root}/inner-link`, 9));
  found["trusted fifo"] = await outcome(trusting.read(`${root}/fifo-link`, 9));
  found["deep tree"] = await outcome(files.removeTree(`${root}/deep`));
  found["make and link"] = await outcome((async () => {
    await files.makeDirectory(`${root}/new/dir`, 0o700);
    await files.replace(`${root}/new/dir/f`, bytes, 0o640);
    await files.link(`${root}/new/..data`, "dir");
    await files.removeTree(`${root}/new`);
  })());
}

async function race(): Promise<void> {
  let escapes = 0;
  let reads = 0;
  for (let count = 0; count < 3000; count++) {
    const path = `${root}/flip/file`;
    const got = await files.read(path, 100).catch((error) => {
      if (error instanceof AgentError) return undefined;
      throw error;
    });
    if (got === undefined) continue;
    reads++;
    if (new TextDecoder().decode(got) !== "inside") escapes++;
  }
  found["race escapes"] = escapes;
  found["race reads some"] = reads > 0;
}

async function machine(): Promise<void> {
  const bound = await outcome(Promise.try(() => bindHostTrees(libc, root)));
  found["bind"] = bound;
  if (bound !== "ok") return;
  found["bind again"] = await outcome(
    Promise.try(() => bindHostTrees(libc, root)),
  );
  const facts = new ProcFacts(root, libc);
  found["hostname"] = facts.hostname() !== "";
  found["memory"] = facts.memoryBytes() > 1_000_000n;
  found["cpus"] = facts.cpuCount() > 0;
  found["boot id"] = /^[0-9a-f-]{36}$/.test(await facts.bootId());
  found["kernel"] = facts.traits().kernelVersion !== "";
  const hosts = new HostNodeTexts(libc).read("/etc/hosts");
  found["node text"] = hosts.kind === "text" &&
    hosts.text.includes("127.0.0.1");
  found["mount inside"] = await outcome(files.removeTree(`${root}/proc`));
  const mounts = new HostMounts({ libc, roots: [root], links: "refuse" });
  await files.makeDirectory(`${root}/tmpfs`, 0o777);
  found["tmpfs"] = await outcome(mounts.mountTmpfs(`${root}/tmpfs`, {}));
  found["mounted"] = await mounts.isMounted(`${root}/tmpfs`);
  found["no tree over it"] = await outcome(files.removeTree(`${root}/tmpfs`));
  found["unmounted"] = await outcome(mounts.unmount(`${root}/tmpfs`));
  found["host's own"] = await outcome(mounts.unmount("/proc"));
  found["outside kind"] = await hostPathsOf(libc).kindOf("/etc/passwd");
  const cgroups = new HostCgroups(libc, { runDir: root });
  found["absent cgroup"] = await outcome(cgroups.removePod("/denolet-none/p"));
  found["cgroup"] = await outcome(cgroups.removePod("/denolet-test-pod"));
  found["busy cgroup"] = await outcome(cgroups.removePod("/denolet-test-busy"));
  found["ended cgroup"] = await later(() =>
    cgroups.removePod("/denolet-test-busy")
  );
  found["whole cgroup"] = await outcome(cgroups.removePod("/"));
  unbindHostTrees(libc, root);
  unbindHostTrees(libc, root);
  found["unbound"] = (await files.list(`${root}/proc`))?.length;
}

/** The outcome once it is another than `retry`, or after a second. */
async function later(work: () => Promise<void>): Promise<string> {
  for (let tries = 0;; tries++) {
    const found = await outcome(work());
    if (found !== "retry" || tries === 50) return found;
    const turn = Promise.withResolvers<void>();
    setTimeout(turn.resolve, 20);
    await turn.promise;
  }
}

async function sockets(): Promise<void> {
  const stop = new AbortController();
  const address = { kind: "unix", path: socket } as const;
  const listener = new HostListener(libc);
  const serving = listener.serve(address, (request) => {
    if (request.path === "/fail") return Promise.reject(new Error("secret"));
    const body = request.path === "/stream" ? chunks() : "hello";
    return Promise.resolve({ status: 200, contentType: "text/plain", body });
  }, stop.signal);
  const client = unixClient(socket);
  // The directory and a stale socket are seen to first.
  while ((await outcome(client.get("/", stop.signal))) !== "ok") {
    const turn = Promise.withResolvers<void>();
    setTimeout(turn.resolve, 0);
    await turn.promise;
  }
  const mode = (Deno.lstatSync(socket).mode ?? 0) & 0o777;
  found["socket mode"] = mode.toString(8);
  found["second agent"] = await outcome(
    listener.serve(address, () => Promise.reject(), stop.signal),
  );
  found["answer"] = await textOf(await client.get("/x?y=1", stop.signal));
  found["stream"] = await textOf(await client.get("/stream", stop.signal));
  const failed = await client.get("/fail", stop.signal);
  found["failure"] = `${failed.status} ${await textOf(failed)}`;
  stop.abort();
  await serving;
  const never = new AbortController().signal;
  found["nobody"] = await outcome(client.get("/", never));
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (const part of ["a", "b", "c"]) yield new TextEncoder().encode(part);
}

async function textOf(
  answer: { body: AsyncIterable<Uint8Array> },
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body) text += decoder.decode(chunk);
  return text.trim();
}

await hostilePaths();
await race();
await machine();
await sockets();
found["all granted"] =
  Deno.permissions.querySync({ name: "read", path: "/etc" }).state;
console.log(JSON.stringify(found));
