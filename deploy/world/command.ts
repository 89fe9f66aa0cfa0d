/** Runs one command to its end; a failure carries the command's own words. */

export interface RunOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  /** `ignore`: a failure is an expected outcome, such as "not there". */
  readonly failure?: "throw" | "ignore";
}

export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  const output = await child.output();
  if (!output.success && options.failure !== "ignore") {
    const words = new TextDecoder().decode(output.stderr).trim();
    throw new Error(
      `Cannot run ${command} ${args.join(" ")}: ` +
        (words || `exit code ${output.code}`),
    );
  }
  return new TextDecoder().decode(output.stdout);
}

/** Asks until the answer is yes; throws with `what` when time is up. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!await isSo()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`Cannot see ${what} within ${timeoutMs / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Undefined when the file does not exist. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
