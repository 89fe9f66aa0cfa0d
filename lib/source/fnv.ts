/**
 * FNV-1a of 128 bits, the hash that makes a static pod's uid. In limbs of 16
 * bits, because a product of two of them is exact in a double.
 */

const LIMBS = 8;
const LIMB_BITS = 16;
const LIMB_MASK = 0xffff;
/** 6c62272e07bb014262b821756295c58d, the lowest limb first. */
const OFFSET = [
  0xc58d,
  0x6295,
  0x2175,
  0x62b8,
  0x0142,
  0x07bb,
  0x272e,
  0x6c62,
];
/** The prime is 2^88 + 0x13b: five limbs and a byte, and a small number. */
const PRIME_LOW = 0x13b;
const PRIME_LIMBS = 5;
const PRIME_BITS = 8;

/** 32 lower-case hex digits. */
export function fnv128a(bytes: Uint8Array): string {
  const hash = [...OFFSET];
  const old = [...OFFSET];
  const limb = (index: number) => old[index] ?? 0;
  for (const byte of bytes) {
    for (let index = 0; index < LIMBS; index++) old[index] = hash[index] ?? 0;
    old[0] = limb(0) ^ byte;
    let carry = 0;
    for (let index = 0; index < LIMBS; index++) {
      const from = index - PRIME_LIMBS;
      const shifted = (limb(from) << PRIME_BITS) & LIMB_MASK |
        limb(from - 1) >>> (LIMB_BITS - PRIME_BITS);
      const sum = limb(index) * PRIME_LOW + shifted + carry;
      hash[index] = sum & LIMB_MASK;
      carry = Math.floor(sum / (LIMB_MASK + 1));
    }
  }
  return hash.reverse().map((each) => each.toString(16).padStart(4, "0"))
    .join("");
}
