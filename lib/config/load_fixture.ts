/** For the tests of this folder: argv and texts in, a load result out. */
import { parseCommandLine } from "./command_line.ts";
import { loadConfig, type LoadResult } from "./load.ts";

const HEADER = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
  "kind: KubeletConfiguration\n";

export type Loaded = Extract<LoadResult, { kind: "ok" }>;

interface Texts {
  /** Text of /etc/node/config.yaml without its two header lines. */
  readonly file?: string;
  /** Text of drop-ins by path, without header lines. */
  readonly dropIns?: Readonly<Record<string, string>>;
}

export function tryLoad(
  argv: readonly string[],
  texts: Texts = {},
): LoadResult {
  const command = parseCommandLine(argv);
  if (command.kind === "invalid") return command;
  if (command.kind !== "agent") throw new Error(`It is ${command.kind}`);
  return loadConfig({
    flags: command.flags,
    hostname: "node-1",
    ...(texts.file === undefined ? {} : {
      configFile: { path: "/etc/node/config.yaml", text: HEADER + texts.file },
    }),
    dropIns: Object.entries(texts.dropIns ?? {}).map(([path, text]) => ({
      path,
      text: HEADER + text,
    })),
  });
}

export function load(argv: readonly string[], texts: Texts = {}): Loaded {
  const result = tryLoad(argv, texts);
  if (result.kind === "invalid") throw new Error(result.message);
  return result;
}

/** The error line of a load that must fail. */
export function refusalOf(argv: readonly string[], texts: Texts = {}): string {
  const result = tryLoad(argv, texts);
  if (result.kind === "ok") throw new Error("It was accepted");
  return result.message;
}
