/**
 * JSON as the API server writes it. Whole numbers that a double cannot hold
 * come out as their digits in a string, as quantities do; keys named like
 * `__proto__` stay keys, because nothing here is ever assigned by name.
 */
import { AgentError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";

/** A look before the slow way: few answers have so many digits in a row. */
const MANY_DIGITS = /\d{16}/;

/** Throws `retry`: a server that answers nonsense may get well again. */
export function parseObject(
  text: string,
  doing: string,
  server = "the API server",
): ApiObject {
  const goal = `Cannot ${doing}: the answer of ${server} is not JSON`;
  const value = parseValue(text, goal);
  if (isObject(value)) return value;
  throw nonsense(text, goal, "not an object");
}

export function objectsIn(object: ApiObject, key: string): ApiObject[] {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function parseValue(text: string, goal: string): unknown {
  try {
    return MANY_DIGITS.test(text)
      ? JSON.parse(text, exactly)
      : JSON.parse(text);
  } catch (cause) {
    throw nonsense(text, goal, cause instanceof Error ? cause.message : "");
  }
}

/** The third argument is in V8, but not yet in TypeScript's own types. */
function exactly(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const isExact = typeof value !== "number" || Number.isSafeInteger(value) ||
    context?.source === undefined || !/^-?\d+$/.test(context.source);
  return isExact ? value : context.source;
}

function nonsense(text: string, goal: string, why: string): AgentError {
  const start = text.slice(0, 60).replace(/[^\x20-\x7e]/g, "?");
  return new AgentError(`${goal} (${why}): ${JSON.stringify(start)}`, {
    next: "retry",
    reason: "Nonsense",
  });
}
