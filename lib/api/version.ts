/** The version of an object of the API, as far as versions can be compared. */

/**
 * A resourceVersion as a number, which grows with each change of the object;
 * undefined where a server counts otherwise.
 */
export function versionOf(
  resourceVersion: string | undefined,
): bigint | undefined {
  return /^\d+$/.test(resourceVersion ?? "")
    ? BigInt(resourceVersion ?? 0)
    : undefined;
}
