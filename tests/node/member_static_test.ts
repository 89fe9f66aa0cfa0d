/** Static pods of a member show at the API server as mirror pods. */
import assert from "node:assert/strict";
import { put, take, until, world } from "./agent_world.ts";
import { aPod as aManifest } from "./agent_world.ts";
import { isReady, kubectl, memberTest, pod } from "./member_world.ts";

const NAME = `shown-${world.name}`;

memberTest("a static pod has a mirror, which is made again", async () => {
  await put(aManifest("shown"));
  await until("a Ready mirror", async () => {
    const found = await pod(NAME);
    return found !== undefined && isReady(found);
  });
  const first = await pod(NAME);
  const owner = first?.metadata?.ownerReferences?.[0];
  assert.deepEqual([owner?.kind, owner?.name], ["Node", world.name]);
  const started = first?.status?.containerStatuses?.[0]?.containerID;
  await kubectl("delete", "pod", NAME, "--wait=false");
  await until("another mirror", async () => {
    const found = await pod(NAME);
    return found !== undefined && isReady(found) &&
      found.metadata?.uid !== first?.metadata?.uid;
  });
  const second = await pod(NAME);
  assert.equal(second?.status?.containerStatuses?.[0]?.containerID, started);
  await take("shown");
  await until("no mirror", async () => await pod(NAME) === undefined);
});

memberTest("a changed manifest changes its mirror", async () => {
  await put(aManifest("shown"));
  await until("a mirror", async () => await pod(NAME) !== undefined);
  const hash = (await pod(NAME))?.metadata?.annotations
    ?.["kubernetes.io/config.mirror"];
  await put(
    aManifest("shown", undefined, { terminationGracePeriodSeconds: 3 }),
  );
  await until("another hash", async () => {
    const found = await pod(NAME);
    const now = found?.metadata?.annotations?.["kubernetes.io/config.mirror"];
    return now !== undefined && now !== hash && found !== undefined &&
      isReady(found);
  });
  await take("shown");
  await until("no mirror", async () => await pod(NAME) === undefined);
});
