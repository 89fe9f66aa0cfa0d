/** Pods that ask for more than there is: time without end, words without end. */
import assert from "node:assert/strict";
import { agentPids } from "../../deploy/world/agent.ts";
import { pause, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  applyText,
  eventsOf,
  gone,
  inPhase,
  kubectl,
  memberTest,
  pod,
  ready,
  restarts,
} from "./member_world.ts";
import { PODS_DIR } from "./volume_world.ts";

/** What the agent has in memory now, in MiB. */
async function residentMiB(): Promise<number> {
  const [pid] = await agentPids(world);
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
}

memberTest("S47 times beyond every clock are waited for", async () => {
  const never = {
    exec: { command: ["false"] },
    failureThreshold: 1,
    initialDelaySeconds: 2147483647,
  };
  const made = JSON.stringify(aPod("patient", {
    terminationGracePeriodSeconds: 1234567,
    activeDeadlineSeconds: 2147483647,
    containers: [
      aContainer("trap 'echo told' TERM; while :; do sleep 0.1; done", {
        livenessProbe: never,
        readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
      }),
    ],
  })).replace("1234567", "9223372036854775807");
  await applyText(made);
  const [before] = await ready("app=patient", 1);
  assert.ok(before);
  await kubectl("delete", "pod", "patient", "--wait=false");
  await until(
    "it to be told",
    async () => (await kubectl("logs", "patient")).includes("told"),
  );
  await pause(2_000);
  const now = await pod("patient");
  assert.ok(now?.status?.containerStatuses?.[0]?.state?.running);
  assert.equal(restarts(now), 0);
  await kubectl("delete", "pod", "patient", "--wait=false", "--grace-period=1");
  await gone("patient");
});

memberTest(
  "S29 S30 probes that print or answer without end are cut",
  async () => {
    const probe = {
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 1000,
    };
    const serve = (port: number, answer: string) =>
      `(while :; do { ${answer}; } | nc -l -p ${port} >/dev/null; done) & `;
    const get = (port: number) => ({ ...probe, httpGet: { port } });
    const head = "printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'";
    const away = "printf 'HTTP/1.1 302 Found\\r\\nLocation: " +
      "http://169.254.169.254/\\r\\nContent-Length: 0\\r\\n\\r\\n'";
    const script = serve(8001, `${head}; yes`) + serve(8002, away) +
      serve(8003, `${head}; while :; do echo x; sleep 1; done`) +
      serve(8004, "yes") + "sleep 1000";
    const exec = (command: string) => ({
      ...probe,
      exec: { command: ["sh", "-c", command] },
    });
    const names = ["prints", "fails", "much", "away", "drips", "nonsense"];
    const probes = [
      exec("yes"),
      {
        ...exec("head -c 6000000 /dev/zero | tr '\\0' x; exit 3"),
        timeoutSeconds: 9,
      },
      get(8001),
      get(8002),
      get(8003),
      get(8004),
    ];
    await apply(aPod("calm"));
    await ready("app=calm", 1);
    const beforeMiB = await residentMiB();
    for (const [at, name] of names.entries()) {
      const readinessProbe = probes[at] ?? exec("true");
      await apply(aPod(name, {
        containers: [aContainer(script, { readinessProbe })],
      }));
    }
    await ready("app=much", 1, 30_000);
    await ready("app=away", 1, 30_000);
    const words = new Map([
      [
        "prints",
        /Unhealthy \S+ Readiness probe failed: command timed out: "sh -c yes" timed out after 2s/,
      ],
      ["fails", /Unhealthy \S+ Readiness probe failed: x{1000}/],
      [
        "away",
        /ProbeWarning \S+ Readiness probe warning: Probe terminated redirects/,
      ],
      ["drips", /Unhealthy \S+ Readiness probe failed: /],
      [
        "nonsense",
        /Unhealthy \S+ Readiness probe failed: Get "http:[^]*malformed HTTP/,
      ],
    ]);
    for (const [name, expected] of words) {
      await until(
        `what is told of ${name}`,
        async () => expected.test(await eventsOf(name)),
      );
    }
    await pause(3_000);
    const grownMiB = await residentMiB() - beforeMiB;
    // Of answers of up to 16 MiB each, a few copies until they are collected.
    assert.ok(grownMiB < 96, `${grownMiB} MiB more`);
    console.info(`grown by ${Math.round(grownMiB)} MiB`);
    // Nobody else waits.
    await apply(aPod("late"));
    await ready("app=late", 1, 15_000);
  },
);

memberTest(
  "S38 last words are a short file, whatever is put in its place",
  async () => {
    const own = "/pods/$UID/containers/app";
    const cases = new Map([
      [
        "huge",
        "head -c 30000000 /dev/zero | tr '\\0' y > /dev/termination-log",
      ],
      ["fifo", "f=$(ls -d $own/*); rm $f; mkfifo $f"],
      ["link", "f=$(ls -d $own/*); rm $f; ln -s /etc/hostname $f"],
      ["device", "f=$(ls -d $own/*); rm $f; mknod $f c 1 5"],
      ["folder", "f=$(ls -d $own/*); rm $f; mkdir $f"],
      ["linked", `mv $own $own-; ln -s /etc $own`],
    ]);
    for (const [name, script] of cases) {
      const env = [{
        name: "UID_",
        valueFrom: { fieldRef: { fieldPath: "metadata.uid" } },
      }];
      await apply(aPod(name, {
        restartPolicy: "Never",
        volumes: [{ name: "pods", hostPath: { path: PODS_DIR } }],
        containers: [
          aContainer(`own=${own.replace("$UID", "$UID_")}; ${script}; exit 3`, {
            env,
            volumeMounts: [{ name: "pods", mountPath: "/pods" }],
          }),
        ],
      }));
    }
    for (const name of cases.keys()) {
      const found = await inPhase(name, "Failed");
      const message = found.status?.containerStatuses?.[0]?.state?.terminated
        ?.message ?? "";
      if (name === "huge") assert.equal(message, "y".repeat(4096));
      else {
        assert.match(
          message,
          /^Error on reading termination log .*(regular file|link|Cannot)/,
          name,
        );
      }
    }
  },
);
