/**
 * The world's bridge, there before its first pod: the node's address is on it.
 * The CNI bridge plugin takes it over as it is.
 */
import { run } from "../world/command.ts";
import type { ClusterFacts } from "./facts.ts";

export async function makeBridge(cluster: ClusterFacts): Promise<void> {
  const { bridge } = cluster.world;
  const found = await run("ip", ["-o", "address", "show", "dev", bridge], {
    failure: "ignore",
  });
  if (found.includes(` ${cluster.nodeIp}/24 `)) return;
  if (found === "" && !await isThere(bridge)) {
    // With a MAC of its own: else it changes with the pods that come and go,
    // and so does the node's answer to "who has".
    const mac = `02:${bridge.slice(-8).match(/../g)?.join(":")}:01`;
    const of = ["name", bridge, "address", mac, "type", "bridge"];
    await run("ip", ["link", "add", ...of]);
  }
  await run("ip", ["address", "add", `${cluster.nodeIp}/24`, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
}

/** Unless pods are on it: then it is removed with the world. */
export async function removeBridge(cluster: ClusterFacts): Promise<void> {
  const { bridge } = cluster.world;
  if (!await isThere(bridge)) return;
  const pods = await run("ip", ["-o", "link", "show", "master", bridge]);
  if (pods === "") await run("ip", ["link", "delete", bridge]);
}

async function isThere(bridge: string): Promise<boolean> {
  const text = await run("ip", ["-o", "link", "show", "dev", bridge], {
    failure: "ignore",
  });
  return text !== "";
}
