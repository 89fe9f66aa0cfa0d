/**
 * `/logs`: files and folders below `/var/log`, and nothing else of the machine:
 * no link is followed, no part of a path leads upwards. The kubelet follows
 * links here, this does not. Services may be asked for by their names.
 */
import type { NodeAnswer } from "../port/node_server.ts";
import type { SystemLogs } from "../port/log_files.ts";
import { type AskedLogs, askedLogs } from "./log_query.ts";
import { TEXT, text, typed } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import { contentOf, showServices } from "./service_logs.ts";

export interface SystemLogParts {
  readonly logs: SystemLogs;
  /** `enableSystemLogQuery`. */
  readonly mayQuery: boolean;
}

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
  const path = params.get("*") ?? "";
  const asked = mayQuery ? askedLogs(request.query, path) : NOTHING;
  switch (asked.kind) {
    case "refused":
      return text(asked.status, asked.message);
    case "services":
      return await showServices(logs, asked, request.signal);
    case "file":
      return await isThere(logs, asked.path)
        ? await showPath(logs, asked.path)
        : text(406, noSuchFile(asked.path));
    case "nothing":
      return await showPath(logs, path);
  }
}

const NOTHING: AskedLogs = { kind: "nothing" };

async function isThere(logs: SystemLogs, path: string): Promise<boolean> {
  const whole = wholeOf(logs, path);
  if (whole === undefined) return false;
  try {
    return await logs.files.stat(whole) !== undefined;
  } catch {
    return false;
  }
}

function noSuchFile(path: string): string {
  return `query: Invalid value: ${JSON.stringify([path])}: ` +
    "no such file below /var/log\n";
}

/** Where it lies; undefined: a part of it leads elsewhere. */
function wholeOf({ folder }: SystemLogs, path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const isOdd = parts.some((part) =>
    part === "." || part === ".." || part.includes("\0")
  );
  return isOdd ? undefined : [folder, ...parts].join("/");
}

async function showPath(logs: SystemLogs, path: string): Promise<NodeAnswer> {
  const whole = wholeOf(logs, path);
  if (whole === undefined) return text(404, NOT_FOUND);
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
