/** The text of a manifest's bytes, or why there is none. Pure. */

/** Compat: kubelet 1.36 maxConfigLength. */
export const LONGEST_MANIFEST_BYTES = 10 * 1024 * 1024;

export function decodeText(
  bytes: Uint8Array,
): string | { readonly problem: string } {
  if (bytes.length === 0) return { problem: "the file is empty" };
  if (bytes.length > LONGEST_MANIFEST_BYTES) {
    return {
      problem: `the file is longer than ${LONGEST_MANIFEST_BYTES} bytes`,
    };
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    return {
      problem: `the file is binary: a NUL is at byte ${nul}, want YAML text`,
    };
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { problem: "the file is not valid UTF-8, want YAML or JSON text" };
  }
}
