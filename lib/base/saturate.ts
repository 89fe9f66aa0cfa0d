/** Amounts that cannot be less than nothing. */

/** What is left of a whole; 0 where the part is larger. */
export function without(whole: bigint, part: bigint): bigint {
  return whole > part ? whole - part : 0n;
}
