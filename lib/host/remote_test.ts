import assert from "node:assert/strict";
import { MS_NOATIME, MS_RDONLY } from "./abi.ts";
import { splitOptions } from "./remote.ts";

Deno.test("splitOptions() tells the call's flags from the file system's words", () => {
  const table: [string[], boolean, number, string[], boolean][] = [
    [[], false, 0, [], false],
    [[], true, MS_RDONLY, [], false],
    [["noatime,soft", "rw"], false, MS_NOATIME, ["soft"], false],
    [["_netdev", "retry=2", "bg", "x-systemd.automount"], false, 0, [], false],
    [["vers=3"], false, 0, ["vers=3"], true],
    [["nfsvers=4.1"], false, 0, ["nfsvers=4.1"], true],
    [["v4"], false, 0, ["v4"], true],
  ];
  for (const [options, isReadOnly, flags, data, hasVersion] of table) {
    assert.deepEqual(splitOptions({ options, isReadOnly }), {
      flags,
      data,
      hasVersion,
    });
  }
});
