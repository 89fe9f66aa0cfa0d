/**
 * Files of variables, as `fileKeyRef` reads them: `KEY='value'`, over several
 * lines where the quotes say so. Pure.
 * Compat: kubelet 1.36 ParseEnv; what comes after the key is not looked at.
 */

/** Compat: Go's bufio.MaxScanTokenSize. */
const LONGEST_LINE = 64 * 1024;

export type EnvFile =
  /** Empty also when there is no such key. */
  | { readonly kind: "ok"; readonly value: string }
  | { readonly kind: "broken"; readonly message: string };

export function valueIn(text: string, key: string): EnvFile {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  // What comes after the last line end is a line only if something is there.
  if (lines.at(-1) === "") lines.pop();
  const tooLong = lines.findIndex((line) => line.length >= LONGEST_LINE);
  const usable = tooLong < 0 ? lines : lines.slice(0, tooLong);
  for (let at = 0; at < usable.length;) {
    const found = assignment(usable, at);
    if (found.kind === "broken") return found;
    if (found.name === key) return { kind: "ok", value: found.value };
    at = found.next;
  }
  return tooLong < 0
    ? { kind: "ok", value: "" }
    : broken(`line ${tooLong + 1} is too long`);
}

interface Assignment {
  readonly kind: "read";
  /** Undefined: a comment, or nothing at all. */
  readonly name: string | undefined;
  readonly value: string;
  readonly next: number;
}

type Read = Assignment | Extract<EnvFile, { kind: "broken" }>;

function assignment(lines: readonly string[], at: number): Read {
  const line = lines[at]?.replace(/^[ \t]+/, "") ?? "";
  const format = `invalid environment variable format at line ${at + 1}`;
  if (line === "" || line.startsWith("#")) {
    return { kind: "read", name: undefined, value: "", next: at + 1 };
  }
  const equals = line.indexOf("=");
  if (equals < 0) return broken(`${format}: missing '='`);
  const name = line.slice(0, equals);
  if (name.trim() === "") return broken(`${format}: empty variable name`);
  if (/[ \t]$/.test(name)) {
    return broken(`${format}: whitespace before '=' is not allowed`);
  }
  const rest = line.slice(equals + 1);
  // As in a shell: `KEY= 'value'` gives it nothing.
  if (/^[ \t]/.test(rest)) {
    return { kind: "read", name, value: "", next: at + 1 };
  }
  return rest.startsWith("'")
    ? quoted(lines, at, { name, rest: rest.slice(1) })
    : broken(`${format}: value must be enclosed in single quotes`);
}

function quoted(
  lines: readonly string[],
  at: number,
  start: { readonly name: string; readonly rest: string },
): Read {
  const parts: string[] = [];
  for (let line = at; line < lines.length; line++) {
    const text = line === at ? start.rest : lines[line] ?? "";
    const end = text.indexOf("'");
    if (end < 0) {
      parts.push(text, "\n");
      continue;
    }
    const after = text.slice(end + 1).replace(/^[ \t]+/, "");
    if (after !== "" && !after.startsWith("#")) {
      return broken(
        `invalid environment variable format at line ${line + 1}: ` +
          "unexpected content after closing quote",
      );
    }
    parts.push(text.slice(0, end));
    const value = parts.join("");
    return { kind: "read", name: start.name, value, next: line + 1 };
  }
  return broken(
    `invalid environment variable format starting at line ${at + 1}: ` +
      "unclosed single quote",
  );
}

function broken(message: string): Extract<EnvFile, { kind: "broken" }> {
  return { kind: "broken", message };
}
