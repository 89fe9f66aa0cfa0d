/** The edges of a container's life, on a real node: hooks, order, last words. */
import assert from "node:assert/strict";
import type { V1ContainerStatus, V1Pod } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  gone,
  inPhase,
  kubectl,
  memberTest,
  pod,
  ready,
  restartMember,
} from "./member_world.ts";

const DEAF = "trap : TERM; while :; do sleep 1; done";
const WEB =
  "while :; do echo -e 'HTTP/1.1 404 N\\r\\nContent-Length: 0\\r\\n' " +
  "| nc -l -p 8080 > /tmp/asked; cat /tmp/asked >> /tmp/all; done";

function statusOf(found: V1Pod | undefined, name = "app") {
  return [
    ...found?.status?.containerStatuses ?? [],
    ...found?.status?.initContainerStatuses ?? [],
  ].find((each) => each.name === name);
}

function endOf(status: V1ContainerStatus | undefined) {
  return status?.state?.terminated ?? status?.lastState?.terminated;
}

memberTest(
  "a preStop hook runs, and its time is part of the grace",
  async () => {
    const lifecycle = { preStop: { exec: { command: ["sleep", "2"] } } };
    await apply(aPod("hooked", {
      terminationGracePeriodSeconds: 4,
      containers: [aContainer(DEAF, { lifecycle })],
    }));
    await ready("app=hooked", 1);
    const sinceMs = Date.now();
    await kubectl("delete", "pod", "hooked");
    const tookMs = Date.now() - sinceMs;
    assert.ok(tookMs >= 3_500 && tookMs < 6_500, `${tookMs} ms`);
  },
);

memberTest("a shorter grace is honoured while a hook runs", async () => {
  const lifecycle = { preStop: { sleep: { seconds: 60 } } };
  await apply(aPod("slow", {
    terminationGracePeriodSeconds: 90,
    containers: [aContainer(undefined, { lifecycle })],
  }));
  await ready("app=slow", 1);
  await kubectl("delete", "pod", "slow", "--wait=false");
  const sinceMs = Date.now();
  await kubectl("delete", "pod", "slow", "--grace-period=1");
  await gone("slow");
  assert.ok(Date.now() - sinceMs < 5_000, `${Date.now() - sinceMs} ms`);
});

memberTest("a start hook that fails ends its container", async () => {
  const lifecycle = {
    postStart: { exec: { command: ["sh", "-c", "echo no; exit 3"] } },
  };
  await apply(
    aPod("bad", { containers: [aContainer(undefined, { lifecycle })] }),
  );
  await until(
    "its waiting reason",
    async () =>
      statusOf(await pod("bad"))?.state?.waiting?.reason ===
        "PostStartHookError",
  );
  const { message = "" } = statusOf(await pod("bad"))?.state?.waiting ?? {};
  assert.match(message, /exited with 3: , message: "no\\n"$/);
  await until(
    "its event",
    async () =>
      /^FailedPostStartHook \S+ PostStartHook failed/m
        .test(await eventsOf("bad")),
  );
});

memberTest("hooks ask a pod over HTTP, whatever it answers", async () => {
  const httpGet = (path: string) => ({ httpGet: { path, port: 8080 } });
  const lifecycle = { postStart: httpGet("/up") };
  // The hook comes before the container listens: the first tries fail.
  await apply(aPod("web", { containers: [aContainer(WEB, { lifecycle })] }));
  await ready("app=web", 1);
  const heard = await kubectl("exec", "web", "--", "cat", "/tmp/all");
  assert.match(heard, /^GET \/up HTTP\/1.1/);
  assert.match(heard, /User-Agent: kube-lifecycle\/1.36/);
});

memberTest("sidecars end after what they serve", async () => {
  const sidecar = (name: string) =>
    aContainer(undefined, { name, restartPolicy: "Always" });
  const slow = "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done";
  await apply(aPod("ordered", {
    terminationGracePeriodSeconds: 20,
    initContainers: [sidecar("first"), sidecar("second")],
    containers: [aContainer(slow)],
  }));
  await ready("app=ordered", 1);
  let last: V1Pod | undefined;
  await kubectl("delete", "pod", "ordered", "--wait=false");
  await until("the end of all", async () => {
    const found = await pod("ordered");
    last = found ?? last;
    return found === undefined;
  });
  // The API server lets go of it with its last status.
  assert.ok(endOf(statusOf(last)), "it was told while sidecars still ran");
});

memberTest("last words are told, from a file or the log", async () => {
  const once = (name: string, script: string, own = {}) =>
    apply(aPod(name, {
      restartPolicy: "Never",
      containers: [aContainer(script, own)],
    }));
  await once("file", "echo -n bye > /dev/termination-log; exit 1", {
    securityContext: { runAsUser: 1000 },
  });
  await once("log", "echo one; echo two; exit 1", {
    terminationMessagePolicy: "FallbackToLogsOnError",
  });
  await once(
    "long",
    "head -c 100000 /dev/zero | tr '\\0' x > /dev/termination-log",
  );
  const words = async (name: string, phase: string) =>
    endOf(statusOf(await inPhase(name, phase)))?.message;
  assert.equal(await words("file", "Failed"), "bye");
  assert.equal(await words("log", "Failed"), "one\ntwo\n");
  assert.equal(await words("long", "Succeeded"), "x".repeat(4096));
});

memberTest("a link in the place of last words is not followed", async () => {
  const script = "until [ -e /tmp/go ]; do sleep 0.1; done; exit 1";
  await apply(aPod("linked", {
    restartPolicy: "Never",
    containers: [aContainer(script)],
  }));
  const [linked] = await ready("app=linked", 1);
  const folder = `${world.root}/var/lib/kubelet/pods/` +
    `${linked?.metadata?.uid}/containers/app`;
  await Deno.remove(`${folder}/00000000`);
  await Deno.symlink("/etc/hostname", `${folder}/00000000`);
  await kubectl("exec", "linked", "--", "touch", "/tmp/go");
  const { message } = endOf(statusOf(await inPhase("linked", "Failed"))) ?? {};
  assert.match(message ?? "", /^Error on reading termination log /);
});

memberTest(
  "a log is rotated under a fast writer, and no line is lost",
  async () => {
    await restartMember("terminate", [
      "--container-log-max-size=100Ki",
      "--container-log-max-files=20",
    ]);
    const script = "i=0; while [ $i -lt 60000 ]; do echo n $i; i=$((i+1)); " +
      "[ $((i % 400)) = 0 ] && sleep 0.1; done; echo end; sleep 1000";
    await apply(aPod("writer", { containers: [aContainer(script)] }));
    const [writer] = await ready("app=writer", 1);
    const folder = `${world.root}/var/log/pods/` +
      `default_writer_${writer?.metadata?.uid}/app`;
    let lines: string[] = [];
    await until("a packed log, and the end", async () => {
      // The current one is away for a moment, each time it is rotated.
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
        .filter((name) => name !== "0.log").sort();
      if (!names.some((name) => name.endsWith(".gz"))) return false;
      const texts = await Promise.all(
        [...names, "0.log"].map((name) => logText(`${folder}/${name}`)),
      );
      lines = texts.join("").split("\n").map((line) =>
        line.split(" F ")[1] ?? ""
      );
      return lines.includes("end");
    }, 60_000);
    const numbers = lines.flatMap((line) => /^n (\d+)$/.exec(line)?.[1] ?? [])
      .map(Number);
    assert.equal(numbers.length, 60_000);
    assert.ok(numbers.every((number, at) => number === at), "in their order");
  },
);

/** Nothing of one that is just being rotated. */
async function logText(path: string): Promise<string> {
  const file = await Deno.open(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (file === undefined) return "";
  const { readable } = file;
  return await new Response(
    path.endsWith(".gz")
      ? readable.pipeThrough(new DecompressionStream("gzip"))
      : readable,
  ).text();
}
