/** What people run on a cluster does what they expect, on a real one. */
import assert from "node:assert/strict";
import { BUSYBOX, OBEDIENT, until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  gone,
  inPhase,
  isReady,
  kubectl,
  memberTest,
  pod,
  pods,
  ready,
  template,
} from "./member_world.ts";

memberTest("kubectl run, and delete", async () => {
  await kubectl(
    ...["run", "web", `--image=${BUSYBOX}`, "--image-pull-policy=IfNotPresent"],
    ...["--command", "--", "sh", "-c", OBEDIENT],
  );
  const [web] = await ready("run=web", 1);
  assert.equal(web?.status?.phase, "Running");
  assert.match(web?.status?.podIP ?? "", /^10\./);
  assert.equal(web?.status?.hostIP, web?.status?.hostIPs?.[0]?.ip);
  assert.equal(web?.status?.qosClass, "BestEffort");
  assert.equal(web?.status?.containerStatuses?.[0]?.restartCount, 0);
  await kubectl("delete", "pod", "web");
  assert.equal(await pod("web"), undefined);
});

memberTest("a Deployment of 20 scales, rolls and goes", async () => {
  await apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "many" },
    spec: {
      replicas: 20,
      selector: { matchLabels: { app: "many" } },
      template: template("many"),
    },
  });
  await ready("app=many", 20);
  await kubectl("scale", "deployment", "many", "--replicas=5");
  await until("5 pods", async () => (await pods("app=many")).length === 5);
  await kubectl("set", "env", "deployment/many", "ROUND=2");
  await kubectl("rollout", "status", "deployment/many", "--timeout=60s");
  const after = await ready("app=many", 5);
  const envs = after.map(({ spec }) => spec?.containers[0]?.env?.[0]?.value);
  assert.deepEqual(envs, ["2", "2", "2", "2", "2"]);
  await kubectl("delete", "deployment", "many");
  await until("no pods", async () => (await pods("app=many")).length === 0);
});

memberTest("a DaemonSet has one pod here", async () => {
  await apply({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "each" },
    spec: {
      selector: { matchLabels: { app: "each" } },
      template: template("each"),
    },
  });
  await kubectl("rollout", "status", "daemonset/each", "--timeout=60s");
  await ready("app=each", 1);
});

memberTest("a Job succeeds, and one fails", async () => {
  const job = (name: string, script: string) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      backoffLimit: 0,
      template: template(name, {
        restartPolicy: "Never",
        containers: [aContainer(script)],
      }),
    },
  });
  await apply(job("good", "echo done"));
  await apply(job("bad", "exit 3"));
  const wait = (name: string, condition: string) =>
    kubectl("wait", `job/${name}`, `--for=condition=${condition}`);
  await wait("good", "Complete");
  await wait("bad", "Failed");
  const [good] = await pods("app=good");
  assert.equal(good?.status?.phase, "Succeeded");
  const ended = good?.status?.containerStatuses?.[0]?.state?.terminated;
  assert.deepEqual([ended?.reason, ended?.exitCode], ["Completed", 0]);
  const [bad] = await pods("app=bad");
  assert.equal(bad?.status?.phase, "Failed");
  const failed = bad?.status?.containerStatuses?.[0]?.state?.terminated;
  assert.deepEqual([failed?.reason, failed?.exitCode], ["Error", 3]);
});

memberTest("a StatefulSet keeps its order and names", async () => {
  await apply({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "ordered" },
    spec: {
      replicas: 3,
      serviceName: "ordered",
      selector: { matchLabels: { app: "ordered" } },
      template: template("ordered"),
    },
  });
  const found = await ready("app=ordered", 3);
  assert.deepEqual(
    found.map(({ metadata }) => metadata?.name).sort(),
    ["ordered-0", "ordered-1", "ordered-2"],
  );
  const before = found.find(({ metadata }) => metadata?.name === "ordered-1");
  await kubectl("delete", "pod", "ordered-1");
  await until("another ordered-1", async () => {
    const now = await pod("ordered-1");
    return now !== undefined && isReady(now) &&
      now.metadata?.uid !== before?.metadata?.uid;
  });
});

memberTest("a CronJob runs its job", async () => {
  await apply({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "often" },
    spec: {
      schedule: "0 0 1 1 *",
      jobTemplate: {
        spec: {
          template: template("often", {
            restartPolicy: "OnFailure",
            containers: [aContainer("echo now")],
          }),
        },
      },
    },
  });
  // Its minute may be long in coming.
  await kubectl("create", "job", "now", "--from=cronjob/often");
  await kubectl("wait", "job/now", "--for=condition=Complete");
});

memberTest("a deletion's grace is honoured, and shortened", async () => {
  const deaf = aContainer("trap '' TERM; sleep 1000 & wait; sleep 1000");
  const spec = { terminationGracePeriodSeconds: 60, containers: [deaf] };
  await apply(aPod("deaf", spec));
  await ready("app=deaf", 1);
  await kubectl("delete", "pod", "deaf", "--wait=false");
  await until(
    "the stop to begin",
    async () => /^Killing /m.test(await eventsOf("deaf")),
  );
  assert.equal((await pod("deaf"))?.status?.phase, "Running");
  await kubectl(
    ...["delete", "pod", "deaf", "--grace-period=1", "--wait=false"],
  );
  await gone("deaf");
});

memberTest("a pod that is deleted by force is cleaned", async () => {
  await apply(aPod("forced"));
  await ready("app=forced", 1);
  await kubectl("delete", "pod", "forced", "--force", "--grace-period=0");
  await apply(aPod("forced"));
  await ready("app=forced", 1);
});

memberTest("a pod that restarts says how often and why", async () => {
  const containers = [aContainer("exit 7")];
  await apply(aPod("crasher", { containers }));
  await until("a crash loop", async () => {
    const status = (await pod("crasher"))?.status?.containerStatuses?.[0];
    return status?.state?.waiting?.reason === "CrashLoopBackOff" &&
      status.lastState?.terminated?.exitCode === 7 &&
      status.restartCount > 0;
  });
});

memberTest("an ended pod stays as it ended", async () => {
  const containers = [aContainer("exit 0")];
  await apply(aPod("once", { restartPolicy: "Never", containers }));
  const before = await inPhase("once", "Succeeded");
  await kubectl("annotate", "pod", "once", "touched=yes");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = await pod("once");
  assert.deepEqual(after?.status, before.status);
});
