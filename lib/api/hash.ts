/**
 * The hash by which a changed container is recognised. It is written on the
 * container, so it must come out exactly as the kubelet's: an agent that takes
 * over restarts nothing.
 */

/**
 * FNV-1a over the printed bytes of `{"image":…,"name":…}`, lower-case hex.
 * Compat: kubelet 1.36 HashContainer: Go's JSON of the two fields, printed by
 * spew as a list of decimal bytes.
 */
export function containerHash(name: string, image: string): string {
  const json = `{"image":${goJson(image)},"name":${goJson(name)}}`;
  const bytes = new TextEncoder().encode(json);
  return fnv32a(`([]uint8)[${bytes.join(" ")}]`).toString(16);
}

/** 32-bit FNV-1a of the UTF-8 bytes of a text. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** Go's encoding/json escapes five characters that JSON.stringify leaves. */
function goJson(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
