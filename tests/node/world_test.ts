/**
 * The scratch world itself: what is derived from its name, and that taking one
 * down picks only what is its own. Needs no containerd.
 */
import assert from "node:assert/strict";
import { agentConfig } from "../../deploy/world/agent.ts";
import { cniConfig, containerdConfig } from "../../deploy/world/config.ts";
import { worldFacts } from "../../deploy/world/facts.ts";
import { unwantedRules } from "../../deploy/world/teardown.ts";

const NAMES = ["quickstart", "test", "dev", "bench", "cri", "node"];

Deno.test("worldFacts() gives each usual world its own addresses", () => {
  const worlds = NAMES.map(worldFacts);
  for (const key of ["bridge", "subnet", "socket", "healthzPort"] as const) {
    assert.equal(new Set(worlds.map((world) => world[key])).size, NAMES.length);
  }
  for (const { bridge } of worlds) assert.ok(bridge.length <= 15);
});

Deno.test("worldFacts() refuses a name that would leave its folder", () => {
  for (const name of ["", "..", "a/b", "A", "-a", "a b", "x".repeat(32)]) {
    assert.throws(() => worldFacts(name), /Cannot name a world/);
  }
});

Deno.test("containerdConfig() and cniConfig() stay below the root", () => {
  const world = worldFacts("test");
  for (const majorVersion of [1, 2]) {
    const text = containerdConfig(world, {
      majorVersion,
      snapshotter: "overlayfs",
      cniFolders: ["/usr/lib/cni"],
      userNamespaceRunc: undefined,
    });
    const outside = [...text.matchAll(/"(\/[^"]*)"/g)]
      .map(([, path]) => path ?? "")
      .filter((path) => !path.startsWith(`${world.root}/`));
    assert.deepEqual(outside, ["/usr/lib/cni"]);
  }
  const network = JSON.parse(cniConfig(world));
  assert.equal(network.plugins[0].ipam.dataDir, `${world.root}/lib/cni`);
});

Deno.test("agentConfig() leaves nothing of the quickstart's", async () => {
  const sample = await Deno.readTextFile(
    new URL("../../deploy/samples/config.yaml", import.meta.url),
  );
  const text = agentConfig(sample, worldFacts("test"))
    .split("\n").filter((line) => !line.startsWith("#")).join("\n");
  assert.doesNotMatch(text, /quickstart/);
  assert.match(text, /staticPodPath: \/var\/tmp\/denolet\/test\/etc\//);
});

const SAVED = `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.1.0.2/32 -m comment --comment "name: \\"denolet-a\\" id: \\"1\\"" -j CNI-aaa
-A POSTROUTING -s 10.2.0.2/32 -m comment --comment "name: \\"denolet-ab\\" id: \\"2\\"" -j CNI-bbb
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"denolet-a\\" id: \\"1\\"" -j CNI-DN-ccc
-A CNI-aaa -d 10.1.0.0/24 -m comment --comment "name: \\"denolet-a\\" id: \\"1\\"" -j ACCEPT
-A CNI-DN-ccc -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.2:80
COMMIT
`;

Deno.test("unwantedRules() drops one network's rules and chains only", () => {
  assert.deepEqual(unwantedRules(SAVED, "denolet-a")?.split("\n"), [
    "*nat",
    "-F CNI-aaa",
    "-F CNI-DN-ccc",
    `-D POSTROUTING -s 10.1.0.2/32 -m comment --comment "name: \\"denolet-a\\" id: \\"1\\"" -j CNI-aaa`,
    `-D CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"denolet-a\\" id: \\"1\\"" -j CNI-DN-ccc`,
    "-X CNI-aaa",
    "-X CNI-DN-ccc",
    "COMMIT",
    "",
  ]);
  assert.equal(unwantedRules(SAVED, "denolet-none"), undefined);
});
