/** What the repository shows, checked; and proof that breaking shows. */
import assert from "node:assert/strict";
import {
  brokenDecisions,
  brokenLinks,
  brokenManifest,
  brokenRooms,
  brokenTopLevel,
  longArchitecture,
  lostWriters,
  machineTraces,
  oddNames,
  type Page,
} from "./documents.ts";
import { ROOT } from "./source.ts";

const paths = listed();
const pages = paths.map(readPage).filter((page) => !page.text.includes("\0"));

/** Files git knows or would take; all of them where there is no git. */
function listed(): string[] {
  if (!exists(".git")) return everyFile("");
  const { code, stdout, stderr } = new Deno.Command("git", {
    args: [
      // The checkout may belong to another user: the tests may run as root.
      "-c",
      `safe.directory=${ROOT.replace(/\/$/, "")}`,
      "ls-files",
      "-z",
      "--cached",
      "--others",
      "--exclude-standard",
    ],
    cwd: ROOT,
  }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const names = new Set(new TextDecoder().decode(stdout).split("\0"));
  return [...names].filter((name) => name !== "" && exists(name));
}

const IGNORED = ["node_modules", "dist", "coverage"];

/** Every file of an unpacked archive. */
function everyFile(folder: string): string[] {
  const entries = [...Deno.readDirSync(`${ROOT}${folder}`)];
  return entries.flatMap(({ name, isDirectory, isFile }) => {
    if (isFile) return [`${folder}${name}`];
    const isOurs = isDirectory && !IGNORED.includes(name);
    return isOurs ? everyFile(`${folder}${name}/`) : [];
  });
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(`${ROOT}${path}`) !== null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function readPage(path: string): Page {
  return { path, text: Deno.readTextFileSync(`${ROOT}${path}`) };
}

Deno.test("the top level is what the design says", () => {
  assert.deepEqual(brokenTopLevel(paths), []);
});

Deno.test("code files have snake_case names", () => {
  assert.deepEqual(oddNames(paths), []);
});

Deno.test("no file names a machine's paths or a registry", () => {
  assert.deepEqual(machineTraces(pages), []);
});

Deno.test("relative links lead somewhere", () => {
  assert.deepEqual(brokenLinks(pages, paths), []);
});

Deno.test("ARCHITECTURE.md can be read in one go", () => {
  assert.deepEqual(longArchitecture(pages), []);
});

Deno.test("ARCHITECTURE.md names every room of lib, and files that exist", () => {
  assert.deepEqual(brokenRooms(pages, paths), []);
  assert.deepEqual(lostWriters(pages, paths), []);
});

Deno.test("decision records have the same form", () => {
  assert.deepEqual(brokenDecisions(pages), []);
});

Deno.test("deno.json explains its tasks and pins its packages", () => {
  const manifest = pages.find((page) => page.path === "deno.json");
  assert.deepEqual(brokenManifest(manifest?.text ?? "{}"), []);
});

Deno.test("brokenTopLevel() finds what is extra and what is missing", () => {
  const found = brokenTopLevel(["lib/x.ts", "src/x.ts", "Makefile"]);
  assert.ok(found.some((line) => line.startsWith("src: the top level")));
  assert.ok(found.some((line) => line.startsWith("Makefile: the top level")));
  assert.ok(found.includes("README.md: missing"));
  assert.ok(found.includes(".github/ARCHITECTURE.md: missing"));
  assert.ok(!found.some((line) => line.startsWith("lib:")));
});

Deno.test("oddNames() finds dashes and capitals", () => {
  const good = ["lib/pod/container_spec.ts", "README.md", ".ci/run"];
  assert.deepEqual(oddNames(good), []);
  assert.equal(
    oddNames(["lib/pod/containerSpec.ts", "lib/a-b/c.ts"]).length,
    2,
  );
});

Deno.test("machineTraces() finds paths and hosts, and leaves users' alone", () => {
  const trace = (text: string, path = "lib/x.ts") =>
    machineTraces([{ path, text }]);
  for (
    const bad of [
      ["", "work", "main"],
      ["cd ", "root", ".cache"],
      ['"', "home", "alice"],
    ].map((parts) => parts.join("/"))
  ) assert.equal(trace(bad).length, 1, bad);
  for (
    const host of ["registry.npmjs", "proxy.golang", "deb.debian"].map((name) =>
      `https://${name}.org/x`
    )
  ) {
    assert.equal(trace(host).length, 1, host);
    assert.equal(trace(host, "deno.lock").length, 0);
  }
  const fine =
    "registry.k8s.io/pause:3.10 docker.io docs/work/x /home/<user> " +
    "/workspace lib/root/x /rootfs ${dir}/root/x";
  assert.deepEqual(trace(fine), []);
  assert.match(trace(`\n\n${["", "work", ""].join("/")}`)[0] ?? "", /x\.ts:3:/);
});

Deno.test("brokenLinks() follows links from where the page stands", () => {
  const links = (path: string, text: string) =>
    brokenLinks([{ path, text }], ["lib/pod/decide.ts", "README.md"]);
  assert.equal(links("README.md", "[x](lib/pod/gone.ts)").length, 1);
  assert.equal(links(".github/A.md", "[x](lib/pod/decide.ts)").length, 1);
  assert.equal(links("README.md", "[x]: lib/gone.ts").length, 1);
  const good = "[a](../lib/pod/decide.ts#L3) [b](../lib/pod/) [c](#here) " +
    "[d](https://example.org/x) `[e](gone.ts)` [f](../README.md)\n" +
    "```md\n[g](gone.ts)\n```\n";
  assert.deepEqual(links(".github/A.md", good), []);
});

Deno.test("longArchitecture() wants the page, and wants it short", () => {
  const page = (lines: number) => [
    { path: ".github/ARCHITECTURE.md", text: "x\n".repeat(lines) },
  ];
  assert.equal(longArchitecture([]).length, 1);
  assert.equal(longArchitecture(page(251)).length, 1);
  assert.equal(longArchitecture(page(250)).length, 0);
});

Deno.test("brokenRooms() wants a row for each room and no other", () => {
  const rooms = (text: string) =>
    brokenRooms(
      [{ path: ".github/ARCHITECTURE.md", text }],
      ["lib/pod/decide.ts", "lib/agent.ts"],
    );
  assert.deepEqual(rooms("| `lib/pod`      | core |\n| `lib/agent*` |"), []);
  assert.equal(rooms("| `deploy` | x |\nlib/pod is the core").length, 1);
  assert.equal(rooms("| `lib/pod` | x |\n| `lib/gone` | y |\n").length, 1);
});

Deno.test("lostWriters() finds files that moved away", () => {
  const lost = (text: string) =>
    lostWriters(
      [{ path: ".github/ARCHITECTURE.md", text }],
      ["lib/pod/decide.ts"],
    );
  assert.deepEqual(lost("`lib/pod/decide.ts`, `pod/decide.ts`, `x.ts`"), []);
  assert.equal(lost("`pod/gone.ts`").length, 1);
});

Deno.test("brokenDecisions() wants the form and its own number", () => {
  const text = "# 1\n\n## Situation\n\n## Choice\n\n## Price\n\n" +
    "## When to look again\n";
  const record = (name: string, body = text) => ({
    path: `.github/decisions/${name}`,
    text: body,
  });
  assert.deepEqual(brokenDecisions([record("0001-yaml.md")]), []);
  assert.equal(brokenDecisions([record("1-yaml.md")]).length, 1);
  assert.equal(
    brokenDecisions([record("0001-yaml.md", "## Choice")]).length,
    3,
  );
  assert.equal(
    brokenDecisions([record("0001-a.md"), record("0001-b.md")]).length,
    1,
  );
});

Deno.test("brokenManifest() wants described tasks and pinned packages", () => {
  const task = { command: "x", description: "Does all there is to do" };
  const tasks = { ok: task, compile: task };
  const broken = (manifest: unknown) =>
    brokenManifest(JSON.stringify(manifest)).length;
  assert.equal(broken({ tasks, imports: { yaml: "npm:yaml@2.9.1" } }), 0);
  assert.equal(broken({}), 2);
  assert.equal(broken({ tasks: { ...tasks, dev: "x" } }), 1);
  assert.equal(broken({ tasks: { ...tasks, dev: { command: "x" } } }), 1);
  assert.equal(broken({ tasks, imports: { yaml: "npm:yaml@^2.9.1" } }), 1);
  assert.equal(broken({ tasks, imports: { yaml: "jsr:@std/yaml@1.0.0" } }), 1);
  assert.equal(broken({ tasks, imports: { left: "npm:left@1.0.0" } }), 1);
});
