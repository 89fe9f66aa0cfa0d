/**
 * Prints amounts the way the API server does, so that an unchanged amount is
 * an unchanged text.
 * Compat: apimachinery 0.36 Quantity.CanonicalizeBytes.
 */
import { parseQuantity, type Quantity, units } from "../api/quantity.ts";
import { quantityText } from "../api/quantity_text.ts";

const NANO = 1_000_000_000n;

/** A count of whole units as a quantity. */
export function whole(count: bigint): Quantity {
  return count * NANO;
}

/** Bytes: `16Gi`, `1000Ki`, `1500`. */
export function binaryText(quantity: Quantity): string {
  return quantityText(whole(units(quantity)), "binary");
}

/** Whether two texts mean one amount. */
export function isSameAmount(
  one: string | undefined,
  other: string | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || parseQuantity(one) === parseQuantity(other);
}
