/**
 * The process that approves serving certificates for as long as there is a
 * cluster: clusterUp() starts it when asked to.
 *
 *   deno run -A deploy/cluster/approver.ts NAME --cluster=FOLDER
 */
import { readIfThere } from "../world/command.ts";
import { worldFacts } from "../world/facts.ts";
import { answerRequests, SERVING_SIGNER } from "./approve.ts";
import { clusterFacts } from "./facts.ts";
import { pause } from "./request.ts";

const cluster = clusterFacts(worldFacts(Deno.args[0] ?? ""));
while (await readIfThere(cluster.adminKubeconfig) !== undefined) {
  try {
    for (const name of await answerRequests(cluster, SERVING_SIGNER)) {
      console.log(`approved ${name}`);
    }
  } catch (error) {
    // The API server may be stopped on purpose.
    console.error(String(error));
  }
  for (let pauses = 0; pauses < 10; pauses++) await pause();
}
