/**
 * The grammars of names, as functions from a text to what is wrong with it
 * (nothing: it is fine). Messages are the API server's.
 * Compat: apimachinery v0.36 util/validation and api/validate/content.
 */

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_HINT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric " +
  "characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_HINT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric " +
  "characters, '-' or '.', and must start and end with an alphanumeric " +
  "character";
const LOOSE_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const KEY_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_HINT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start " +
  "and end with an alphanumeric character";
const VALUE = `(${KEY_NAME})?`;
const VALUE_HINT =
  "a valid label must be an empty string or consist of alphanumeric " +
  "characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character";
const CONFIG_KEY = "[-._a-zA-Z0-9]+";
const HEADER = "[-A-Za-z0-9]+";
const SYSCTL_PART = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL = `(${SYSCTL_PART}[\\./])*${SYSCTL_PART}`;

const LABEL_LONGEST = 63;
const SUBDOMAIN_LONGEST = 253;
const PORT_NAME_LONGEST = 15;
const GREATEST_ID = 2 ** 31 - 1;

type Messages = readonly string[];

export function dnsLabel(value: string): Messages {
  const messages = longerThan(value, LABEL_LONGEST);
  if (matches(value, LABEL)) return messages;
  if (matches(value, SUBDOMAIN)) return [...messages, "must not contain dots"];
  const hint = grammar(LABEL_HINT, LABEL, ["my-name", "123-abc"]);
  return [...messages, hint];
}

export function dnsSubdomain(value: string): Messages {
  const messages = longerThan(value, SUBDOMAIN_LONGEST);
  if (matches(value, SUBDOMAIN)) return messages;
  return [...messages, grammar(SUBDOMAIN_HINT, SUBDOMAIN, ["example.com"])];
}

/** A search domain: as above, with underscores. */
export function dnsSearch(value: string): Messages {
  const loose = `${LOOSE_LABEL}(\\.${LOOSE_LABEL})*`;
  const messages = longerThan(value, SUBDOMAIN_LONGEST);
  if (matches(value, loose)) return messages;
  const hint = SUBDOMAIN_HINT.replace(
    "characters, '-'",
    "characters, '_', '-'",
  );
  return [...messages, grammar(hint, loose, ["example.com"])];
}

/** A label or annotation key: `example.com/name` or `name`. */
export function qualifiedName(value: string): Messages {
  const examples = ["MyName", "my.name", "123-abc"];
  const hint = grammar(KEY_HINT, KEY_NAME, examples);
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `a valid label key ${hint} with an optional DNS subdomain prefix and ` +
      `'/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? "";
  const messages: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    const wrong = prefix === "" ? ["must be non-empty"] : dnsSubdomain(prefix);
    messages.push(...wrong.map((each) => `prefix part ${each}`));
  }
  if (name === "") messages.push("name part must be non-empty");
  messages.push(
    ...longerThan(name, LABEL_LONGEST).map((each) => `name part ${each}`),
  );
  if (!matches(name, KEY_NAME)) messages.push(`name part ${hint}`);
  return messages;
}

export function labelValue(value: string): Messages {
  const messages = longerThan(value, LABEL_LONGEST);
  if (matches(value, VALUE)) return messages;
  const examples = ["MyValue", "my_value", "12345"];
  return [...messages, grammar(VALUE_HINT, VALUE, examples)];
}

export function portNumber(value: number): Messages {
  return inRange(value, 1, 65535);
}

export function userOrGroupId(value: number): Messages {
  return inRange(value, 0, GREATEST_ID);
}

export function inRange(value: number, least: number, most: number): Messages {
  return value >= least && value <= most
    ? []
    : [`must be between ${least} and ${most}, inclusive`];
}

export function portName(value: string): Messages {
  const messages = [...longerThan(value, PORT_NAME_LONGEST)];
  if (!/^[-a-z0-9]+$/.test(value)) {
    messages.push(
      "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
  }
  if (!/[a-z]/.test(value)) {
    messages.push("must contain at least one letter (a-z)");
  }
  if (value.includes("--")) {
    messages.push("must not contain consecutive hyphens");
  }
  if (value.startsWith("-") || value.endsWith("-")) {
    messages.push("must not begin or end with a hyphen");
  }
  return messages;
}

/** Compat: gate RelaxedEnvironmentVariableValidation (on). */
export function envName(value: string): Messages {
  if (value === "") return ["environment variable name must be non-empty"];
  return /^[ -<>-~]*$/.test(value) ? [] : [
    "a valid environment variable name must consist only of printable ASCII " +
    "characters other than '='",
  ];
}

export function configKey(value: string): Messages {
  const messages = [...longerThan(value, SUBDOMAIN_LONGEST)];
  if (!matches(value, CONFIG_KEY)) {
    const hint =
      "a valid config key must consist of alphanumeric characters, '-', '_' " +
      "or '.'";
    const examples = ["key.name", "KEY_NAME", "key-name"];
    messages.push(grammar(hint, CONFIG_KEY, examples));
  }
  if (value === "." || value === "..") messages.push(`must not be '${value}'`);
  else if (value.startsWith("..")) messages.push("must not start with '..'");
  return messages;
}

export function headerName(value: string): Messages {
  if (matches(value, HEADER)) return [];
  const hint =
    "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [grammar(hint, HEADER, ["X-Header-Name"])];
}

export function sysctlName(value: string): Messages {
  const isFine = value.length <= SUBDOMAIN_LONGEST && matches(value, SYSCTL);
  return isFine ? [] : [
    `must have at most ${SUBDOMAIN_LONGEST} characters and match regex ` +
    `^${SYSCTL}$`,
  ];
}

/** An address of version 4 or 6, without zone. */
export function ipAddress(value: string): Messages {
  const isFine = isVersion4(value) || isVersion6(value);
  return isFine
    ? []
    : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
}

function isVersion4(value: string): boolean {
  const parts = value.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isVersion6(value: string): boolean {
  return /^[0-9a-fA-F:.]+$/.test(value) && value.includes(":") &&
    URL.canParse(`http://[${value}]/`);
}

function longerThan(value: string, most: number): Messages {
  return value.length > most ? [`must be no more than ${most} characters`] : [];
}

function matches(value: string, pattern: string): boolean {
  return new RegExp(`^${pattern}$`).test(value);
}

function grammar(hint: string, pattern: string, examples: Messages): string {
  // Compat: the doubled blank is upstream's own.
  const quoted = examples.map((each) => `'${each}', `).join(" or ");
  return `${hint} (e.g. ${quoted}regex used for validation is '${pattern}')`;
}
