/** Numbers that look random and are the same for the same seed. */

/** A number from 0, below `sides`. */
export type Roll = (sides: number) => number;

export function dice(seed: number): Roll {
  let state = seed * 2_654_435_761 >>> 0;
  return (sides) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * sides);
  };
}
