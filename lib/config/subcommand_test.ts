import assert from "node:assert/strict";
import { parseCommandLine } from "./command_line.ts";

const LOGS = {
  kind: "logs",
  container: undefined,
  isFollowing: false,
  tailLines: undefined,
  isPrevious: false,
  hostRoot: "/",
} as const;

const GOOD: readonly (readonly [string, unknown])[] = [
  ["pods", {
    kind: "pods",
    output: "table",
    namespace: undefined,
    hostRoot: "/",
  }],
  ["pods -o json -n a --host-root /host", {
    kind: "pods",
    output: "json",
    namespace: "a",
    hostRoot: "/host",
  }],
  ["logs web", { ...LOGS, pod: { namespace: undefined, name: "web" } }],
  ["logs a/web -c app -f --tail 5 --previous", {
    ...LOGS,
    pod: { namespace: "a", name: "web" },
    container: "app",
    isFollowing: true,
    tailLines: 5,
    isPrevious: true,
  }],
  ["logs -n a web --tail=-1", {
    ...LOGS,
    pod: { namespace: "a", name: "web" },
  }],
  ["logs -n a a/web", { ...LOGS, pod: { namespace: "a", name: "web" } }],
  ["explain web", {
    kind: "explain",
    pod: { namespace: undefined, name: "web" },
    hostRoot: "/",
  }],
  ["explain -h", { kind: "help" }],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["pods web", /Unexpected argument web/],
  ["pods -o yaml", /-o: value yaml is not allowed: json, table/],
  ["pods -o", /-o: needs a value/],
  ["pods -c app", /Unknown option -c of pods/],
  ["pods --port=1", /Unknown option --port=1 of pods/],
  ["logs", /name one pod/],
  ["logs a b", /name one pod/],
  ["logs a/b/c", /name one pod/],
  ["logs ../x", /name one pod/],
  ["logs -n b a/web", /at most one -n/],
  ["logs web --tail x", /--tail: value x/],
  ["explain web --host-root host", /--host-root/],
];

Deno.test("parseSubcommand() reads the sub-commands", () => {
  for (const [line, expected] of GOOD) {
    assert.deepEqual(parseCommandLine(line.split(" ")), expected, line);
  }
});

Deno.test("parseSubcommand() refuses in one line", () => {
  for (const [line, expected] of BAD) {
    const command = parseCommandLine(line.split(" "));
    assert.ok(command.kind === "invalid", line);
    assert.match(command.message, expected);
  }
});
