/**
 * The agent is killed at random moments, again and again, while pods of every
 * make come and go. Afterwards nothing is stuck, doubled or lost: not a pod, a
 * sandbox, a container, a mount, a cgroup or a directory. The moments are
 * random; a failure names them. DENOLET_LONG=1 goes on for a minute.
 */
import assert from "node:assert/strict";
import { spawnMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { mountsBelow } from "../../deploy/world/teardown.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { OBEDIENT, pause, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  kubectl,
  memberTest,
  pods,
  ready,
} from "./member_world.ts";

const LASTS_MS = Deno.env.get("DENOLET_LONG") === "1" ? 60_000 : 15_000;
/** A machine that others share may take its time: stuck is for ever. */
const SETTLE_MS = 120_000;
const PODS_DIR = `${world.root}/var/lib/kubelet/pods`;
const LOGS_DIR = `${world.root}/var/log/pods`;

/** Every part of a pod that the agent does something for. */
function whole(name: string, soak: "steady" | "passing"): V1Pod {
  const mount = { name: "e", mountPath: "/e" };
  const exec = (command: string) => ({
    exec: { command: ["sh", "-c", command] },
  });
  const probe = { ...exec("test -e /e/started"), periodSeconds: 1 };
  const made = aPod(name, {
    terminationGracePeriodSeconds: 4,
    volumes: [
      { name: "e", emptyDir: {} },
      { name: "m", emptyDir: { medium: "Memory" } },
      { name: "s", secret: { secretName: "soak" } },
    ],
    initContainers: [
      aContainer("echo ran >> /e/init", { name: "one", volumeMounts: [mount] }),
      aContainer(OBEDIENT, { name: "side", restartPolicy: "Always" }),
    ],
    containers: [
      aContainer(
        `cat /s/key && test "$WORD" = soaked && test -e /e/init && ${OBEDIENT}`,
        {
          env: [{
            name: "WORD",
            valueFrom: { secretKeyRef: { name: "soak", key: "key" } },
          }],
          volumeMounts: [
            mount,
            { name: "m", mountPath: "/m" },
            { name: "s", mountPath: "/s" },
            { name: "e", mountPath: "/sub", subPath: "sub" },
          ],
          startupProbe: { ...probe, failureThreshold: 60 },
          readinessProbe: probe,
          livenessProbe: { ...probe, failureThreshold: 20 },
          lifecycle: {
            postStart: exec("touch /e/started"),
            preStop: exec("echo stopped >> /e/stopped"),
          },
        },
      ),
    ],
  });
  const labels = { app: name, soak };
  return { ...made, metadata: { name, labels } };
}

const moments: number[] = [];

async function killing(untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    const afterMs = 200 + Math.round(Math.random() * 3_000);
    moments.push(afterMs);
    await pause(afterMs);
    await stopAgent(world, "kill");
    await spawnMember(world);
  }
}

/** Pods come, and go before, while and after they have started. */
async function coming(untilMs: number): Promise<number> {
  let count = 0;
  while (Date.now() < untilMs) {
    await apply(whole(`passing-${count}`, "passing"));
    await pause(Math.random() * 1_500);
    const old = `passing-${Math.max(0, count - Math.round(Math.random() * 2))}`;
    await kubectl("delete", "pod", old, "--wait=false", "--ignore-not-found");
    count++;
  }
  return count;
}

/** Ids of the containers and their restarts, by pod and name. */
function instances(found: readonly V1Pod[]): Map<string, string> {
  return new Map(found.flatMap(({ metadata, status }) =>
    [
      ...status?.containerStatuses ?? [],
      ...status?.initContainerStatuses ?? [],
    ].map((each) =>
      [
        `${metadata?.name}/${each.name}`,
        `${each.restartCount} ${each.containerID}`,
      ] as const
    )
  ));
}

memberTest(
  "soak: killed at random, nothing is stuck, doubled or lost",
  async () => {
    await apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "soak" },
      stringData: { key: "soaked" },
    });
    const names = ["steady-0", "steady-1", "steady-2"];
    for (const name of names) await apply(whole(name, "steady"));
    const before = instances(await ready("soak=steady", names.length));
    const untilMs = Date.now() + LASTS_MS;
    try {
      const [count] = await Promise.all([coming(untilMs), killing(untilMs)]);
      await kubectl("delete", "pods", "-l", "soak=passing", "--wait=false");
      await until(
        "the passing ones to be gone",
        async () => (await pods("soak=passing")).length === 0,
        SETTLE_MS,
      );
      const steady = await ready("soak=steady", names.length);
      assert.deepEqual(instances(steady), before, "nobody was disturbed");
      for (const name of names) {
        const inside = ["exec", name, "-c", "app", "--", "cat"];
        assert.equal(await kubectl(...inside, "/e/init"), "ran\n");
      }
      const uids = new Set(steady.map(({ metadata }) => metadata?.uid ?? ""));
      await until(
        "what is left to be theirs alone",
        () => isClean(uids),
        SETTLE_MS,
      );
      console.info(`${count} pods came and went, ${moments.length} kills`);
    } catch (cause) {
      const left = await remains().catch((error) => [String(error)]);
      throw new Error(
        `Failed with kills after ${moments.join(", ")} ms; there are:\n` +
          left.join("\n"),
        { cause },
      );
    }
  },
);

async function isClean(uids: ReadonlySet<string>): Promise<boolean> {
  const left = await remains();
  return left.every((each) => [...uids].some((uid) => each.includes(uid))) &&
    left.filter((each) => each.startsWith("sandbox ")).length === uids.size &&
    left.filter((each) => each.startsWith("container ")).length ===
      uids.size * 3 &&
    [...uids].every((uid) =>
      left.some((each) => each.startsWith("cgroup ") && each.includes(uid))
    );
}

/** Whatever of pods is on the machine, each with the uid of its pod. */
async function remains(): Promise<string[]> {
  const channel = openChannel({ endpoint: world.socket });
  const runtime = new CriRuntime(channel);
  const { signal } = new AbortController();
  try {
    const sandboxes = await runtime.listSandboxes({}, signal);
    const containers = await runtime.listContainers({}, signal);
    return [
      ...sandboxes.map(({ podUid, id }) => `sandbox ${podUid} ${id}`),
      ...containers.map(({ labels, name, attempt }) =>
        `container ${labels.get("io.kubernetes.pod.uid")} ${name} ${attempt}`
      ),
      ...names(PODS_DIR).map((name) => `directory ${name}`),
      ...names(LOGS_DIR).map((name) => `logs ${name}`),
      ...(await mountsBelow(PODS_DIR)).map((path) => `mount ${path}`),
      ...cgroups().map((path) => `cgroup ${path.replaceAll("_", "-")}`),
    ];
  } finally {
    channel.close();
  }
}

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

/** Of pods, in whatever hierarchy this machine has. */
function cgroups(): string[] {
  const found: string[] = [];
  const visit = (path: string, depth: number) => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (!isDirectory) continue;
      const inside = `${path}/${name}`;
      if (/pod[0-9a-f]{8}[-_]/.test(name)) found.push(inside);
      else if (depth < 4) visit(inside, depth + 1);
    }
  };
  for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"]) {
    const top = root + world.cgroupRoot;
    try {
      visit(top, 0);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}
