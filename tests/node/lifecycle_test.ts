/**
 * The life of a pod on a real containerd, from its file to nothing: what is
 * made, how it is written down, how it is asked about, how it ends.
 */
import assert from "node:assert/strict";
import { startAgent, stopAgent } from "../../deploy/world.ts";
import { agentArgs, askAgent } from "../../deploy/world/agent.ts";
import {
  aContainer,
  aPod,
  CHECKOUT,
  containersOf,
  full,
  gone,
  instancesOf,
  logsOf,
  type Node,
  nodeTest,
  OBEDIENT,
  pause,
  podJson,
  put,
  running,
  runningOne,
  sandboxesOf,
  says,
  take,
  until,
  world,
} from "./agent_world.ts";

const LINKS = `${world.root}/var/log/containers`;

nodeTest(
  "a pod of two containers is made as the kubelet makes it",
  async (node) => {
    const pod = aPod("two", [
      aContainer("a", `echo hello; ${OBEDIENT}`, {
        ports: [{ containerPort: 80 }],
      }),
      aContainer("b"),
    ]);
    await put({ ...pod, metadata: { name: "two", labels: { app: "shop" } } });
    const found = await running(node, "two", 2);
    const uid = await assertSandbox(node);
    for (const { name, id, labels, annotations, attempt } of found) {
      assert.equal(attempt, 0);
      assert.deepEqual(Object.fromEntries(labels), {
        "io.kubernetes.container.name": name,
        "io.kubernetes.pod.name": full("two"),
        "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.uid": uid,
      });
      const noted = (key: string) => annotations.get(`io.kubernetes.${key}`);
      assert.match(noted("container.hash") ?? "", /^[0-9a-f]{1,8}$/);
      assert.equal(noted("container.restartCount"), "0");
      assert.equal(
        noted("container.terminationMessagePath"),
        "/dev/termination-log",
      );
      assert.equal(noted("container.terminationMessagePolicy"), "File");
      assert.equal(noted("pod.terminationGracePeriod"), "2");
      const link = `${LINKS}/${full("two")}_default_${name}-${id}.log`;
      assert.equal(
        await Deno.readLink(link),
        `${logsOf("two", uid)}/${name}/0.log`,
      );
    }
    assert.deepEqual(
      JSON.parse(
        found[0]?.annotations.get("io.kubernetes.container.ports") ?? "",
      ),
      [{ containerPort: 80, protocol: "TCP" }],
    );
    await says(
      /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) stdout F hello\n$/,
      () => Deno.readTextFile(`${logsOf("two", uid)}/a/0.log`),
    );
  },
);

/** The sandbox's labels and annotations; gives the pod's uid. */
async function assertSandbox(node: Node): Promise<string> {
  const [sandbox, ...more] = await sandboxesOf(node, "two");
  assert.ok(sandbox);
  assert.equal(more.length, 0);
  const uid = sandbox.podUid;
  assert.match(uid, /^[0-9a-f]{32}$/);
  assert.deepEqual(Object.fromEntries(sandbox.labels), {
    app: "shop",
    "io.kubernetes.pod.name": full("two"),
    "io.kubernetes.pod.namespace": "default",
    "io.kubernetes.pod.uid": uid,
  });
  const { annotations } = sandbox;
  assert.equal(annotations.get("kubernetes.io/config.hash"), uid);
  assert.equal(annotations.get("kubernetes.io/config.source"), "file");
  assert.match(annotations.get("kubernetes.io/config.seen") ?? "", /^2.*T/);
  return uid;
}

/** The first log of a container, once it says `words`. */
async function logSaying(
  node: Node,
  [name, container]: readonly [string, string],
  words: RegExp,
): Promise<string> {
  return await says(words, async () => {
    const [sandbox] = await sandboxesOf(node, name);
    const path = `${logsOf(name, sandbox?.podUid ?? "")}/${container}/0.log`;
    return await Deno.readTextFile(path).catch(() => "");
  });
}

nodeTest(
  "command, args, env and workingDir reach the program",
  async (node) => {
    const container = {
      ...aContainer("a"),
      command: ["sh", "-c", 'echo "$0|$1|$B|$C|$D|$(pwd)"; sleep 1000'],
      args: ["zero", "$(A)-$(NONE)-$$(A)"],
      workingDir: "/tmp",
      env: [
        { name: "A", value: "x" },
        { name: "B", value: "$(A)y" },
        { name: "C", value: "$$(A)" },
        { name: "D", value: "$(E)" },
        { name: "E", value: "later" },
      ],
    };
    // The shell's own $(pwd) would be left alone, as it is no variable.
    await put(aPod("env", [container], { terminationGracePeriodSeconds: 1 }));
    const text = await logSaying(node, ["env", "a"], /zero/);
    assert.match(
      text,
      / F zero\|x-\$\(NONE\)-\$\(A\)\|xy\|\$\(A\)\|\$\(E\)\|\/tmp\n/,
    );
  },
);

nodeTest("namespaces are shared as the pod says", async (node) => {
  const look = 'for n in net pid; do echo "$n=$(readlink /proc/self/ns/$n)"; ' +
    `done; echo done; ${OBEDIENT}`;
  const two = [aContainer("a", look), aContainer("b", look)];
  await put(aPod("own", two));
  await put(aPod("shared", two, { shareProcessNamespace: true }));
  await put(aPod("host", two, { hostNetwork: true, hostPID: true }));
  const host = {
    net: await Deno.readLink("/proc/self/ns/net"),
    pid: await Deno.readLink("/proc/self/ns/pid"),
  };
  const seen = async (name: string, container: string) => {
    const text = await logSaying(node, [name, container], /F done/);
    const of = (kind: string) => text.match(`${kind}=(.*)`)?.[1] ?? "";
    return { net: of("net"), pid: of("pid") };
  };
  assert.deepEqual(await seen("host", "a"), host);
  const [a, b] = [await seen("own", "a"), await seen("own", "b")];
  assert.equal(a.net, b.net);
  assert.equal(new Set([a.pid, b.pid, host.pid]).size, 3);
  assert.notEqual(a.net, host.net);
  const [c, d] = [await seen("shared", "a"), await seen("shared", "b")];
  assert.deepEqual(c, d);
  assert.equal(new Set([c.pid, host.pid]).size, 2);
});

nodeTest("a hostPort leads to the container", async (node) => {
  const serve = "mkdir /www; echo served >/www/index.html; " +
    "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait";
  const ports = [{ containerPort: 8080, hostPort: 28_080 }];
  await put(aPod("port", [aContainer("a", serve, { ports })]));
  await runningOne(node, "port");
  const address = world.subnet.replace(/0\/24$/, "1");
  const text = await says(
    /./,
    () =>
      fetch(`http://${address}:28080/`).then((answer) => answer.text())
        .catch(() => ""),
  );
  assert.equal(text, "served\n");
});

nodeTest("restartPolicy decides what follows an end", async (node) => {
  for (const policy of ["Always", "OnFailure", "Never"] as const) {
    for (const code of [0, 3]) {
      const containers = [aContainer("a", `exit ${code}`)];
      const name = `${policy.toLowerCase()}-${code}`;
      await put(aPod(name, containers, { restartPolicy: policy }));
    }
  }
  for (const name of ["always-0", "always-3", "onfailure-3"]) {
    await until(
      `a restart of ${name}`,
      async () =>
        (await instancesOf(node, name)).some(({ attempt }) => attempt > 0),
    );
  }
  const phases: Record<string, string> = {
    "onfailure-0": "Succeeded",
    "never-0": "Succeeded",
    "never-3": "Failed",
  };
  for (const [name, phase] of Object.entries(phases)) {
    const pod = await podJson(name);
    assert.equal(pod?.status?.phase, phase, name);
    assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 0);
    const attempts = (await instancesOf(node, name)).map((each) =>
      each.attempt
    );
    assert.deepEqual(attempts, [0], name);
  }
});

nodeTest(
  "a removed file ends the pod politely and leaves nothing",
  async (node) => {
    const script = "trap 'echo got TERM; exit 0' TERM; echo up; " +
      "while :; do sleep 0.1; done";
    await put(aPod("bye", [aContainer("a", script)]));
    const { id } = await runningOne(node, "bye");
    const [sandbox] = await sandboxesOf(node, "bye");
    const uid = sandbox?.podUid ?? "";
    await logSaying(node, ["bye", "a"], /F up/);
    const places = [
      logsOf("bye", uid),
      `${world.root}/var/lib/kubelet/pods/${uid}`,
      `${LINKS}/${full("bye")}_default_a-${id}.log`,
      ...await cgroupsOf(uid),
    ];
    assert.ok(places.length > 3, "the pod has a cgroup of its own");
    // The log has its link a moment after the start.
    await until("all of the pod", async () => {
      const found = await Promise.all(places.map(isThere));
      return !found.includes(false);
    }, 5_000);
    using log = await Deno.open(`${logsOf("bye", uid)}/a/0.log`);
    await take("bye");
    await gone(node, "bye");
    const text = await new Response(log.readable).text();
    assert.match(text, /stdout F got TERM\n/);
    await until("nothing left of the pod", async () => {
      const left = await Promise.all(places.map(isThere));
      return !left.includes(true);
    }, 5_000);
    assert.deepEqual(await cgroupsOf(uid), []);
  },
);

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** The pod's cgroups: one, or one per controller with version 1. */
async function cgroupsOf(uid: string): Promise<string[]> {
  const mount = "/sys/fs/cgroup";
  const trees = [mount];
  for await (const { name, isDirectory } of Deno.readDir(mount)) {
    if (isDirectory) trees.push(`${mount}/${name}`);
  }
  const paths = trees.map((tree) =>
    `${tree}${world.cgroupRoot}/kubepods/besteffort/pod${uid}`
  );
  const there = await Promise.all(paths.map(isThere));
  return paths.filter((_, index) => there[index]);
}

nodeTest(
  "a changed manifest: the old ends before the new starts",
  async (node) => {
    const slow = "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done";
    await put(aPod("change", [aContainer("a", slow)]));
    const old = await runningOne(node, "change");
    const changedAtMs = Date.now();
    const env = [{ name: "VERSION", value: "2" }];
    await put(aPod("change", [aContainer("a", OBEDIENT, { env })]));
    let fresh = old.id;
    await until("the new container", async () => {
      const found = await containersOf(node, "change");
      const up = found.filter(({ state }) => state === "running");
      assert.ok(up.length <= 1, "old and new never run together");
      fresh = up[0]?.id ?? fresh;
      return fresh !== old.id;
    });
    const status = await node.runtime.containerStatus(fresh, node.signal);
    assert.equal(status?.attempt, 0);
    assert.ok((status?.startedAtMs ?? 0) >= changedAtMs + 1_000);
  },
);

nodeTest("the command line tells about pods", async (node) => {
  const script = `echo one; echo two >&2; ${OBEDIENT}`;
  await put(aPod("told", [aContainer("a", script), aContainer("b")]));
  await running(node, "told", 2);
  await logSaying(node, ["told", "a"], /two/);
  const row = new RegExp(
    `^default +${full("told")} +2/2 +Running +0 +\\S+ +10\\.`,
    "m",
  );
  await says(row, () => askAgent(world, "pods"), 5_000);
  const pod = await podJson("told");
  assert.equal(pod?.status?.phase, "Running");
  const ids = pod?.status?.containerStatuses?.map((each) => each.containerID);
  const found = await containersOf(node, "told");
  assert.deepEqual(ids, found.map(({ id }) => `containerd://${id}`));
  const logs = await askAgent(world, "logs", full("told"), "-c", "a");
  assert.deepEqual(logs.trim().split("\n").toSorted(), ["one", "two"]);
  const explained = await askAgent(world, "explain", full("told"));
  assert.match(explained, /^Running: /);
  assert.match(explained, /Started +a: /);
  assert.match(await askAgent(world, "explain", "told"), /^Running: /);
  const url = `http://127.0.0.1:${world.healthzPort}/healthz`;
  const answer = await fetch(url);
  assert.deepEqual([answer.status, await answer.text()], [200, "ok"]);
});

nodeTest("logs -f ends when the container has ended", async (node) => {
  const script = "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.3; done";
  const containers = [aContainer("a", script)];
  await put(aPod("follow", containers, { restartPolicy: "Never" }));
  await runningOne(node, "follow");
  await says(/follow/, () => askAgent(world, "pods"), 5_000);
  const child = new Deno.Command("timeout", {
    args: [
      ...["15", Deno.execPath()],
      ...agentArgs(world, ["logs", "-f", full("follow")]),
    ],
    cwd: CHECKOUT,
    stdin: "null",
  });
  const { code, stdout } = await child.output();
  const [instance] = await instancesOf(node, "follow");
  const lateMs = Date.now() - (instance?.finishedAtMs ?? 0);
  assert.equal(code, 0);
  const lines = [1, 2, 3, 4, 5, 6].map((number) => `line ${number}\n`);
  assert.equal(new TextDecoder().decode(stdout), lines.join(""));
  assert.ok(instance?.state === "exited" && lateMs < 3_000, `${lateMs} ms`);
});

nodeTest("an agent that ends leaves its pods running", async (node) => {
  await put(aPod("stays"));
  const { id } = await runningOne(node, "stays");
  await stopAgent(world);
  await pause(500);
  assert.equal((await runningOne(node, "stays")).id, id);
  await startAgent(world);
  await says(/stays.* 1\/1 +Running +0 /, () => askAgent(world, "pods"));
  assert.equal((await runningOne(node, "stays")).id, id);
});
