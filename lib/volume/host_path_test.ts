import assert from "node:assert/strict";
import { FakeHostPaths } from "../../tests/fakes/fake_mounts.ts";
import type { HostPathKind } from "../port/host.ts";
import { checkHostPath } from "./host_path.ts";

const THINGS: readonly (HostPathKind | undefined)[] = [
  "directory",
  "file",
  "socket",
  "char-device",
  "block-device",
  undefined,
];

/** What each type says to each thing, in that order; empty: it is right. */
const MATRIX: readonly [string, readonly string[]][] = [
  ["", ["", "", "", "", "", ""]],
  ["Directory", ["", ...Array(5).fill("directory")]],
  ["DirectoryOrCreate", ["", ...Array(4).fill("directory"), ""]],
  ["File", ["file", "", ...Array(4).fill("file")]],
  ["FileOrCreate", ["file", "", ...Array(3).fill("file"), ""]],
  [
    "Socket",
    [..."12"].map(() => "socket file").concat(
      "",
      "socket file",
      "socket file",
      "socket file",
    ),
  ],
  [
    "CharDevice",
    [..."123"].map(() => "character device").concat(
      "",
      "character device",
      "character device",
    ),
  ],
  [
    "BlockDevice",
    [..."1234"].map(() => "block device").concat("", "block device"),
  ],
];

Deno.test("S13 checkHostPath() judges 8 types by 6 things in upstream's words", async () => {
  for (const [type, row] of MATRIX) {
    for (const [index, kind] of THINGS.entries()) {
      const hostPaths = new FakeHostPaths();
      if (kind !== undefined) hostPaths.kinds.set("/x", kind);
      const wanted = row[index] ?? "";
      const checked = checkHostPath(hostPaths, { path: "/x", type });
      if (wanted === "") await checked;
      else {
        await assert.rejects(checked, {
          message: `hostPath type check failed: /x is not a ${wanted}`,
        }, `${type} of ${kind}`);
      }
      const made = hostPaths.kinds.get("/x");
      const isMade = kind === undefined && type.endsWith("OrCreate");
      assert.equal(made !== undefined, kind !== undefined || isMade);
    }
  }
});

Deno.test("checkHostPath() refuses ways up and unknown types", async () => {
  const hostPaths = new FakeHostPaths();
  await assert.rejects(
    checkHostPath(hostPaths, { path: "/a/../b", type: "" }),
    {
      message: "invalid HostPath `/a/../b`: must not contain '..'",
    },
  );
  await assert.rejects(checkHostPath(hostPaths, { path: "/a", type: "Pipe" }), {
    message: "Pipe is an invalid volume type",
  });
});
