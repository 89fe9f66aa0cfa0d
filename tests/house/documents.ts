/**
 * What the repository shows: its top level, its documents, its tasks. Pure:
 * names and texts in, complaints out.
 */
import { FENCES } from "./rules/fences.ts";

/** One file of the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

const ROOMS = ["lib", "proto", "deploy", "tests", ".github", ".ci"];

const FILES = [
  "deno.json",
  "main.ts",
  "mod.ts",
  "README.md",
  "LICENSE",
  "deno.lock",
  ".gitignore",
];

const DOCUMENTS = [
  ".github/ARCHITECTURE.md",
  ".github/CONTRIBUTING.md",
  ".github/SECURITY.md",
  ".github/CHANGELOG.md",
];

/** What stands at the top and should not, and what should and does not. */
export function brokenTopLevel(paths: readonly string[]): string[] {
  const tops = new Set(paths.map((path) => path.split("/")[0] ?? path));
  const extra = [...tops].filter((top) =>
    !ROOMS.includes(top) && !FILES.includes(top)
  );
  const missing = [
    ...[...ROOMS, ...FILES].filter((wanted) => !tops.has(wanted)),
    ...DOCUMENTS.filter((wanted) => !paths.includes(wanted)),
  ];
  return [
    ...extra.map((top) => `${top}: the top level is fixed; find its room`),
    ...missing.map((wanted) => `${wanted}: missing`),
  ];
}

/** Code files whose name is not snake_case. */
export function oddNames(paths: readonly string[]): string[] {
  return paths.filter((path) =>
    path.endsWith(".ts") && !/^([a-z0-9_]+\/)*[a-z0-9_]+\.ts$/.test(path)
  ).map((path) => `${path}: names of files and folders are snake_case`);
}

// Written so that this file does not find itself.
const MACHINE_PATH = /(?<![\w.$}*-])\/(?:wor[k]\/|roo[t]\/|home\/[a-z][\w-]*)/g;

const REGISTRY = new RegExp(
  "(?<![\\w.-])(" + [
    "registry[.]npmjs[.]org",
    "registry[.]yarnpkg[.]com",
    "npm[.]jsr[.]io",
    "proxy[.]golang[.]org",
    "sum[.]golang[.]org",
    "(deb|security)[.]debian[.]org",
    "(archive|security)[.]ubuntu[.]com",
    "pypi[.]org",
    "files[.]pythonhosted[.]org",
    "(static|index)[.]crates[.]io",
  ].join("|") + ")",
  "g",
);

/** Traces of one machine or its mirrors in files that everybody gets. */
export function machineTraces(pages: readonly Page[]): string[] {
  return pages.filter((page) => page.path !== "deno.lock").flatMap((page) => [
    ...found(page, MACHINE_PATH, "a path of somebody's machine"),
    ...found(page, REGISTRY, "a registry no user needs to know"),
  ]);
}

function found(page: Page, pattern: RegExp, what: string): string[] {
  return [...page.text.matchAll(pattern)].map((match) => {
    const line = page.text.slice(0, match.index).split("\n").length;
    return `${page.path}:${line}: ${match[0]} is ${what}`;
  });
}

const LINK = /\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;

const REFERENCE = /^\s{0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?/gm;

/** Relative links of Markdown pages that lead nowhere. */
export function brokenLinks(
  pages: readonly Page[],
  paths: readonly string[],
): string[] {
  const known = new Set(paths);
  for (const path of paths) {
    const parts = path.split("/");
    while (parts.pop() !== undefined && parts.length) {
      known.add(parts.join("/"));
    }
  }
  return pages.filter((page) => page.path.endsWith(".md")).flatMap((page) =>
    linksOf(page.text).filter((link) => {
      if (/^([a-z][a-z0-9+.-]*:|#|\/\/)/i.test(link)) return false;
      const url = new URL(link, `file:///${page.path}`);
      const target = decodeURIComponent(url.pathname).slice(1);
      return !known.has(target.replace(/\/$/, "")) && target !== "";
    }).map((link) => `${page.path}: the link ${link} leads nowhere`)
  );
}

function linksOf(text: string): string[] {
  const prose = text.replace(/^ *(```|~~~)[\s\S]*?^ *\1/gm, "")
    .replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(LINK), ...prose.matchAll(REFERENCE)]
    .flatMap((match) => match[1] ?? []);
}

const ARCHITECTURE_LINES = 250;

/** ARCHITECTURE.md is read in one go, or not at all. */
export function longArchitecture(pages: readonly Page[]): string[] {
  const path = ".github/ARCHITECTURE.md";
  const page = pages.find((each) => each.path === path);
  if (page === undefined) return [`${path}: missing`];
  const lines = page.text.trimEnd().split("\n").length;
  return lines > ARCHITECTURE_LINES
    ? [`${path}: ${lines} lines, at most ${ARCHITECTURE_LINES}`]
    : [];
}

/** Rooms of `lib` that the table of ARCHITECTURE.md lacks or invents. */
export function brokenRooms(
  pages: readonly Page[],
  paths: readonly string[],
): string[] {
  const name = ".github/ARCHITECTURE.md";
  const text = pages.find(({ path }) => path === name)?.text ?? "";
  const told = new Set(
    [...text.matchAll(/^\| `lib\/(\w+)` +\|/gm)].map((match) => match[1]),
  );
  const there = new Set(
    paths.flatMap((path) => /^lib\/(\w+)\//.exec(path)?.[1] ?? []),
  );
  return [
    ...[...there].filter((room) => !told.has(room))
      .map((room) => `${name}: lib/${room} has no row among the rooms`),
    ...[...told].filter((room) => room !== undefined && !there.has(room))
      .map((room) => `${name}: there is no lib/${room}`),
  ];
}

/** Writers that the documents name and that are not there. */
export function lostWriters(
  pages: readonly Page[],
  paths: readonly string[],
): string[] {
  const name = ".github/ARCHITECTURE.md";
  const text = pages.find(({ path }) => path === name)?.text ?? "";
  const known = new Set(paths);
  return [...text.matchAll(/`((?:lib\/)?\w+\/[\w/]+\.ts)`/g)]
    .flatMap((match) => match[1] ?? [])
    .filter((path) => !known.has(path) && !known.has(`lib/${path}`))
    .map((path) => `${name}: there is no ${path}`);
}

const DECISION_PARTS = ["Situation", "Choice", "Price", "When to look again"];

/** Decision records of another form, and numbers used twice. */
export function brokenDecisions(pages: readonly Page[]): string[] {
  const room = ".github/decisions/";
  const records = pages.filter((page) => page.path.startsWith(room));
  const numbers = records.map((page) =>
    page.path.slice(room.length).slice(0, 4)
  );
  return records.flatMap((page, index) => {
    const name = page.path.slice(room.length);
    const headings = [...page.text.matchAll(/^##+ +(.+?) *$/gm)]
      .map((match) => match[1]);
    const missing = DECISION_PARTS.filter((part) => !headings.includes(part));
    return [
      ...(/^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$/.test(name)
        ? []
        : [`${page.path}: the name must be NNNN-title.md`]),
      ...missing.map((part) => `${page.path}: lacks "## ${part}"`),
      ...(numbers.indexOf(numbers[index] ?? "") < index
        ? [`${page.path}: the number is taken`]
        : []),
    ];
  });
}

const TASKS = ["ok", "compile"];

/** Tasks nobody can find out about, and dependencies that may drift. */
export function brokenManifest(text: string): string[] {
  const manifest: unknown = JSON.parse(text);
  const tasks = entriesOf(manifest, "tasks");
  const imports = entriesOf(manifest, "imports");
  const names = tasks.map(([name]) => name);
  return [
    ...TASKS.filter((name) => !names.includes(name))
      .map((name) => `deno.json: the task ${name} is missing`),
    ...tasks.filter(([, task]) => !hasDescription(task))
      .map(([name]) => `deno.json: the task ${name} lacks a description`),
    ...imports.filter(([, to]) =>
      typeof to !== "string" || !/^npm:@?[^@]+@\d+\.\d+\.\d+$/.test(to)
    ).map(([name]) => `deno.json: ${name} is not pinned to one npm version`),
    ...imports.filter(([name]) => !(name in FENCES))
      .map(([name]) => `deno.json: ${name} has no fence in rules/fences.ts`),
  ];
}

function entriesOf(value: unknown, key: string): [string, unknown][] {
  const part = fieldOf(value, key);
  return typeof part === "object" && part !== null ? Object.entries(part) : [];
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function hasDescription(task: unknown): boolean {
  const text = fieldOf(task, "description");
  return typeof text === "string" && text.length > 10;
}
