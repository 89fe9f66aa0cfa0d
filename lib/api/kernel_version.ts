/** Which release of the kernel this is. Pure. */

/** `version`: `6.1.0-18-amd64`; of an unreadable one nothing is known. */
export function isKernelSince(
  version: string,
  major: number,
  minor: number,
): boolean {
  const [, own = "0", next = "0"] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(own) > major ||
    (Number(own) === major && Number(next) >= minor);
}
