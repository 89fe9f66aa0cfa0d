/**
 * Quantities as text, in the one form that the API server keeps.
 * Compat: kubelet 1.36 resource.Quantity CanonicalizeBytes, Add.
 */
import { parseQuantity, type Quantity } from "./quantity.ts";

/** How a quantity was written, and so how a sum of such is. */
export type QuantityForm = "decimal" | "binary" | "exponent";

const NANO = 1_000_000_000n;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

export function formOf(text: string): QuantityForm {
  if (/[KMGTPE]i$/.test(text)) return "binary";
  return /[eE][+-]?\d+$/.test(text) ? "exponent" : "decimal";
}

export function quantityText(quantity: Quantity, form: QuantityForm): string {
  const size = quantity < 0n ? -quantity : quantity;
  if (size === 0n) return "0";
  const sign = quantity < 0n ? "-" : "";
  // Below one Ki a binary suffix says nothing.
  return form === "binary" && size >= 1024n * NANO
    ? sign + binaryText(size)
    : sign + decimalText(size, form);
}

/** The same quantity as the API server would write it. */
export function canonicalText(text: string): string {
  const quantity = parseQuantity(text);
  return quantity === undefined ? text : quantityText(quantity, formOf(text));
}

/** The sum, written as the first that is not zero; texts that are none: 0. */
export function sumText(first: string, second: string): string {
  const [a = 0n, b = 0n] = [parseQuantity(first), parseQuantity(second)];
  return quantityText(a + b, formOf(a === 0n ? second : first));
}

function binaryText(size: Quantity): string {
  let count = (size + NANO - 1n) / NANO;
  let power = 0;
  while (count % 1024n === 0n && power < BINARY.length - 1) {
    count /= 1024n;
    power++;
  }
  return `${count}${BINARY[power]}`;
}

function decimalText(size: Quantity, form: QuantityForm): string {
  let count = size;
  let power = 0;
  while (count % 1000n === 0n && power < DECIMAL.length - 1) {
    count /= 1000n;
    power++;
  }
  const exponent = power * 3 - 9;
  if (form !== "exponent") return `${count}${DECIMAL[power]}`;
  return exponent === 0 ? `${count}` : `${count}e${exponent}`;
}
