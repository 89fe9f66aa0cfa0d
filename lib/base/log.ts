/**
 * Structured logging: a message and fields, one line of logfmt or JSON each.
 * The only importer of the log library. Fields never hold secrets; callers
 * choose what goes in, nothing is dumped whole.
 */
import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";

export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: Fields): Logger;
}

/** The root logger, whose verbosity may be changed while it runs. */
export interface RootLogger extends Logger {
  /** Absent where nobody may. */
  setVerbosity?(verbosity: number): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLogger,
};

/**
 * Configures the process-wide sink and returns the root logger. `write`
 * receives whole lines, newline included; `verbosity` is the kubelet's `-v`
 * (debug lines from 2 on).
 */
export function createLogger(
  options: {
    write: (line: string) => void;
    format: string;
    verbosity: number;
  },
): RootLogger {
  const render = options.format === "json" ? renderJson : renderText;
  configureSync({
    reset: true,
    sinks: { main: (record) => options.write(render(record)) },
    loggers: [
      {
        category: "denolet",
        sinks: ["main"],
        lowestLevel: options.verbosity >= 2 ? "debug" : "info",
      },
      { category: ["logtape", "meta"], sinks: ["main"], lowestLevel: "error" },
    ],
  });
  return {
    ...loggerWith({}),
    setVerbosity: (verbosity) => void createLogger({ ...options, verbosity }),
  };
}

function loggerWith(base: Fields): Logger {
  const target = getLogger("denolet");
  return {
    debug: (message, fields) => target.debug(message, { ...base, ...fields }),
    info: (message, fields) => target.info(message, { ...base, ...fields }),
    warn: (message, fields) => target.warn(message, { ...base, ...fields }),
    error: (message, fields) => target.error(message, { ...base, ...fields }),
    with: (fields) => loggerWith({ ...base, ...fields }),
  };
}

function renderText(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString();
  const level = record.level.toUpperCase().slice(0, 4);
  const fields = Object.entries(record.properties).map(([key, value]) =>
    ` ${key}=${renderValue(value)}`
  );
  return `${time} ${level} ${record.rawMessage}${fields.join("")}\n`;
}

function renderValue(value: unknown): string {
  const text = value instanceof Error
    ? value.message
    : typeof value === "object"
    ? JSON.stringify(value, plain)
    : String(value);
  return /^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text);
}

function renderJson(record: LogRecord): string {
  return JSON.stringify({
    ts: record.timestamp,
    level: record.level,
    msg: record.rawMessage,
    ...record.properties,
  }, plain) + "\n";
}

/** JSON knows neither bigints nor errors. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? value.message : value;
}
