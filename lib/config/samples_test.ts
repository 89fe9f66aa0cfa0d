/** Every configuration that is shipped is taken as it is. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseCommandLine } from "./command_line.ts";
import { loadConfig } from "./load.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);

function warningsOf(path: string, text: string, words: readonly string[]) {
  const command = parseCommandLine(words);
  assert.ok(command.kind === "agent");
  const { flags } = command;
  const configFile = { path, text };
  const loaded = loadConfig({ flags, configFile, hostname: "node-1" });
  if (loaded.kind === "invalid") throw new Error(loaded.message);
  return loaded.warnings;
}

Deno.test("loadConfig() takes every shipped sample without a warning", async () => {
  for (const name of ["cluster", "hardened", "standalone"]) {
    const path = new URL(`samples/${name}.yaml`, DEPLOY).pathname;
    const words = name === "standalone"
      ? []
      : ["--kubeconfig=/etc/kubernetes/kubelet.conf", "--strict-flags"];
    const text = await Deno.readTextFile(path);
    assert.deepEqual(warningsOf(path, text, words), [], name);
  }
});

Deno.test("loadConfig() takes what user-data writes, closed to others", async () => {
  const path = new URL("cloud-init/user-data.yaml", DEPLOY).pathname;
  // A plain value, where a machine gets a URL.
  const text = (await Deno.readTextFile(path)).replaceAll(/\{\{\w+\}\}/g, "x");
  const { write_files: files } = parse(text);
  const find = (name: string) =>
    files.find(({ path }: { path: string }) => path === name);
  const config = find("/var/lib/kubelet/config.yaml");
  const words = ["--kubeconfig=/var/lib/kubelet/kubeconfig"];
  assert.deepEqual(warningsOf(config.path, config.content, words), []);
  assert.equal(config.permissions, "0600");
  const secret = find("/etc/kubernetes/bootstrap-kubelet.conf");
  assert.equal(secret.permissions, "0600");
});
