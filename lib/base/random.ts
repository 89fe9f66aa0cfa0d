/**
 * Randomness as a port: jitter and short ids. The system source below is the
 * only reader of real randomness.
 */

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** `length` lower-case hex digits. */
  hex(length: number): string;
}

/** Randomness from the operating system. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  hex(length) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(length / 2)));
    return bytes.toHex().slice(0, length);
  },
};
