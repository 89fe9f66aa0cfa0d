import assert from "node:assert/strict";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeMounts } from "../../tests/fakes/fake_mounts.ts";
import { silentLogger } from "../base/log.ts";
import { prepareSubPaths } from "./sub_paths.ts";

const TARGET = "/pods/u/volume-subpaths/v/web/0";

async function world() {
  const files = new FakeFiles();
  await files.makeDirectory("/pods/u/volumes/v", 0o777);
  const mounts = new FakeMounts(files, "/pods");
  const prepare = (path: string) =>
    prepareSubPaths({ mounts, log: silentLogger }, "web", [{
      volumeName: "data",
      volume: "/pods/u/volumes/v",
      path,
      target: TARGET,
    }]);
  return { files, mounts, prepare };
}

Deno.test("prepareSubPaths() makes what is missing and binds it, also again", async () => {
  const { files, mounts, prepare } = await world();
  await prepare("a/b");
  assert.equal((await files.stat("/pods/u/volumes/v/a/b"))?.mode, 0o777);
  assert.equal(mounts.bound.get(TARGET), "/pods/u/volumes/v/a/b");
  await prepare("a/b");
  await prepare("a");
  assert.equal(mounts.bound.get(TARGET), "/pods/u/volumes/v/a");
});

Deno.test("prepareSubPaths() fails in upstream's words, which tell nothing of the host", async () => {
  const { files, mounts, prepare } = await world();
  await files.makeDirectory("/etc/inner", 0o755);
  await files.link("/pods/u/volumes/v/out", "/etc");
  const end = 'for volumeMount "data" of container "web"';
  await assert.rejects(prepare("out/inner"), {
    message: `failed to prepare subPath ${end}`,
    reason: "CreateContainerConfigError",
    next: "retry",
    cause: undefined,
  });
  await assert.rejects(prepare("out/new"), {
    message: `failed to create subPath directory ${end}`,
  });
  assert.deepEqual([...mounts.bound], []);
  assert.equal(await files.stat("/etc/new"), undefined);
});
