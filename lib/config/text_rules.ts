/**
 * Yes-or-no questions about text that several fields and flags ask: is this an
 * address, a label, a quantity. Values stay text; nothing is converted here.
 */

/** Compat: Go netutils.ParseIPSloppy (leading zeros in IPv4 are allowed) */
export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= 255);
}

export function isIpv6(text: string): boolean {
  if (!text.includes(":") || !/^[0-9a-fA-F:.]{2,45}$/.test(text)) return false;
  const dotted = text.match(/:([^:]*\.[^:]*)$/)?.[1];
  if (dotted !== undefined && !isIpv4(dotted)) return false;
  const plain = dotted === undefined
    ? text
    : text.slice(0, -dotted.length) + "0:0";
  const halves = plain.split("::");
  if (halves.length > 2 || plain.includes(".")) return false;
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  const isGroup = (group: string) => /^[0-9a-fA-F]{1,4}$/.test(group);
  return groups.every(isGroup) &&
    (halves.length === 2 ? groups.length <= 7 : groups.length === 8);
}

export function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  return rest.length === 0 && /^\d{1,3}$/.test(bits) &&
    (isIpv4(address) && Number(bits) <= 32 ||
      isIpv6(address) && Number(bits) <= 128);
}

/** Compat: apimachinery 0.36 validation.IsDNS1123Subdomain */
export function isDnsSubdomain(text: string): boolean {
  const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
  return text.length <= 253 &&
    new RegExp(`^${label}(?:\\.${label})*$`).test(text);
}

/** Compat: apimachinery 0.36 validation.IsQualifiedName */
export function isQualifiedName(text: string): boolean {
  const parts = text.split("/");
  const name = parts.pop() ?? "";
  const prefix = parts.pop();
  return parts.length === 0 &&
    (prefix === undefined || isDnsSubdomain(prefix)) &&
    name !== "" && isLabelValue(name);
}

/** Compat: apimachinery 0.36 validation.IsValidLabelValue */
export function isLabelValue(text: string): boolean {
  return text.length <= 63 &&
    /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(text);
}

const QUANTITY =
  /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/**
 * The sign of a resource quantity (`500m`, `1Gi`): -1, 0 or 1; undefined when
 * the text is no quantity.
 */
export function quantitySign(text: string): -1 | 0 | 1 | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  if (Number(match[2]) === 0) return 0;
  return match[1] === "-" ? -1 : 1;
}

/** The number of a percentage such as `10%` or `7.5%`. */
export function percentage(text: string): number | undefined {
  const match = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))%$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** The number of a whole percentage from `0%` to `100%`. */
export function wholePercentage(text: string): bigint | undefined {
  const digits = /^\+?(\d{1,3})%$/.exec(text)?.[1];
  if (digits === undefined || Number(digits) > 100) return undefined;
  return BigInt(digits);
}

/** A list of processors such as `0-3,7`. Compat: cpuset.Parse */
export function isCpuSet(text: string): boolean {
  return text.split(",").every((part) => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    return match !== null &&
      (match[2] === undefined || Number(match[1]) <= Number(match[2]));
  });
}

/** The processors of such a list, smallest first within each part. */
export function* cpusIn(text: string): Generator<number> {
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [first = NaN, last = first] = part.split("-").map(Number);
    for (let cpu = first; cpu <= last; cpu++) yield cpu;
  }
}

/** An absolute path without `.`, `..`, `//` or a trailing slash. */
export function isCleanAbsolutePath(text: string): boolean {
  return text === "/" || text.startsWith("/") &&
      text.slice(1).split("/").every((part) => !["", ".", ".."].includes(part));
}

/** `path` below `directory` unless absolute, with dots resolved. */
export function resolvePath(directory: string, path: string): string {
  if (path.startsWith("/")) return path;
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The path of a cgroup, which is not the root of them all. */
export function isBelowRoot(path: string): boolean {
  return path.split("/").some((part) => part !== "");
}
