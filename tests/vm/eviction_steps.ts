/** Memory gets short on cgroup v2: the pod that took it goes, no other one. */
import assert from "node:assert/strict";
import type { V1Pod } from "../../lib/api/types.ts";
import { aPod, create, isReady, podsOf, ready, removeAll } from "./pods.ts";
import type { Rig } from "./rig.ts";

const CONFIG = "/var/lib/kubelet/config.yaml";
/** Into memory, in blocks: a translated processor is slow with bytes. */
const HOG = "dd if=/dev/zero of=/memory/much bs=1M count=900; sleep 100000";

export async function memoryEviction(rig: Rig): Promise<string> {
  await rig.sh(
    `printf 'evictionHard:\\n  memory.available: 800Mi\\n' >>${CONFIG} && ` +
      "systemctl restart denolet",
  );
  const resources = { requests: { memory: "64Mi" } };
  await create(rig, [aPod("modest", { resources })]);
  await ready(rig, ["modest"]);
  const sinceMs = performance.now();
  await create(rig, [
    aPod("greedy", {
      command: ["sh", "-c", HOG],
      volumeMounts: [{ name: "memory", mountPath: "/memory" }],
    }, {
      restartPolicy: "Never",
      volumes: [{ name: "memory", emptyDir: { medium: "Memory" } }],
    }),
  ]);
  let greedy: V1Pod | undefined;
  await rig.until("the eviction of greedy", async () => {
    greedy = (await podsOf(rig)).find((pod) => nameOf(pod) === "greedy");
    return greedy?.status?.phase === "Failed";
  }, 120_000);
  const seconds = (performance.now() - sinceMs) / 1000;
  assert.equal(greedy?.status?.reason, "Evicted");
  assert.match(
    greedy.status.message ?? "",
    /^The node was low on resource: memory\. Threshold quantity: 800Mi/,
  );
  const modest = (await podsOf(rig)).find((pod) => nameOf(pod) === "modest");
  assert.ok(modest !== undefined && isReady(modest), "modest is not touched");
  assert.equal(await conditionOf(rig), "True");
  await removeAll(rig);
  await rig.sh(
    `sed -i '/^evictionHard:/,$d' ${CONFIG} && systemctl restart denolet`,
  );
  await rig.nodeReady();
  return `evicted ${seconds.toFixed(0)} s after it was made: ` +
    greedy.status.message?.replace(/^.*?\. /, "");
}

function nameOf({ metadata }: V1Pod): string {
  return metadata?.name ?? "";
}

async function conditionOf(rig: Rig): Promise<string> {
  return await rig.kubectl(
    ...["get", "node", rig.machine.name, "--output"],
    "jsonpath={.status.conditions[?(@.type=='MemoryPressure')].status}",
  );
}
