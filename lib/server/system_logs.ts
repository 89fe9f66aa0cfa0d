/**
 * `/logs`: files and folders below `/var/log`, and nothing else of the machine:
 * no link is followed, no part of a path leads upwards. The kubelet follows
 * links here, this does not. Journals need a program, which is not run.
 */
import type { NodeAnswer } from "../port/node_server.ts";
import type { LogFile, SystemLogs } from "../port/log_files.ts";
import { TEXT, text, typed } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";

export interface SystemLogParts {
  readonly logs: SystemLogs;
  /** `enableSystemLogQuery`. */
  readonly mayQuery: boolean;
}

const BLOCK_BYTES = 64 * 1024;
const NOT_FOUND = "404 page not found\n";

export function systemLogRoutes(parts: SystemLogParts): Route[] {
  const answer = (call: Call) => show(parts, call);
  return [{ path: "/logs/*", methods: ["GET"], answer }, {
    path: "/logs",
    methods: ["GET"],
    answer,
  }];
}

async function show(
  { logs, mayQuery }: SystemLogParts,
  { params, request }: Call,
): Promise<NodeAnswer> {
  if (mayQuery && request.query.has("query")) {
    return text(
      501,
      "Log queries are not answered: they take journalctl, which this agent " +
        "does not run; files below /var/log can be read by their path\n",
    );
  }
  const path = params.get("*") ?? "";
  const parts = path.split("/").filter((part) => part !== "");
  const isOdd = parts.some((part) =>
    part === "." || part === ".." || part.includes("\0")
  );
  if (isOdd) return text(404, NOT_FOUND);
  const whole = [logs.folder, ...parts].join("/");
  try {
    const found = await logs.files.stat(whole);
    if (found?.kind === "directory") return await listing(logs, whole);
    if (found?.kind !== "file") return text(404, NOT_FOUND);
    const file = await logs.logFiles.open(whole);
    return file === undefined
      ? text(404, NOT_FOUND)
      : typed(200, TEXT, contentOf(file));
  } catch {
    // A link, a device, a folder that the agent may not read.
    return text(403, "403 Forbidden\n");
  }
}

async function listing(logs: SystemLogs, path: string): Promise<NodeAnswer> {
  const entries = await logs.files.list(path);
  if (entries === undefined) return text(404, NOT_FOUND);
  const links = entries.map(({ name, kind }) =>
    kind === "directory" ? `${name}/` : name
  ).sort().map((name) =>
    `<a href="${encodeURIComponent(name).replace(/%2F$/, "/")}">` +
    `${escaped(name)}</a>\n`
  );
  return typed(
    200,
    "text/html; charset=utf-8",
    `<!doctype html>\n<pre>\n${links.join("")}</pre>\n`,
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&#34;");
}

/** What is there now, however fast it grows meanwhile. */
async function* contentOf(file: LogFile): AsyncGenerator<Uint8Array> {
  try {
    const size = await file.sizeBytes();
    for (let at = 0; at < size;) {
      const block = await file.read(at, Math.min(BLOCK_BYTES, size - at));
      if (block.length === 0) return;
      at += block.length;
      yield block;
    }
  } finally {
    file.close();
  }
}
