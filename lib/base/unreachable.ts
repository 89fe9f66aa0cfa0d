/** Guard for exhaustive switches: a new union member fails to compile here. */

export function unreachable(value: never): never {
  throw new Error(`Unreachable value: ${JSON.stringify(value)}`);
}
