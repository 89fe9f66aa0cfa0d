/**
 * How two sides of a D-Bus socket get to know each other, before messages go.
 * Pure. All of ours goes in one piece, as sd-bus does it.
 */
import { AgentError } from "../base/errors.ts";

/** Who we are, the kernel tells; then descriptors may come. */
export const GREETING = new TextEncoder().encode(
  "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n",
);

const LONGEST_BYTES = 1024;
const ANSWERS = [/^DATA( .*)?$/, /^OK [0-9a-f]*$/, /^(AGREE_UNIX_FD|ERROR.*)$/];

/**
 * How many bytes the answer takes: who we are is believed, and descriptors are
 * agreed on. Undefined: not all of it is there yet. Throws at any other one.
 */
export function greetingLength(bytes: Uint8Array): number | undefined {
  const text = new TextDecoder("latin1").decode(
    bytes.subarray(0, LONGEST_BYTES),
  );
  const lines = text.split("\r\n");
  // The last one is not whole yet.
  const whole = lines.slice(0, -1).slice(0, ANSWERS.length);
  const isWell = whole.every((line, at) => ANSWERS[at]?.test(line));
  if (!isWell || (whole.length < ANSWERS.length && isLong(text))) {
    const said = JSON.stringify(text.slice(0, 80));
    throw new AgentError(`The bus does not let us in: ${said}`, {
      next: "retry",
    });
  }
  if (whole.length < ANSWERS.length) return undefined;
  return whole.reduce((sum, line) => sum + line.length + 2, 0);
}

function isLong(text: string): boolean {
  return text.length === LONGEST_BYTES;
}
