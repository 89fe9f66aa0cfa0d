import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import type { JournalQuery } from "../port/journal.ts";
import type { NodeRequest } from "../port/node_server.ts";
import type { SystemLogs } from "../port/log_files.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeLogFiles } from "../../tests/fakes/fake_log_files.ts";
import { queryOf } from "./fixture_test.ts";
import { systemLogRoutes } from "./system_logs.ts";

const ROOT = { name: "root", uid: "", groups: [], extra: new Map() };

/** Three services write to files, one to the journal. */
function aMachine(units: () => ReadonlySet<string>) {
  const files = new FakeFiles();
  files.put("/var/log/plain", "a plain file\n");
  files.put("/var/log/dotted.log", "with an ending\n");
  files.put("/var/log/own/own.log", "in a folder\n");
  const read: JournalQuery[] = [];
  const logs: SystemLogs = {
    folder: "/var/log",
    files,
    logFiles: new FakeLogFiles(files),
    journal: {
      units: () => Promise.try(units),
      async *read(query) {
        read.push(query);
        await Promise.resolve();
        yield new TextEncoder().encode("from the journal\n");
      },
    },
  };
  return { logs, read };
}

async function ask(
  logs: SystemLogs,
  search: string,
  how: "switched on" | "switched off" = "switched on",
) {
  const mayQuery = how === "switched on";
  const [route] = systemLogRoutes({ logs, mayQuery });
  const query = queryOf(search);
  const request: NodeRequest = {
    ...{ method: "GET", path: "/logs/", query, headers: new Map() },
    ...{ certificate: undefined, remote: "", isUpgrade: false },
    signal: new AbortController().signal,
    body: () => Promise.resolve(undefined),
  };
  const params = new Map([["*", ""]]);
  const answer = await route?.answer({ request, params, user: ROOT });
  assert.ok(answer?.kind === "response");
  const { body, status } = answer;
  if (typeof body === "string") return `${status} ${body}`;
  const parts = await Array.fromAsync(body as AsyncIterable<Uint8Array>);
  return `${status} ` +
    parts.map((part) => new TextDecoder().decode(part)).join("");
}

Deno.test("/logs?query= reads the journal where a service writes to it", async () => {
  const { logs, read } = aMachine(() => new Set(["kubelet.service"]));
  const search = "query=kubelet&tailLines=3";
  assert.equal(await ask(logs, search), "200 from the journal\n");
  assert.deepEqual(read.map(({ units, lines }) => [units, lines]), [
    [["kubelet"], 3],
  ]);
});

Deno.test("/logs?query= finds the file of a service, or says that there is none", async () => {
  const { logs } = aMachine(() => new Set());
  assert.equal(
    await ask(logs, "query=plain&query=dotted&query=own"),
    "200 a plain file\nwith an ending\nin a folder\n",
  );
  assert.equal(
    await ask(logs, "query=nothing"),
    "200 \nlog not found for nothing\n",
  );
  assert.equal(
    await ask(logs, "query=plain&tailLines=3"),
    "200 \noptions present and query resolved to log files for [plain]\n" +
      "try without specifying options\n",
  );
  assert.equal(await ask(logs, "query=/dotted.log"), "200 with an ending\n");
  assert.match(await ask(logs, "query=/../etc/shadow"), /^406 query: Invalid/);
  assert.match(await ask(logs, "query=/no.log"), /^406 query: Invalid/);
});

Deno.test("/logs?query= is a listing where it is switched off", async () => {
  const { logs, read } = aMachine(() => new Set(["kubelet.service"]));
  assert.match(
    await ask(logs, "query=kubelet", "switched off"),
    /^200 <!doctype/,
  );
  assert.deepEqual(read, []);
});

Deno.test("/logs?query= says so when the journal may not be asked", async () => {
  const { logs } = aMachine(() => {
    throw new AgentError("Cannot run journalctl: add it", {
      next: "give-up",
      reason: "NotAllowed",
    });
  });
  assert.equal(
    await ask(logs, "query=kubelet"),
    "501 Cannot run journalctl: add it\n",
  );
});
