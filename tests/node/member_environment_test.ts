/** Containers get the environment that the kubelet would give them. */
import assert from "node:assert/strict";
import type { V1EnvVarSource } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

const LISTS = "env | sort; trap 'exit 0' TERM; sleep 1000 & wait";

/** What a container of a pod has written to its log. */
async function output(name: string, container = "app"): Promise<string[]> {
  const uid = (await pod(name))?.metadata?.uid;
  const file = `${world.root}/var/log/pods/default_${name}_${uid}/` +
    `${container}/0.log`;
  let lines: string[] = [];
  await until(`words of ${name}`, async () => {
    const text = await Deno.readTextFile(file).catch(() => "");
    lines = text.split("\n").filter((line) => line !== "")
      .map((line) => line.replace(/^\S+ std\w+ [FP] /, ""));
    return lines.some((line) => line.startsWith("PWD="));
  });
  return lines;
}

async function waitingOf(name: string, container = "app") {
  const statuses = (await pod(name))?.status?.containerStatuses ?? [];
  return statuses.find((each) => each.name === container)?.state?.waiting;
}

function from(name: string, valueFrom: V1EnvVarSource) {
  return { name, valueFrom };
}

async function sources(): Promise<void> {
  await apply({
    apiVersion: "v1",
    kind: "List",
    items: [{
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "env-c" },
      data: { a: "one", "b.c": "two", same: "from c", ["__proto__"]: "proto" },
    }, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "env-s" },
      stringData: { pw: "hunter2", same: "from s" },
    }, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "env-web" },
      spec: { clusterIP: "10.96.7.7", ports: [{ name: "http", port: 80 }] },
    }],
  });
}

memberTest("an environment has all its sources, in their order", async () => {
  await sources();
  const spec = {
    containers: [aContainer(LISTS, {
      resources: { limits: { memory: "64Mi" }, requests: { cpu: "10m" } },
      envFrom: [
        { configMapRef: { name: "env-c" } },
        { secretRef: { name: "env-s" } },
        { prefix: "P_", secretRef: { name: "env-s" } },
        { configMapRef: { name: "env-none", optional: true } },
      ],
      env: [
        {
          name: "A",
          value: "$(a) $(P_pw) $(ENV_WEB_SERVICE_PORT) $(no) $$(a)",
        },
        from("KEY", { configMapKeyRef: { name: "env-c", key: "b.c" } }),
        from("SECRET", { secretKeyRef: { name: "env-s", key: "pw" } }),
        from("a", {
          secretKeyRef: { name: "env-s", key: "none", optional: true },
        }),
        from("HOST_IP", { fieldRef: { fieldPath: "status.hostIP" } }),
        from("POD_IP", { fieldRef: { fieldPath: "status.podIP" } }),
        from("LABEL", { fieldRef: { fieldPath: "metadata.labels['app']" } }),
        from("MEM", {
          resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" },
        }),
        from("CPU", {
          resourceFieldRef: { resource: "requests.cpu", divisor: "1m" },
        }),
      ],
    })],
  };
  await apply(aPod("env", spec));
  const [made] = await ready("app=env", 1);
  const lines = new Set(await output("env"));
  const expected = [
    "A=one hunter2 80 $(no) $(a)",
    "CPU=10",
    `HOST_IP=${made?.status?.hostIP}`,
    "KEY=two",
    "LABEL=env",
    "MEM=64",
    `POD_IP=${made?.status?.podIP}`,
    "P_pw=hunter2",
    "SECRET=hunter2",
    "__proto__=proto",
    "a=one",
    "same=from s",
    "ENV_WEB_SERVICE_HOST=10.96.7.7",
    "ENV_WEB_SERVICE_PORT_HTTP=80",
    "ENV_WEB_PORT_80_TCP=tcp://10.96.7.7:80",
    "KUBERNETES_SERVICE_HOST=10.96.0.1",
    "KUBERNETES_SERVICE_PORT_HTTPS=443",
  ];
  assert.deepEqual(expected.filter((line) => !lines.has(line)), []);
  const log = await Deno.readTextFile(world.agentLog);
  assert.equal(log.includes("hunter2"), false, "no secret is logged");
  await kubectl("delete", "svc/env-web", "cm/env-c", "secret/env-s");
});

memberTest(
  "a container waits for what it refers to, and no longer",
  async () => {
    const env = [
      from("A", { configMapKeyRef: { name: "env-late", key: "k" } }),
      from("B", { secretKeyRef: { name: "env-late", key: "k" } }),
    ];
    await apply(aPod("late", { containers: [aContainer(LISTS, { env })] }));
    const says = (message: string) =>
      until(message, async () => {
        const waiting = await waitingOf("late");
        return waiting?.reason === "CreateContainerConfigError" &&
          waiting.message === message;
      });
    await says('configmap "env-late" not found');
    await kubectl("create", "configmap", "env-late", "--from-literal=x=1");
    await says("couldn't find key k in ConfigMap default/env-late");
    await kubectl("patch", "configmap", "env-late", "-p", '{"data":{"k":"1"}}');
    await says('secret "env-late" not found');
    const events = await kubectl("get", "events", "-o", "json");
    assert.ok(
      events.includes('Error: configmap \\"env-late\\" not found'),
      "an event tells of it",
    );
    const secret = ["secret", "generic", "env-late", "--from-literal=k=2"];
    await kubectl("create", ...secret);
    const createdMs = performance.now();
    await until("a running pod", async () => {
      const statuses = (await pod("late"))?.status?.containerStatuses;
      return statuses?.[0]?.state?.running !== undefined;
    });
    const tookMs = Math.round(performance.now() - createdMs);
    console.log(`started ${tookMs} ms after the secret was there`);
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    await kubectl("delete", "cm/env-late", "secret/env-late");
  },
);

memberTest("a variable is read from a file of the pod", async () => {
  const volumeMounts = [{ name: "v", mountPath: "/v" }];
  const writes = "printf \"# x\\nKEY='a b\\nc'\\n\" > /v/env;" +
    "ln -s /etc/passwd /v/link; trap 'exit 0' TERM; sleep 1000 & wait";
  const file = (path: string) =>
    from("FROM_FILE", { fileKeyRef: { volumeName: "v", path, key: "KEY" } });
  await apply(aPod("filed", {
    volumes: [{ name: "v", emptyDir: {} }],
    containers: [
      aContainer(writes, { name: "writer", volumeMounts }),
      aContainer(`echo "<$FROM_FILE>"; ${LISTS}`, {
        volumeMounts,
        env: [file("env")],
      }),
      aContainer(LISTS, {
        name: "thief",
        volumeMounts,
        env: [file("link")],
      }),
    ],
  }));
  const [first, second] = await output("filed");
  assert.deepEqual([first, second], ["<a b", "c>"]);
  const waiting = await waitingOf("filed", "thief");
  assert.equal(waiting?.reason, "CreateContainerConfigError");
  assert.match(waiting?.message ?? "", /^couldn't parse env file/);
});
