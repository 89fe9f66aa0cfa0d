/**
 * Kubernetes quantities, exactly: "500m", "1Gi", "1e3", 2. A quantity is kept
 * as a whole number of nano-units, so nothing is lost above 2^53.
 * Compat: kubelet 1.36 resource.ParseQuantity, Value, MilliValue.
 */

/** A parsed quantity: a count of 10^-9 units. */
export type Quantity = bigint;

const NANO = 1_000_000_000n;
const GRAMMAR =
  /^([+-]?)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/;
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const LONGEST_TEXT = 64;

/**
 * Parses a quantity; undefined when the text is not one. Digits below a nano
 * are rounded away from zero, as upstream does.
 */
export function parseQuantity(input: string | number): Quantity | undefined {
  const text = String(input);
  if (text.length > LONGEST_TEXT) return undefined;
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const scale = scaleOf(suffix);
  if (scale === undefined) return undefined;
  const digits = BigInt(whole + fraction) * NANO * scale.times;
  const magnitude = divideUp(digits, 10n ** BigInt(fraction.length) * scale.by);
  return sign === "-" ? -magnitude : magnitude;
}

/** Whole units, rounded up: bytes, cores, pieces. */
export function units(quantity: Quantity): bigint {
  return divideUp(quantity, NANO);
}

/** Thousandths, rounded up: millicores. */
export function milliUnits(quantity: Quantity): bigint {
  return divideUp(quantity, NANO / 1000n);
}

function scaleOf(suffix: string): { times: bigint; by: bigint } | undefined {
  const binary = BINARY.indexOf(suffix);
  if (binary >= 0) return { times: 1024n ** BigInt(binary + 1), by: 1n };
  const power = DECIMAL.get(suffix) ?? Number(suffix.slice(1));
  if (!Number.isInteger(power) || Math.abs(power) > 30) return undefined;
  return power >= 0
    ? { times: 10n ** BigInt(power), by: 1n }
    : { times: 1n, by: 10n ** BigInt(-power) };
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  const isExact = quotient * by === value;
  if (isExact) return quotient;
  return value > 0n ? quotient + 1n : quotient;
}
