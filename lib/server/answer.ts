/**
 * Answers of the admin socket, written and read back: JSON, and errors as
 * `{message}`. Pure.
 */
import { parseJson } from "../base/json.ts";
import type { OutgoingResponse } from "../port/net.ts";

/** Indented, because people read it with curl. */
export function json(status: number, value: unknown): OutgoingResponse {
  return {
    status,
    contentType: "application/json",
    body: `${JSON.stringify(value, undefined, 2)}\n`,
  };
}

export function problem(status: number, message: string): OutgoingResponse {
  return json(status, { message });
}

/** One text of a JSON object; undefined when it is not there. */
export function textField(text: string, name: string): string | undefined {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null) return undefined;
  const field: unknown = new Map(Object.entries(value)).get(name);
  return typeof field === "string" ? field : undefined;
}
