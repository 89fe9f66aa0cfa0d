/**
 * The query of `/logs`: services whose logs are wanted, or one file. Pure.
 * Compat: kubelet 1.36 kubelet_server_journal.go, its words and status codes.
 */
import type { JournalQuery } from "../port/journal.ts";
import type { NodeRequest } from "../port/node_server.ts";

const MOST_LINES = 100_000;
const MOST_SERVICES = 4;
const LONGEST_NAME = 256;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

export type AskedLogs =
  | { readonly kind: "nothing" }
  | {
    readonly kind: "refused";
    readonly status: 400 | 406;
    readonly message: string;
  }
  | { readonly kind: "file"; readonly path: string }
  | {
    readonly kind: "services";
    readonly services: readonly string[];
    /** Something besides the services is asked for. */
    readonly hasOptions: boolean;
    readonly query: Omit<JournalQuery, "units">;
  };

/** `path`: what stands behind `/logs/`, which a query leaves empty. */
export function askedLogs(
  parameters: NodeRequest["query"],
  path: string,
): AskedLogs {
  const faults: string[] = [];
  const names = parameters.get("query");
  const files = names?.filter((name) => /[/\\]/.test(name)) ?? [];
  const services =
    names?.filter((name) => !/[/\\]/.test(name) && name.trim() !== "") ?? [];
  if (names !== undefined && files.length + services.length === 0) {
    faults.push(invalid("query", JSON.stringify(names), "may not be empty"));
  }
  const query = optionsOf(parameters, faults);
  if (faults.length > 0) return refused(400, faults);
  const hasOptions = Object.values(query).some((each) => each !== undefined);
  if (names === undefined && !hasOptions) return { kind: "nothing" };
  if (path !== "") return refused(406, ["path not allowed in query mode"]);
  faults.push(
    ...serviceFaults(services),
    ...sourceFaults({ files, services, hasOptions }),
    ...rangeFaults(query),
  );
  if (faults.length > 0) return refused(406, faults);
  const [file] = files;
  return file === undefined
    ? { kind: "services", services, hasOptions, query }
    : { kind: "file", path: file.replaceAll("\\", "/") };
}

function refused(status: 400 | 406, faults: readonly string[]): AskedLogs {
  const all = faults.join(", ");
  const message = faults.length > 1 ? `[${all}]` : all;
  return { kind: "refused", status, message: `${message}\n` };
}

function invalid(field: string, value: string, why: string): string {
  return `${field}: Invalid value: ${value}: ${why}`;
}

function optionsOf(
  parameters: NodeRequest["query"],
  faults: string[],
): Omit<JournalQuery, "units"> {
  const first = (name: string) => parameters.get(name)?.[0] || undefined;
  const time = (name: string) => {
    const text = first(name);
    if (text === undefined) return undefined;
    const ms = RFC3339.test(text) ? Date.parse(text) : NaN;
    if (!Number.isNaN(ms)) return ms;
    faults.push(invalid(name, JSON.stringify(text), "invalid time format"));
    return undefined;
  };
  const whole = (name: string) => {
    const text = first(name);
    if (text === undefined) return undefined;
    const value = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!Number.isNaN(value)) return value;
    const quoted = JSON.stringify(text);
    const why = `strconv.Atoi: parsing ${quoted}: invalid syntax`;
    faults.push(invalid(name, quoted, why));
    return undefined;
  };
  return {
    sinceMs: time("sinceTime"),
    untilMs: time("untilTime"),
    boot: whole("boot"),
    lines: whole("tailLines"),
    pattern: first("pattern"),
  };
}

/** Nothing that a program could take for an option or another name. */
function serviceFaults(services: readonly string[]): string[] {
  const bad = services.flatMap((name) => {
    const why = name.length > LONGEST_NAME
      ? `length must be less than ${LONGEST_NAME}`
      : /[^a-zA-Z\-_.:0-9@]/.test(name)
      ? "input contains unsupported characters"
      : undefined;
    return why === undefined
      ? []
      : [invalid("query", JSON.stringify(name), why)];
  });
  return services.length <= MOST_SERVICES ? bad : [
    ...bad,
    `query: Too many: ${services.length}: ` +
    `must have at most ${MOST_SERVICES} items`,
  ];
}

function sourceFaults({ files, services, hasOptions }: {
  readonly files: readonly string[];
  readonly services: readonly string[];
  readonly hasOptions: boolean;
}): string[] {
  const list = JSON.stringify(files);
  if (files.length === 0) {
    return services.length > 0
      ? []
      : ["query: Required value: cannot be empty with options"];
  }
  if (services.length > 0) {
    const both = `"[${files.join(" ")}], [${services.join(" ")}]"`;
    return [invalid("query", both, "cannot specify a file and service")];
  }
  if (files.length > 1) {
    return [invalid("query", list, "cannot specify more than one file")];
  }
  return hasOptions
    ? [invalid("query", list, "cannot specify file with options")]
    : [];
}

function rangeFaults(query: Omit<JournalQuery, "units">): string[] {
  const { sinceMs, untilMs, boot = 0, lines = 0, pattern = "" } = query;
  const faults: string[] = [];
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) {
    const text = new Date(untilMs).toISOString();
    faults.push(invalid("untilTime", text, "must be after `sinceTime`"));
  }
  if (boot > 0) faults.push(invalid("boot", `${boot}`, "must be less than 1"));
  if (lines < 0 || lines > MOST_LINES) {
    const why = `must be between 0 and ${MOST_LINES}, inclusive`;
    faults.push(invalid("tailLines", `${lines}`, why));
  }
  const fault = patternFault(pattern);
  if (fault !== undefined) {
    faults.push(invalid("pattern", JSON.stringify(pattern), fault));
  }
  return faults;
}

/** What this language writes in another way is taken as it is. */
function patternFault(pattern: string): string | undefined {
  const plain = pattern.replace(/\(\?[imsU-]+\)/g, "")
    .replace(/\(\?[imsU-]+:/g, "(?:").replaceAll("(?P<", "(?<");
  try {
    new RegExp(plain);
    return undefined;
  } catch (error) {
    return error instanceof SyntaxError ? error.message : String(error);
  }
}
