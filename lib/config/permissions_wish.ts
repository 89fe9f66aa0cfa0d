/**
 * The options of `denolet permissions` that are not the agent's own flags.
 * Pure.
 */
import { isCidr, isCleanAbsolutePath } from "./text_rules.ts";
import { shorten } from "./tree.ts";

export interface PermissionsWish {
  readonly format: "flags" | "set" | "unit";
  /** Where pods have their addresses. */
  readonly podRanges: readonly string[];
  /** Where the runtime keeps images; undefined: where it usually does. */
  readonly imageDir: string | undefined;
  /** Of claims on local block devices; the host's programs make them. */
  readonly filesystems: readonly string[];
}

const OPTION = /^--(format|pod-cidr|image-dir|filesystems)(?:=(.*))?$/s;
/** As in `mkfs.TYPE`. */
const FILESYSTEM = /^[a-z][a-z0-9]{1,15}$/;
const FORMATS = ["flags", "set", "unit"] as const;

/** Takes its own options out; `problem` is one line about the first bad one. */
export function permissionsWish(words: readonly string[]): {
  readonly problem: string | undefined;
  readonly rest: readonly string[];
  readonly wish: PermissionsWish;
} {
  const rest: string[] = [];
  let format: PermissionsWish["format"] = "flags";
  let podRanges: readonly string[] = [];
  let imageDir: string | undefined;
  let filesystems: readonly string[] = [];
  let problem: string | undefined;
  const refuse = (option: string, value: string, allowed: string) =>
    problem ??= `--${option}: value ${JSON.stringify(shorten(value))} is not ` +
      `allowed: ${allowed}`;
  const waiting = [...words];
  for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
    const [, option, own] = OPTION.exec(word) ?? [];
    if (option === undefined) {
      rest.push(word);
      continue;
    }
    const value = own ?? waiting.shift() ?? "";
    if (option === "format") {
      const found = FORMATS.find((each) => each === value);
      if (found === undefined) refuse(option, value, FORMATS.join(", "));
      else format = found;
    } else if (option === "image-dir") {
      imageDir = value;
      if (!isCleanAbsolutePath(value)) refuse(option, value, "a full path");
    } else if (option === "filesystems") {
      filesystems = value.split(",");
      const bad = filesystems.find((type) => !FILESYSTEM.test(type));
      if (bad !== undefined) refuse(option, bad, "types such as ext4,xfs");
    } else {
      podRanges = value.split(",");
      const bad = podRanges.find((range) => !isCidr(range));
      if (bad !== undefined) refuse(option, bad, "ranges such as 10.0.0.0/16");
    }
  }
  return { problem, rest, wish: { format, podRanges, imageDir, filesystems } };
}
