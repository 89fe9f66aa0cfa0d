/**
 * Paths to fields and the API server's wording of what is wrong with one.
 * Compat: apimachinery v0.36 util/validation/field, Error and Path.
 */

/** An index, a field, or a key of a map in brackets (`{ key }`). */
export type Step = string | number | { readonly key: string };
export type Path = readonly Step[];

/** A broken rule: the field and the message with it. */
export interface Violation {
  readonly path: Path;
  readonly message: string;
}

export function render(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (typeof step === "object") text += `[${step.key}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

export function required(path: Path, detail = ""): Violation {
  return violation(path, "Required value", detail);
}

export function invalid(path: Path, value: unknown, detail: string) {
  return violation(path, `Invalid value: ${shown(value)}`, detail);
}

export function duplicate(path: Path, value: unknown): Violation {
  return violation(path, `Duplicate value: ${shown(value)}`, "");
}

export function notFound(path: Path, value: unknown): Violation {
  return violation(path, `Not found: ${shown(value)}`, "");
}

export function forbidden(path: Path, detail: string): Violation {
  return violation(path, "Forbidden", detail);
}

export function tooLong(path: Path, limitBytes: number): Violation {
  return violation(
    path,
    "Too long",
    `may not be more than ${limitBytes} bytes`,
  );
}

export function tooMany(path: Path, count: number, limit: number): Violation {
  const detail = `must have at most ${limit} items`;
  return violation(path, `Too many: ${count}`, detail);
}

export function notSupported(
  path: Path,
  value: unknown,
  allowed: readonly string[],
): Violation {
  const list = allowed.map((each) => JSON.stringify(each)).join(", ");
  const detail = `supported values: ${list}`;
  return violation(path, `Unsupported value: ${shown(value)}`, detail);
}

/** One violation for each message about the value. */
export function invalids(
  path: Path,
  value: unknown,
  messages: readonly string[],
): Violation[] {
  return messages.map((message) => invalid(path, value, message));
}

function violation(path: Path, what: string, detail: string): Violation {
  const message = `${render(path)}: ${what}`;
  return { path, message: detail === "" ? message : `${message}: ${detail}` };
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
