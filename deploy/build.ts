/**
 * What both forms of the program, compiled and packed, are built from: one
 * entry, one permission set, one list of V8 flags.
 */
import deno from "../deno.json" with { type: "json" };
import { parseArgs } from "node:util";
import { run } from "./world/command.ts";

export const CHECKOUT = new URL("../", import.meta.url).pathname;
/** See decision 0006. */
export const V8_FLAGS = "--max-semi-space-size=2,--expose-gc";
/** The permission set of a node, in deno.json. */
const NODE_SET = "node";

export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
] as const;
export type Target = typeof TARGETS[number];

/** `e_machine` of an ELF file, at byte 18. */
const MACHINES: Readonly<Record<number, Target>> = {
  62: "x86_64-unknown-linux-gnu",
  183: "aarch64-unknown-linux-gnu",
};

export interface Wishes {
  readonly target: Target;
  readonly output: string;
  readonly setName: string;
  /** What the program may do: a set of deno.json, or one of a file. */
  readonly set: object;
  /** Another runtime than the one that builds; undefined: that one. */
  readonly runtime: string | undefined;
}

/** Throws with one line about the first option that cannot be. */
export async function wishesFrom(
  args: readonly string[],
  output: string,
): Promise<Wishes> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: "string", default: hostTarget() },
      output: { type: "string", default: output },
      set: { type: "string", default: NODE_SET },
      permissions: { type: "string" },
      deno: { type: "string" },
    },
  });
  const target = TARGETS.find((each) => each === values.target);
  if (target === undefined) {
    throw new Error(
      `--target: ${values.target} is not allowed: ${TARGETS.join(", ")}`,
    );
  }
  const sets = new Map<string, object>(Object.entries(deno.permissions));
  const set = values.permissions === undefined
    ? sets.get(values.set)
    : await setFrom(values.permissions);
  if (set === undefined) {
    throw new Error(
      `--set: ${values.set} is not allowed: ${[...sets.keys()].join(", ")}`,
    );
  }
  return {
    target,
    output: values.output,
    setName: values.permissions === undefined ? values.set : "own",
    set,
    runtime: values.deno,
  };
}

/** As `denolet permissions --format=set` prints it. */
async function setFrom(path: string): Promise<object> {
  const found: unknown = JSON.parse(await Deno.readTextFile(path));
  const kinds = Object.keys(deno.permissions.node);
  if (typeof found !== "object" || found === null) {
    throw new Error(`--permissions: ${path} holds no permission set`);
  }
  const odd = Object.keys(found).filter((kind) => !kinds.includes(kind));
  if (odd.length > 0) {
    throw new Error(
      `--permissions: ${path} grants ${odd.join(", ")}; ` +
        `allowed: ${kinds.join(", ")}`,
    );
  }
  return found;
}

function hostTarget(): string {
  return `${Deno.build.arch}-unknown-linux-gnu`;
}

/** Throws unless the file is a program for the target. */
export async function checkMachine(
  runtime: string,
  target: Target,
): Promise<void> {
  using file = await Deno.open(runtime);
  const start = new Uint8Array(20);
  await file.read(start);
  const found = MACHINES[start[18] ?? 0];
  if (found !== target) {
    throw new Error(
      `${runtime} is for ${found ?? "no machine known here"}, and the ` +
        `target is ${target}; name the runtime of that target`,
    );
  }
}

/**
 * Lays what is built from into a folder that goes at the end: an entry that
 * says what this is (`denolet version`), and a configuration with one set.
 */
export async function withEntry<T>(
  form: "compiled" | "package",
  wishes: Wishes,
  build: (files: { entry: string; config: string }) => Promise<T>,
): Promise<T> {
  const folder = `${CHECKOUT}dist/.build`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    const about = {
      form,
      commit: await commit(),
      target: wishes.target,
      permissionSet: wishes.setName,
      permissionDigest: await digestOf(JSON.stringify(wishes.set)),
    };
    await Deno.writeTextFile(
      `${folder}/about.ts`,
      `Object.assign(globalThis, { DENOLET_BUILD: ${
        JSON.stringify(about)
      } });\n`,
    );
    const entry = `${folder}/entry.ts`;
    await Deno.writeTextFile(
      entry,
      `import "./about.ts";\nimport "../../main.ts";\n`,
    );
    const config = `${folder}/deno.json`;
    const { imports, nodeModulesDir } = deno;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        ...{ imports, nodeModulesDir },
        permissions: { [wishes.setName]: wishes.set },
      }),
    );
    return await build({ entry, config });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function commit(): Promise<string> {
  const git = (...args: string[]) => run("git", ["-C", CHECKOUT, ...args]);
  try {
    const found = (await git("rev-parse", "--short=12", "HEAD")).trim();
    const changes = await git("status", "--porcelain", "--untracked-files=no");
    return changes.trim() === "" ? found : `${found}+changes`;
  } catch {
    // No git, or no repository: a folder that somebody unpacked.
    return "unknown";
  }
}

export async function digestOf(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const sum = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return new Uint8Array(sum).toHex();
}
