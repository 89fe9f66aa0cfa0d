import assert from "node:assert/strict";
import { queryOf } from "./fixture_test.ts";
import { askedLogs } from "./log_query.ts";

function asked(search: string, path = "") {
  return askedLogs(queryOf(search), path);
}

Deno.test("askedLogs() knows services with options, one file, or nothing", () => {
  assert.deepEqual(asked(""), { kind: "nothing" });
  assert.deepEqual(asked("other=1", "pods/x.log"), { kind: "nothing" });
  assert.deepEqual(asked("query=/dpkg.log"), {
    kind: "file",
    path: "/dpkg.log",
  });
  assert.deepEqual(asked("query=a\\b.log"), { kind: "file", path: "a/b.log" });
  const plain = asked("query=kubelet&query=containerd");
  assert.ok(plain.kind === "services");
  assert.deepEqual(plain.services, ["kubelet", "containerd"]);
  assert.equal(plain.hasOptions, false);
  const whole = asked(
    "query=kubelet&sinceTime=2026-11-27T02:00:00%2B01:00" +
      "&untilTime=2026-11-27T02:00:00Z&tailLines=10&boot=-1&pattern=(?i)err",
  );
  assert.ok(whole.kind === "services");
  assert.equal(whole.hasOptions, true);
  assert.deepEqual(whole.query, {
    sinceMs: Date.UTC(2026, 10, 27, 1),
    untilMs: Date.UTC(2026, 10, 27, 2),
    boot: -1,
    lines: 10,
    pattern: "(?i)err",
  });
});

Deno.test("askedLogs() refuses what the kubelet refuses, as it does", () => {
  const long = "a".repeat(257);
  const cases: readonly [string, number, string][] = [
    ["query=", 400, 'query: Invalid value: [""]: may not be empty'],
    [
      "query=a&sinceTime=yesterday",
      400,
      'sinceTime: Invalid value: "yesterday": invalid time format',
    ],
    [
      "query=a&sinceTime=2026-13-40T00:00:00Z&boot=one",
      400,
      '[sinceTime: Invalid value: "2026-13-40T00:00:00Z": invalid time ' +
      'format, boot: Invalid value: "one": strconv.Atoi: parsing "one": ' +
      "invalid syntax]",
    ],
    ["boot=0", 406, "query: Required value: cannot be empty with options"],
    ["query=a&boot=1", 406, "boot: Invalid value: 1: must be less than 1"],
    [
      "query=a&tailLines=100001",
      406,
      "tailLines: Invalid value: 100001: must be between 0 and 100000, " +
      "inclusive",
    ],
    [
      "query=--file=x",
      406,
      'query: Invalid value: "--file=x": input contains unsupported characters',
    ],
    [
      `query=${long}`,
      406,
      `query: Invalid value: "${long}": length must be less than 256`,
    ],
    [
      "query=a&query=b&query=c&query=d&query=e",
      406,
      "query: Too many: 5: must have at most 4 items",
    ],
    [
      "query=a&query=/b",
      406,
      'query: Invalid value: "[/b], [a]": cannot specify a file and service',
    ],
    [
      "query=/a&query=/b",
      406,
      'query: Invalid value: ["/a","/b"]: cannot specify more than one file',
    ],
    [
      "query=/a&tailLines=3",
      406,
      'query: Invalid value: ["/a"]: cannot specify file with options',
    ],
    [
      "query=a&sinceTime=2026-11-27T02:00:00Z&untilTime=2026-11-27T01:00:00Z",
      406,
      "untilTime: Invalid value: 2026-11-27T01:00:00.000Z: must be after " +
      "`sinceTime`",
    ],
  ];
  for (const [search, status, message] of cases) {
    const found = asked(search);
    assert.deepEqual(
      found,
      { kind: "refused", status, message: `${message}\n` },
      search,
    );
  }
  assert.match(JSON.stringify(asked("query=a&pattern=(")), /"status":406/);
  assert.match(
    JSON.stringify(asked("query=a", "pods")),
    /406,"message":"path not allowed in query mode/,
  );
});
