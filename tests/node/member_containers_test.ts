/** Init containers, sidecars, ephemeral ones and deadlines, on a real node. */
import assert from "node:assert/strict";
import type { V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { BUSYBOX, OBEDIENT, until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  inPhase,
  kubectl,
  memberTest,
  pod,
  pods,
  ready,
  restartMember,
  template,
} from "./member_world.ts";

/** What each container that runs writes its name into, one line a run. */
const RUNS = { name: "runs", mountPath: "/runs" };

function step(name: string, script: string, own: object = {}) {
  return aContainer(`echo ${name} >> /runs/log; ${script}`, {
    name,
    volumeMounts: [RUNS],
    ...own,
  });
}

/** Fails unless exactly these have run, in this order. */
function ran(...names: readonly string[]): string {
  return `[ "$(tr '\\n' ' ' < /runs/log)" = "${names.join(" ")} " ]`;
}

/** Its containers share a file. */
function stepsSpec(spec: Partial<V1PodSpec>): Partial<V1PodSpec> {
  return {
    restartPolicy: "Never",
    volumes: [{ name: RUNS.name, emptyDir: {} }],
    containers: [step("app", "true")],
    ...spec,
  };
}

function initialized(found: V1Pod | undefined) {
  return found?.status?.conditions?.find(({ type }) => type === "Initialized");
}

memberTest("a Job with a sidecar runs in order, and ends", async () => {
  const spec = stepsSpec({
    initContainers: [
      step("one", "sleep 1"),
      step("proxy", OBEDIENT, { restartPolicy: "Always" }),
      step("two", "sleep 1; echo end >> /runs/log"),
    ],
    containers: [
      step("app", '[ "$(sort /runs/log | tr -d "\\n")" = appendoneproxytwo ]'),
    ],
  });
  await apply({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "steps" },
    spec: { backoffLimit: 0, template: template("steps", spec) },
  });
  await until("the first step", async () => {
    const [found] = await pods("app=steps");
    return found?.status?.initContainerStatuses?.[0]?.state?.running !==
      undefined;
  });
  const [during] = await pods("app=steps");
  assert.equal(during?.status?.phase, "Pending");
  assert.equal(initialized(during)?.reason, "ContainersNotInitialized");
  await kubectl("wait", "job/steps", "--for=condition=Complete");
  const [done] = await pods("app=steps");
  assert.equal(done?.status?.phase, "Succeeded");
  assert.equal(initialized(done)?.reason, "PodCompleted");
  const [one, proxy, two] = done?.status?.initContainerStatuses ?? [];
  assert.deepEqual([one?.name, two?.name], ["one", "two"]);
  assert.deepEqual([one?.ready, two?.ready], [true, true]);
  assert.notEqual(proxy?.state?.terminated, undefined);
});

memberTest("an init container that fails for good fails its pod", async () => {
  const initContainers = [
    step("proxy", OBEDIENT, { restartPolicy: "Always" }),
    step("bad", "exit 3"),
  ];
  await apply(aPod("bad", stepsSpec({ initContainers })));
  const { status } = await inPhase("bad", "Failed");
  const [proxy, bad] = status?.initContainerStatuses ?? [];
  assert.notEqual(proxy?.state?.terminated, undefined);
  assert.equal(bad?.state?.terminated?.exitCode, 3);
  const [app] = status?.containerStatuses ?? [];
  assert.equal(app?.state?.waiting?.reason, "PodInitializing");
});

memberTest("a pod's time is over, also when it is set later", async () => {
  await apply(aPod("short", { activeDeadlineSeconds: 2 }));
  await apply(aPod("later"));
  await ready("app=later", 1);
  const short = await inPhase("short", "Failed");
  assert.equal(short.status?.reason, "DeadlineExceeded");
  assert.equal(
    short.status?.message,
    "Pod was active on the node longer than the specified deadline",
  );
  const patch = { spec: { activeDeadlineSeconds: 1 } };
  await kubectl("patch", "pod", "later", `-p=${JSON.stringify(patch)}`);
  const later = await inPhase("later", "Failed");
  assert.equal(later.status?.reason, "DeadlineExceeded");
});

memberTest("kubectl debug sees the processes of its target", async () => {
  await apply(aPod("web", { containers: [aContainer("exec sleep 4321")] }));
  const [before] = await ready("app=web", 1);
  await kubectl(
    ...["debug", "web", `--image=${BUSYBOX}`, "-c", "look", "--target=app"],
    ...["--image-pull-policy=IfNotPresent", "--profile=general", "--"],
    ...["sh", "-c", "ps -o args | grep '[s]leep 4321'"],
  );
  let found: V1Pod | undefined;
  await until("the end of the look", async () => {
    found = await pod("web");
    const [look] = found?.status?.ephemeralContainerStatuses ?? [];
    return look?.state?.terminated !== undefined;
  });
  const [look] = found?.status?.ephemeralContainerStatuses ?? [];
  assert.equal(look?.state?.terminated?.exitCode, 0);
  assert.equal(look?.restartCount, 0);
  assert.equal(found?.status?.phase, "Running");
  assert.deepEqual(
    found?.status?.containerStatuses,
    before?.status?.containerStatuses,
  );
});

memberTest("killed in the middle of init, it runs nothing twice", async () => {
  const initContainers = [step("one", "sleep 2"), step("two", "sleep 1")];
  const containers = [step("app", ran("one", "two", "app"))];
  await apply(aPod("steps", stepsSpec({ initContainers, containers })));
  for (const name of ["one", "two"]) {
    await until(`${name} to run`, async () => {
      const found = (await pod("steps"))?.status?.initContainerStatuses
        ?.find((each) => each.name === name);
      return found?.state?.running !== undefined;
    });
    await restartMember("kill");
  }
  await inPhase("steps", "Succeeded");
});

memberTest("a rule starts the whole pod anew", async () => {
  const again = "[ -e /runs/again ] || { touch /runs/again; exit 88; }; " +
    ran("one", "app", "one", "app");
  const rules = [{
    action: "RestartAllContainers",
    exitCodes: { operator: "In", values: [88] },
  }];
  const spec = stepsSpec({
    initContainers: [step("one", "true")],
    containers: [
      step("app", again, { restartPolicy: "Never", restartPolicyRules: rules }),
    ],
  });
  await apply(aPod("anew", spec));
  const { status } = await inPhase("anew", "Succeeded");
  assert.equal(status?.containerStatuses?.[0]?.restartCount, 1);
  assert.equal(status?.initContainerStatuses?.[0]?.restartCount, 1);
});
