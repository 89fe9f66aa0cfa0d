/**
 * Words of others (runtimes, images, containers) made fit for a terminal:
 * nothing that moves the cursor, hides text or changes its direction. Pure.
 */

const UNFIT = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(UNFIT, "?");
}

/** One line of at most `most` characters. */
export function oneLine(text: string, most: number): string {
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
