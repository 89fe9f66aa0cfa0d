/**
 * Logs that are followed while they are rotated, through the real API server:
 * every line comes once, whoever reads slowly.
 */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  kubectl,
  memberTest,
} from "./member_world.ts";

/** Each burst is more than a log may hold; a look comes every 3 s. */
const BURSTS = 24;
const BURST_LINES = 1_500;
/** Ends with a line: a log that is rotated after the last one is empty. */
const SCRIPT = `sleep 1; i=0; b=0; while [ $b -lt ${BURSTS} ]; do n=0; ` +
  `sleep 0.5; while [ $n -lt ${BURST_LINES} ]; do echo "line $i"; ` +
  "i=$((i+1)); n=$((n+1)); done; b=$((b+1)); done";

async function followed(pauseMs: number): Promise<string> {
  const child = new Deno.Command("timeout", {
    args: ["-s", "KILL", "60", "kubectl", "logs", "-f", "talks"],
    env: { KUBECONFIG: cluster.adminKubeconfig },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  const said = await new Response(child.stdout).text();
  await child.status;
  return said;
}

async function withConfig(lines: string): Promise<void> {
  const folder = `${world.root}/etc/logs.d`;
  await Deno.mkdir(folder, { recursive: true });
  const head = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
    "kind: KubeletConfiguration\n";
  await Deno.writeTextFile(`${folder}/50-logs.conf`, head + lines);
  await stopAgent(world);
  await startMember(world, [`--config-dir=${folder}`]);
}

memberTest("kubectl logs -f loses no line of a log that rotates", async () => {
  await withConfig(
    "containerLogMaxSize: 64Ki\ncontainerLogMonitorInterval: 3s\n",
  );
  await apply(aPod("talks", {
    restartPolicy: "Never",
    containers: [aContainer(SCRIPT)],
  }));
  await inPhase("talks", "Running");
  const texts = await Promise.all([followed(0), followed(10_000)]);
  const pod = await inPhase("talks", "Succeeded");
  const expected = Array.from(
    { length: BURSTS * BURST_LINES },
    (_, at) => `line ${at}\n`,
  );
  for (const text of texts) {
    // Not by `equal`: nobody wants to read that difference.
    const lines = text.split(/(?<=\n)/);
    const wrong = expected.findIndex((line, at) => lines[at] !== line);
    assert.equal(wrong, -1, `instead of ${expected[wrong]} ${lines[wrong]}`);
    assert.equal(lines.length, expected.length);
  }
  const uid = pod.metadata?.uid;
  const logs = `${world.root}/var/log/pods/default_talks_${uid}/app`;
  const rotated = [...Deno.readDirSync(logs)]
    .filter(({ name }) => /^0\.log\.\d{8}-\d{6}/.test(name));
  assert.ok(rotated.length >= 3, `${rotated.length} rotations`);
  const tail = await kubectl("logs", "talks", "--tail=2", "--timestamps");
  const last = expected.length - 1;
  assert.match(
    tail,
    new RegExp(`^\\S+Z line ${last - 1}\\n\\S+Z line ${last}\\n$`),
  );
});
