/**
 * The bytes of a watch → its events, one JSON object a line, however the bytes
 * were cut. A line that is no event ends it with an error.
 */
import { AgentError } from "../base/errors.ts";
import { isObject, textIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import { parseObject } from "./json.ts";

/** An object is at most 1.5 MiB in etcd; its JSON may be longer. */
const LONGEST_LINE = 16 * 1024 * 1024;

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

export async function* watchEvents(
  chunks: AsyncIterable<Uint8Array>,
  doing: string,
): AsyncGenerator<WatchEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      const whole = rest.join("") + line;
      rest = [];
      length = 0;
      if (whole.trim() !== "") yield eventFrom(whole, doing);
    }
    rest.push(last);
    length += last.length;
    if (length > LONGEST_LINE) {
      throw broken(doing, `a line is longer than ${LONGEST_LINE} characters`);
    }
  }
  const cut = rest.join("") + decoder.decode();
  if (cut.trim() !== "") {
    throw broken(doing, "it ended in the middle of a line");
  }
}

function eventFrom(line: string, doing: string): WatchEvent {
  const value = parseObject(line, doing);
  const type = textIn(value, "type");
  if (!isType(type) || !isObject(value.object)) {
    throw broken(doing, `no event: ${JSON.stringify(line.slice(0, 60))}`);
  }
  return { type, object: value.object };
}

function isType(type: string | undefined): type is WatchEvent["type"] {
  return type === "ADDED" || type === "MODIFIED" || type === "DELETED" ||
    type === "BOOKMARK" || type === "ERROR";
}

function broken(doing: string, why: string): AgentError {
  return new AgentError(`Cannot ${doing}: the watch is garbled: ${why}`, {
    next: "retry",
    reason: "Nonsense",
  });
}
