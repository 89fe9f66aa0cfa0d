/**
 * Names of cgroups, as the kubelet thinks of them: a list of parts, which each
 * driver writes in its own way. Called wherever a path of the tree is made.
 * Compat: kubelet 1.36 CgroupName, ToSystemd, ParseSystemdToCgroupName.
 */
export type CgroupDriver = "systemd" | "cgroupfs";

/** From the root down; empty: the root itself. */
export type CgroupName = readonly string[];

const SLICE = ".slice";

/** The name behind a path that somebody configured. */
export function cgroupName(path: string, driver: CgroupDriver): CgroupName {
  const parts = partsOf(path);
  if (driver === "cgroupfs") return parts;
  const last = parts.at(-1)?.replace(/\.slice$/, "");
  return last?.split("-").map((part) => part.replaceAll("_", "-")) ?? [];
}

/** The parts of a path, which is taken literally. */
export function partsOf(path: string): CgroupName {
  return path.split("/").filter((part) => part !== "");
}

/** Where it is below the root of a hierarchy; `/` is the root. */
export function cgroupPath(name: CgroupName, driver: CgroupDriver): string {
  return driver === "systemd" ? systemdPath(name) : "/" + name.join("/");
}

/** Whether the driver has a path for it at all. */
export function isCgroupName(name: CgroupName): boolean {
  return name.length > 0 &&
    name.every((part) => part !== "" && part !== "." && part !== "..");
}

/** As upstream prints it in events and errors: `["kubepods"]`. */
export function printedName(name: CgroupName): string {
  return `[${name.map((part) => JSON.stringify(part)).join(" ")}]`;
}

/** Slices repeat the whole prefix, and `-` becomes `_` within a part. */
function systemdPath(name: CgroupName): string {
  const escaped = name.map((part) => part.replaceAll("-", "_"));
  return "/" + escaped
    .map((_, index) => escaped.slice(0, index + 1).join("-") + SLICE)
    .join("/");
}
