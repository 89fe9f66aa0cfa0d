/**
 * The volume runner on a real machine: real files and mounts, with a fake
 * cluster always and with a real API server when one is named.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { Semaphore } from "../../lib/base/semaphore.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { podUid } from "../../lib/api/id.ts";
import { uidOf } from "../../lib/api/pod.ts";
import type { V1Pod, V1Volume } from "../../lib/api/types.ts";
import { HostFiles } from "../../lib/host/files.ts";
import { hostPathsOf } from "../../lib/host/host_paths.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { hostPrograms } from "../../lib/host/programs.ts";
import { HostMounts } from "../../lib/host/tmpfs.ts";
import { kubeconfigs } from "../../lib/kube/open.ts";
import type { ClusterObjects } from "../../lib/port/cluster.ts";
import { API_ACCESS } from "../../lib/volume/fixture_test.ts";
import { ObjectCache } from "../../lib/reference/objects.ts";
import { VolumeRunner } from "../../lib/volume/run.ts";
import type { VolumeState } from "../../lib/volume/types.ts";
import { FakeReferred } from "../fakes/fake_cluster_referred.ts";
import { KUBECONFIG, kubeOptions } from "./cluster_real.ts";

const isRoot = Deno.uid() === 0;
const never = new AbortController().signal;

function aPod(volumes: V1Volume[], own: Partial<V1Pod["spec"]> = {}): V1Pod {
  const volumeMounts = volumes.map(({ name }) => ({
    name,
    mountPath: `/${name}`,
  }));
  return {
    metadata: { name: "p", namespace: "default", uid: crypto.randomUUID() },
    spec: {
      serviceAccountName: "default",
      ...own,
      containers: [{ name: "c", image: "none", volumeMounts }],
      volumes,
    },
  };
}

interface Machine {
  readonly root: string;
  readonly runner: VolumeRunner;
  /** Asks and waits for what comes of it. */
  ask(pod: V1Pod): Promise<VolumeState | undefined>;
}

async function onMachine(
  objects: ClusterObjects,
  check: (machine: Machine) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const trees = { libc, roots: [root], links: "refuse" } as const;
  const wake = new Map<string, () => void>();
  const stop = new AbortController();
  const ports = { objects, clock: systemClock, random: systemRandom };
  const cache = new ObjectCache(ports, "Watch");
  const runner = new VolumeRunner({
    ...ports,
    references: cache,
    files: new HostFiles(trees),
    mounts: new HostMounts(trees),
    hostPaths: hostPathsOf(libc),
    programs: hostPrograms,
    deviceTurn: new Semaphore(1),
    log: silentLogger,
    recorder: { record: () => undefined },
    hint: (uid) => wake.get(uid)?.(),
  }, {
    podsDir: `${root}/pods`,
    pluginsDir: `${root}/plugins`,
    allocatable: () => new Map([["memory", "64Mi"]]),
  });
  const { signal } = stop;
  const running = Promise.all([cache.run(signal), runner.run(signal)]);
  const ask = async (pod: V1Pod) => {
    const done = Promise.withResolvers<void>();
    wake.set(uidOf(pod), done.resolve);
    runner.request(pod);
    await done.promise;
    return runner.stateOf(uidOf(pod));
  };
  try {
    await check({ root, runner, ask });
  } finally {
    stop.abort();
    await running;
    for await (const { name } of Deno.readDir(`${root}/pods`)) {
      await runner.release(podUid(name), never);
    }
    libc.close();
    await Deno.remove(root, { recursive: true });
  }
}

function aCluster(): FakeReferred {
  const cluster = new FakeReferred();
  const at = (name: string) => ({ namespace: "default", name });
  cluster.put("ServiceAccount", at("default"));
  cluster.put("ConfigMap", at("kube-root-ca.crt"), {
    data: { "ca.crt": "PEM" },
  });
  cluster.put("Secret", at("s"), { data: { k: btoa("hidden") } });
  cluster.put("ConfigMap", at("c"), { data: { k: "open" } });
  return cluster;
}

async function mountsBelow(root: string): Promise<string[]> {
  const text = await Deno.readTextFile("/proc/self/mountinfo");
  return text.split("\n").filter((line) => line.includes(` ${root}/`));
}

function shown(path: string): string {
  const { mode, uid, gid } = Deno.statSync(path);
  return `${((mode ?? 0) & 0o7777).toString(8)} ${uid} ${gid}`;
}

Deno.test("volumes on a machine are as a pod expects them", {
  ignore: !isRoot,
}, async () => {
  await onMachine(aCluster(), async ({ root, runner, ask }) => {
    const pod = aPod([
      API_ACCESS,
      { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
      { name: "c", configMap: { name: "c" } },
      { name: "d", emptyDir: {} },
      { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      {
        name: "h",
        hostPath: { path: `${root}/h/i`, type: "DirectoryOrCreate" },
      },
    ], { securityContext: { fsGroup: 4242, runAsUser: 1234 } });
    const state = await ask(pod);
    assert.ok(state?.kind === "ready", JSON.stringify(state));
    const at = (name: string) => state.paths.get(name) ?? "";
    const access = at(API_ACCESS.name);
    assert.equal(Deno.readTextFileSync(`${access}/namespace`), "default");
    assert.equal(Deno.readTextFileSync(`${access}/ca.crt`), "PEM");
    assert.equal(shown(`${access}/token`), "640 1234 4242");
    assert.equal(shown(`${access}/ca.crt`), "644 0 4242");
    assert.equal(shown(access), "3777 0 4242");
    assert.equal(shown(`${at("s")}/k`), "440 0 4242");
    assert.equal(Deno.readTextFileSync(`${at("s")}/k`), "hidden");
    assert.equal(shown(`${at("c")}/k`), "644 0 4242");
    assert.equal(shown(at("d")), "2777 0 4242");
    assert.equal(shown(at("m")), "3777 0 4242");
    assert.ok(Deno.statSync(at("h")).isDirectory);
    const mounts = await mountsBelow(root);
    assert.equal(mounts.length, 3);
    assert.ok(mounts.some((line) => /\bsize=1024k/.test(line)));
    await Deno.writeTextFile(`${at("d")}/kept`, "x");
    await runner.release(uidOf(pod), never);
    assert.deepEqual(await mountsBelow(root), []);
    assert.deepEqual([...Deno.readDirSync(at("s"))], []);
    assert.equal(Deno.readTextFileSync(`${at("d")}/kept`), "x");
  });
});

Deno.test("volumes on a machine follow no link that a pod placed", {
  ignore: !isRoot,
}, async () => {
  await onMachine(aCluster(), async ({ root, ask }) => {
    const pod = aPod([{ name: "s", secret: { secretName: "s" } }]);
    const volumes = `${root}/pods/${uidOf(pod)}/volumes`;
    await Deno.mkdir(`${volumes}/kubernetes.io~secret`, { recursive: true });
    await Deno.mkdir(`${root}/elsewhere`);
    await Deno.symlink(
      `${root}/elsewhere`,
      `${volumes}/kubernetes.io~secret/s`,
    );
    const state = await ask(pod);
    assert.equal(state?.kind, "failed");
    assert.deepEqual([...Deno.readDirSync(`${root}/elsewhere`)], []);
    assert.deepEqual(await mountsBelow(root), []);
  });
});

Deno.test("S04 files written anew never go through links of a pod", {
  ignore: !isRoot,
}, async () => {
  const cluster = aCluster();
  await onMachine(cluster, async ({ root, runner, ask }) => {
    const pod = aPod([{ name: "s", secret: { secretName: "s" } }]);
    const first = await ask(pod);
    const path = first?.kind === "ready" ? first.paths.get("s") ?? "" : "";
    const victim = `${root}/victim`;
    await Deno.mkdir(victim);
    await Deno.writeTextFile(`${victim}/k`, "precious");
    for (let round = 0; round < 20; round++) {
      // The hostile part: what the writer relies on leads elsewhere.
      const data = await Deno.readLink(`${path}/..data`).catch(() => "");
      await Deno.remove(`${path}/..data`).catch(() => undefined);
      await Deno.remove(`${path}/${data}`, { recursive: true })
        .catch(() => undefined);
      await Deno.symlink(victim, `${path}/${round % 2 ? "..data" : data}`)
        .catch(() => undefined);
      const content = { data: { k: btoa(`round ${round}`) } };
      cluster.put("Secret", { namespace: "default", name: "s" }, content);
      runner.forget(uidOf(pod));
      await ask(pod);
      assert.equal(await Deno.readTextFile(`${victim}/k`), "precious");
      assert.deepEqual([...Deno.readDirSync(victim)].map((e) => e.name), ["k"]);
    }
  });
});

Deno.test("S49 what is secret is in memory, out of swap, and not for all", {
  ignore: !isRoot,
}, async () => {
  await onMachine(aCluster(), async ({ root, ask }) => {
    const pod = aPod([
      API_ACCESS,
      { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
    ], { securityContext: { runAsUser: 1234 } });
    const state = await ask(pod);
    assert.ok(state?.kind === "ready", JSON.stringify(state));
    const [major = 0, minor = 0] = Deno.osRelease().split(".").map(Number);
    const hasNoSwap = major > 6 || (major === 6 && minor >= 4);
    for (const name of [API_ACCESS.name, "s"]) {
      const path = state.paths.get(name) ?? "";
      const line = (await mountsBelow(root)).find((each) =>
        each.includes(` ${path} `)
      );
      assert.match(line ?? "", / - tmpfs /, name);
      if (hasNoSwap) assert.match(line ?? "", /\bnoswap\b/, name);
    }
    const token = `${state.paths.get(API_ACCESS.name)}/token`;
    assert.equal(shown(token), "600 1234 0");
    assert.equal(shown(`${state.paths.get("s")}/k`), "400 0 0");
  });
});

Deno.test("a volume of 10,000 files is made in many turns", {
  ignore: !isRoot,
}, async () => {
  const cluster = aCluster();
  const names = Array.from({ length: 10_000 }, (_, at) => `key-${at}`);
  const data = Object.fromEntries(names.map((name) => [name, name]));
  cluster.put("ConfigMap", { namespace: "default", name: "big" }, { data });
  await onMachine(cluster, async ({ ask }) => {
    let [turns, longestMs, lastMs] = [0, 0, performance.now()];
    const timer = setInterval(() => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      turns++;
    }, 0);
    const state = await ask(aPod([{ name: "v", configMap: { name: "big" } }]));
    clearInterval(timer);
    const path = state?.kind === "ready" ? state.paths.get("v") : "";
    assert.equal([...Deno.readDirSync(`${path}`)].length, names.length + 2);
    assert.equal(Deno.readTextFileSync(`${path}/key-9999`), "key-9999");
    // Of 5 ms, and its calls of the kernel take ten times as long together.
    assert.ok(turns >= 20, `${turns} turns`);
    console.info(`${turns} turns, the longest of ${Math.round(longestMs)} ms`);
  });
});

Deno.test("volumes of a pod of a real API server hold a token it takes", {
  ignore: !isRoot || KUBECONFIG === "",
}, async () => {
  const cluster = kubeconfigs(kubeOptions()).open({ path: KUBECONFIG });
  const name = `t-${crypto.randomUUID().slice(0, 13)}`;
  try {
    const made = await cluster.pods.create({
      metadata: { name, namespace: "default" },
      spec: { nodeName: name, containers: [{ name: "c", image: "none" }] },
    }, never);
    // The admission plugin put the volume there.
    const volume = made.spec?.volumes?.[0];
    assert.ok(volume?.projected, JSON.stringify(made.spec?.volumes));
    await onMachine(cluster.objects, async ({ ask }) => {
      const state = await ask(made);
      assert.ok(state?.kind === "ready", JSON.stringify(state));
      const path = state.paths.get(volume.name);
      const token = Deno.readTextFileSync(`${path}/token`);
      const ca = Deno.readTextFileSync(`${path}/ca.crt`);
      assert.match(ca, /BEGIN CERTIFICATE/);
      const client = Deno.createHttpClient({ caCerts: [ca] });
      const server = await kubeconfigs(kubeOptions()).read(KUBECONFIG);
      const answer = await fetch(`${server?.server}/api`, {
        client,
        headers: { authorization: `Bearer ${token}` },
      });
      const said = await answer.text();
      assert.equal(answer.status, 200, said);
      client.close();
    });
    const { uid = "" } = made.metadata ?? {};
    const ref = { namespace: "default", name, uid: podUid(uid) };
    await cluster.pods.remove(ref, never);
  } finally {
    cluster.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
