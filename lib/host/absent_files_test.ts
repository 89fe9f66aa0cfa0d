import assert from "node:assert/strict";
import { AbsentFiles } from "./absent_files.ts";

function aFolder(files: Record<string, string>) {
  const asked: string[] = [];
  const there = new Map(Object.entries(files));
  const read = (name: string) => {
    asked.push(name);
    return there.get(name);
  };
  return { asked, there, read };
}

Deno.test("AbsentFiles asks once for a file that is not there", () => {
  const absent = new AbsentFiles(() => 0);
  const { asked, read } = aFolder({ a: "1" });
  const look = () =>
    absent.reading("kind", read, (of) => {
      of("b");
      return of("a");
    });
  assert.equal(look(), "1");
  assert.equal(look(), "1");
  assert.deepEqual(asked, ["b", "a", "a"]);
});

Deno.test("AbsentFiles learns nothing from a cgroup that is gone", () => {
  const absent = new AbsentFiles(() => 0);
  const { there, read } = aFolder({});
  const look = () => absent.reading("kind", read, (of) => of("a"));
  assert.equal(look(), undefined);
  there.set("a", "1");
  assert.equal(look(), "1");
});

Deno.test("AbsentFiles keeps kinds apart, and forgets after a minute", () => {
  let nowMs = 0;
  const absent = new AbsentFiles(() => nowMs);
  const { there, read } = aFolder({ a: "1" });
  const look = (kind: string) =>
    absent.reading(kind, read, (of) => [of("a"), of("b")]);
  assert.deepEqual(look("one"), ["1", undefined]);
  there.set("b", "2");
  assert.deepEqual(look("other"), ["1", "2"]);
  assert.deepEqual(look("one"), ["1", undefined]);
  nowMs = 60_001;
  assert.deepEqual(look("one"), ["1", "2"]);
});
