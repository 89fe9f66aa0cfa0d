/** Volumes show what they are made from as it is by now. */
import assert from "node:assert/strict";
import type { V1Volume } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  kubectl,
  memberTest,
  pod,
  ready,
  restartMember,
} from "./member_world.ts";

const SOON_MS = 5_000;

/** Where a volume's files are on the host. */
async function volume(of: string, kind: string, name: string): Promise<string> {
  const uid = (await pod(of))?.metadata?.uid;
  return `${world.root}/var/lib/kubelet/pods/${uid}/volumes/` +
    `kubernetes.io~${kind}/${name}`;
}

/** Changes something; tells after how long the file says so. */
async function changes(
  file: string,
  expected: string | undefined,
  change: () => Promise<unknown>,
): Promise<number> {
  await change();
  const startMs = performance.now();
  await until(`${file} to be ${expected}`, async () => {
    const text = await Deno.readTextFile(file).catch(() => undefined);
    return text === expected;
  }, SOON_MS);
  return Math.round(performance.now() - startMs);
}

function patch(kind: string, name: string, change: object): Promise<string> {
  return kubectl("patch", kind, name, "-p", JSON.stringify(change));
}

async function start(): Promise<void> {
  await apply({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "live" },
        data: { k: "1", ["__proto__"]: "p" },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "live" },
        stringData: { k: "1" },
      },
    ],
  });
  const volumes: V1Volume[] = [
    { name: "c", configMap: { name: "live" } },
    { name: "s", secret: { secretName: "live" } },
    { name: "o", configMap: { name: "live-optional", optional: true } },
    {
      name: "p",
      projected: {
        sources: [
          { configMap: { name: "live", items: [{ key: "k", path: "d/k" }] } },
          {
            downwardAPI: {
              items: [{
                path: "labels",
                fieldRef: { fieldPath: "metadata.labels" },
              }],
            },
          },
        ],
      },
    },
  ];
  const volumeMounts = volumes.map(({ name }) => ({
    name,
    mountPath: `/${name}`,
  }));
  const containers = [aContainer(undefined, { volumeMounts })];
  await apply(aPod("live", { volumes, containers }));
  await ready("app=live", 1);
}

memberTest(
  "volumes follow their objects, and a restart writes nothing",
  async () => {
    await start();
    const c = await volume("live", "configmap", "c");
    const s = await volume("live", "secret", "s");
    const o = await volume("live", "configmap", "o");
    const p = await volume("live", "projected", "p");
    assert.equal(await Deno.readTextFile(`${c}/__proto__`), "p");
    const tookMs = [
      await changes(
        `${c}/k`,
        "2",
        () => patch("configmap", "live", { data: { k: "2" } }),
      ),
      await changes(
        `${p}/d/k`,
        "3",
        () => patch("configmap", "live", { data: { k: "3" } }),
      ),
      await changes(
        `${s}/k`,
        "2",
        () => patch("secret", "live", { stringData: { k: "2" } }),
      ),
      await changes(
        `${p}/labels`,
        'app="live"\nnew="yes"',
        () => kubectl("label", "pod", "live", "new=yes"),
      ),
      await changes(
        `${o}/k`,
        "1",
        () => kubectl("create", "cm", "live-optional", "--from-literal=k=1"),
      ),
      await changes(
        `${o}/k`,
        undefined,
        () => kubectl("delete", "cm", "live-optional"),
      ),
    ];
    console.log(`changes seen after ${tookMs.join(", ")} ms`);
    // Of an object that is gone the files stay as they were.
    await kubectl("delete", "cm", "live");
    await until("a warning", async () => {
      const events = await kubectl("get", "events", "-o", "json");
      return events.includes('configmap \\"live\\" not found');
    });
    assert.equal(await Deno.readTextFile(`${c}/k`), "3");
    await changes(
      `${c}/k`,
      "4",
      () => kubectl("create", "cm", "live", "--from-literal=k=4"),
    );
    // The projected volume holds the same object, and is written on its own.
    await changes(`${p}/d/k`, "4", () => Promise.resolve());
    const links = () =>
      Promise.all([c, s, p].map((each) => Deno.readLink(`${each}/..data`)));
    const before = await links();
    await restartMember();
    // The agent follows again: what it wrote before it was told is the same.
    await changes(
      `${s}/k`,
      "9",
      () => patch("secret", "live", { stringData: { k: "9" } }),
    );
    const after = await links();
    assert.deepEqual([after[0], after[2]], [before[0], before[2]]);
    await kubectl("delete", "cm/live", "secret/live");
  },
);

memberTest("a thousand files are written while others go on", async () => {
  const data = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [`key-${n}`, "x".repeat(100)]),
  );
  const configMap = { name: "large" };
  const large = { apiVersion: "v1", kind: "ConfigMap", data };
  await apply({ ...large, metadata: configMap });
  const volumeMounts = [{ name: "v", mountPath: "/v" }];
  await apply(aPod("large", {
    volumes: [{ name: "v", configMap }],
    containers: [aContainer(undefined, { volumeMounts })],
  }));
  await ready("app=large", 1);
  const v = await volume("large", "configmap", "v");
  const tookMs = await changes(
    `${v}/key-999`,
    "y",
    () => patch("configmap", "large", { data: { "key-999": "y" } }),
  );
  console.log(`one of a thousand files changed after ${tookMs} ms`);
  assert.equal(await Deno.readTextFile(`${v}/key-0`), "x".repeat(100));
  await kubectl("delete", "cm", "large");
});
