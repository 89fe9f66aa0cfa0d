/**
 * Who may import whom: the layer table of .github/ARCHITECTURE.md as data, and
 * the checks over the import graph. Pure: sources in, complaints out.
 */
import { placeOf } from "./place.ts";
import type { Import, Source } from "./source.ts";

const FEATURES = [
  "source",
  "probe",
  "eviction",
  "events",
  "log",
  "reference",
  "stats",
  "image",
  "volume",
  "node",
  "identity",
  "shutdown",
] as const;

const GROUND = ["base", "api", "port", "config"];

const INSIDE = [...GROUND, "pod", ...FEATURES];

/** What the files of a room may import by value (and so by type). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  api: ["base"],
  port: ["base", "api"],
  config: ["base", "api"],
  pod: ["base", "api"],
  ...Object.fromEntries(FEATURES.map((feature) => [feature, GROUND])),
  sync: INSIDE,
  server: INSIDE,
  cri: GROUND,
  kube: GROUND,
  host: GROUND,
  agent: [...INSIDE, "sync", "server"],
  main: [...INSIDE, "sync", "server", "cri", "kube", "host", "agent"],
  mod: [...INSIDE, "sync", "server", "cri", "kube", "host", "agent"],
};

/** The room a file belongs to; undefined outside of the program. */
export function roomOf(path: string): string | undefined {
  const inLib = /^lib\/([^/]+)\//.exec(path);
  if (inLib) return inLib[1];
  if (/^lib\/agent(_[a-z]+)?\.ts$/.test(path)) return "agent";
  // What main.ts does with a configuration, before an agent runs.
  if (path === "main.ts" || path === "lib/main_config.ts") return "main";
  if (path === "mod.ts") return "mod";
  return undefined;
}

/** What is wrong with one import, or undefined. */
export function judgeImport(from: string, found: Import): string | undefined {
  if (found.isPackage) return undefined;
  const room = roomOf(from);
  const target = roomOf(found.target);
  if (room === undefined) return undefined;
  if (target === undefined) return judgeOutside(from, room, found.target);
  if (room === "server" && takesWriter(found)) {
    return "the server reads cells and never writes them: take a Reader";
  }
  if (room === target) return undefined;
  const open = MAY_IMPORT[room];
  if (open === undefined) {
    return `lib/${room} has no row in the layer table (tests/house/layers.ts)`;
  }
  if (open.includes(target)) return undefined;
  if (!isTypeException(room, found.target)) {
    return `${room} may import only ${open.join(", ") || "nothing of ours"}`;
  }
  return found.kind === "type"
    ? undefined
    : `${room} may import this only as a type (\`import type\`)`;
}

function judgeOutside(
  from: string,
  room: string,
  target: string,
): string | undefined {
  if (target.startsWith("tests/")) return "the program never imports tests";
  if (target.startsWith("proto/") && room === "cri") return undefined;
  if (target === "deno.json" && from === "main.ts") return undefined;
  return "the program imports only lib; proto/ is for lib/cri, and deno.json " +
    "for main.ts";
}

/** Imports that are open to `import type` alone. */
function isTypeException(room: string, target: string): boolean {
  const isFeatureTypes = FEATURES.some((feature) =>
    target === `lib/${feature}/types.ts`
  );
  if (room === "pod") {
    return isFeatureTypes || target === "lib/config/schema.ts" ||
      target.startsWith("lib/port/");
  }
  return isFeatureTypes && FEATURES.some((feature) => feature === room);
}

function takesWriter(found: Import): boolean {
  return found.target === "lib/base/cell.ts" &&
    found.names.includes("Writer");
}

/** Every import of the program that breaks the table, one line each. */
export function brokenLayers(sources: readonly Source[]): string[] {
  return sources.filter((source) => placeOf(source.path).isProgram)
    .flatMap((source) =>
      source.imports.flatMap((found) => {
        const broken = judgeImport(source.path, found);
        return broken === undefined
          ? []
          : [`${source.path}:${found.line} imports ${found.target}: ${broken}`];
      })
    );
}

/** Files that lead back to themselves, by value or by type. */
export function cycles(sources: readonly Source[]): string[] {
  const edges = new Map(
    sources.map((source) => [
      source.path,
      source.imports.filter((each) => !each.isPackage).map((each) =>
        each.target
      ),
    ]),
  );
  const found: string[] = [];
  const settled = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push([...trail.slice(start), path].join(" -> "));
      return;
    }
    if (settled.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    settled.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return found;
}

/** Files of lib that only pass others' names on, and a mod.ts that does more. */
export function barrels(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    if (source.path === "mod.ts" && source.definitions > 0) {
      return ["mod.ts: holds more than re-exports; move it into lib"];
    }
    const isBarrel = placeOf(source.path).isLib && source.reexports > 0 &&
      source.definitions === 0 && source.path !== "lib/api/types.ts";
    return isBarrel
      ? [`${source.path}: only re-exports; import the owners instead`]
      : [];
  });
}
