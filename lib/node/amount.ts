/**
 * Prints amounts the way the API server does, so that an unchanged amount is
 * an unchanged text.
 * Compat: apimachinery 0.36 Quantity.CanonicalizeBytes.
 */
import { parseQuantity, type Quantity, units } from "../api/quantity.ts";

const NANO = 1_000_000_000n;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** From nano-units up, in steps of a thousand. */
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

/** A count of whole units as a quantity. */
export function whole(count: bigint): Quantity {
  return count * NANO;
}

/** Bytes: `16Gi`, `1000Ki`, `1500`. */
export function binaryText(quantity: Quantity): string {
  const count = units(quantity);
  // Compat: upstream prints what is below one Ki in powers of ten.
  if (count < 1024n && count > -1024n) return decimalText(whole(count));
  const [rest, power] = divided(count, 1024n, BINARY.length - 1);
  return `${rest}${BINARY[power]}`;
}

/** Everything else: `2`, `1500m`, `1k`. */
export function decimalText(quantity: Quantity): string {
  if (quantity === 0n) return "0";
  const [rest, power] = divided(quantity, 1000n, DECIMAL.length - 1);
  return `${rest}${DECIMAL[power]}`;
}

/** Whether two texts mean one amount. */
export function isSameAmount(
  one: string | undefined,
  other: string | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || parseQuantity(one) === parseQuantity(other);
}

/** Takes out as many factors as there are, at most `most`. */
function divided(value: bigint, by: bigint, most: number): [bigint, number] {
  let rest = value;
  let power = 0;
  while (power < most && rest !== 0n && rest % by === 0n) {
    rest /= by;
    power++;
  }
  return [rest, power];
}
