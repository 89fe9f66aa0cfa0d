/** Logs of the machine's services by their names, through the API server. */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { until, world } from "./agent_world.ts";
import { kubectl, memberTest } from "./member_world.ts";

const PROGRAM = "/usr/bin/journalctl";

async function withQueries(programs: readonly string[]): Promise<void> {
  const folder = `${world.root}/etc/query.d`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/50-query.conf`,
    "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
      "kind: KubeletConfiguration\nenableSystemLogQuery: true\n",
  );
  await stopAgent(world);
  await startMember(world, [`--config-dir=${folder}`], programs);
}

const path = (rest: string) => `/api/v1/nodes/${world.name}/proxy/logs/${rest}`;
const ask = (rest: string) => kubectl("get", "--raw", path(rest));

memberTest("logs of services are found by their names", async () => {
  const isThere = await Deno.stat(PROGRAM).then(() => true, () => false);
  if (!isThere) return console.warn(`SKIP: ${PROGRAM} is not here`);
  await Deno.mkdir(`${world.root}/var/log`, { recursive: true });
  await Deno.writeTextFile(`${world.root}/var/log/sample.log`, "of a file\n");
  await withQueries([PROGRAM]);
  await until(
    "a serving certificate",
    () => ask("sample.log").then(() => true, () => false),
  );
  assert.equal(await ask("?query=sample"), "of a file\n");
  assert.equal(await ask("?query=/sample.log"), "of a file\n");
  assert.match(await ask("?query=sample&boot=0"), /try without specifying/);
  assert.match(await ask("?query=no-such"), /log not found for no-such/);
  await assert.rejects(ask("?query=-x%20y"), /unsupported characters/);
  await assert.rejects(ask("?boot=2"), /must be less than 1/);
  await withQueries([]);
  await assert.rejects(ask("?query=sample"), /--allow-run=journalctl/);
  assert.equal(await ask("sample.log"), "of a file\n");
});
