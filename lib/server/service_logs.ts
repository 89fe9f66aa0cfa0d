/**
 * The logs of services: from the journal where they write to it, else from a
 * file that has the service's name.
 * Compat: kubelet 1.36 copyForBoot, heuristicsCopyFileLogs.
 */
import { AgentError } from "../base/errors.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import type { LogFile, SystemLogs } from "../port/log_files.ts";
import type { AskedLogs } from "./log_query.ts";
import { text, typed } from "./node_answer.ts";

const BLOCK_BYTES = 64 * 1024;

type Asked = Extract<AskedLogs, { kind: "services" }>;

export async function showServices(
  logs: SystemLogs,
  asked: Asked,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  try {
    const units = await logs.journal.units(signal);
    const type = "text/plain;charset=UTF-8";
    return typed(200, type, linesOf(logs, { asked, units, signal }));
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return text(501, `${error.message}\n`);
  }
}

async function* linesOf(
  logs: SystemLogs,
  { asked, units, signal }: {
    readonly asked: Asked;
    readonly units: ReadonlySet<string>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Uint8Array> {
  const { services, query, hasOptions } = asked;
  const isNative = (name: string) =>
    units.has(name) || units.has(`${name}.service`);
  const native = services.filter(isNative);
  const others = services.filter((name) => !isNative(name));
  if (native.length > 0) {
    yield* logs.journal.read({ ...query, units: native }, signal);
  }
  if (others.length > 0 && hasOptions) {
    yield bytes(
      "\noptions present and query resolved to log files for " +
        `[${others.join(" ")}]\ntry without specifying options\n`,
    );
    return;
  }
  for (const name of others) yield* fileOf(logs, name);
}

async function* fileOf(
  logs: SystemLogs,
  name: string,
): AsyncGenerator<Uint8Array> {
  for (const path of [name, `${name}.log`, `${name}/${name}.log`]) {
    try {
      const whole = `${logs.folder}/${path}`;
      if ((await logs.files.stat(whole))?.kind === "directory") continue;
      const file = await logs.logFiles.open(whole);
      if (file === undefined) continue;
      return yield* contentOf(file);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const why = error.message;
      return yield bytes(`\nerror getting log for ${name}: ${why}\n`);
    }
  }
  yield bytes(`\nlog not found for ${name}\n`);
}

/** What is there now, however fast it grows meanwhile. */
export async function* contentOf(file: LogFile): AsyncGenerator<Uint8Array> {
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

function bytes(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}
