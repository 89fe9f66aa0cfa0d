/**
 * Hostile pods on a real node: what they name, print, answer and put in the
 * place of files neither reaches the host nor holds the agent up.
 */
import assert from "node:assert/strict";
import { agentPids } from "../../deploy/world/agent.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { pause, until, world } from "./agent_world.ts";
import { exchange } from "../fakes/exchange.ts";
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
} from "./member_world.ts";

const PODS_DIR = `${world.root}/var/lib/kubelet/pods`;

function checks(lines: readonly string[]): string {
  return lines.map((line, at) => `(${line}) || exit ${at + 1}`).join("\n");
}

async function succeeds(name: string, lines: readonly string[]) {
  let found: V1Pod | undefined;
  await until(`the end of ${name}`, async () => {
    found = await pod(name);
    return /Succeeded|Failed/.test(found?.status?.phase ?? "");
  });
  const code = found?.status?.containerStatuses?.[0]?.state?.terminated
    ?.exitCode;
  assert.equal(code, 0, lines[(code ?? 0) - 1] ?? JSON.stringify(found));
}

/** What the agent has in memory now, in MiB. */
async function residentMiB(): Promise<number> {
  const [pid] = await agentPids(world);
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
}

function restarts(found: V1Pod | undefined): number {
  return found?.status?.containerStatuses?.[0]?.restartCount ?? 0;
}

memberTest(
  "S19 S46 S47 odd names and great numbers arrive as they are",
  async () => {
    const odd = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const data = new Map(odd.map((key) => [key, `value of ${key}`]));
    await apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "odd" },
      data: Object.fromEntries(data),
    });
    const shell = "a b;$(touch x)`touch y`";
    const lines = [
      ...odd.map((key) => `env | grep -qx "${key}=value of ${key}"`),
      ...odd.map((key) => `test "$(cat /v/map/${key})" = "value of ${key}"`),
      "grep -qx 'constructor=\"c\"' /v/labels",
      "grep -qx 'valueOf=\"v\"' /v/annotations",
      "test $(ls /v/map | wc -l) = 4",
      'test "$(cat "/v/$SHELL_TEXT")" = "value of toString"',
      'test "$SHELL_TEXT" = \'' + shell + "'",
      "test $(id -u) = 2147483647",
      "id -G | grep -qw 2147483646",
      "! ls /x /y /v/x /v/y 2>/dev/null",
    ];
    const file = (path: string, field: string) => ({
      path,
      fieldRef: { fieldPath: `metadata.${field}` },
    });
    const made = aPod("odd", {
      restartPolicy: "Never",
      securityContext: { runAsUser: 2147483647, fsGroup: 2147483646 },
      containers: [aContainer(checks(lines), {
        env: [{ name: "SHELL_TEXT", value: shell }],
        envFrom: [{ configMapRef: { name: "odd" } }],
        ports: [{ containerPort: 65535 }],
        volumeMounts: [
          { name: "v", mountPath: "/v" },
          { name: "e", mountPath: `/e ${shell.replaceAll("`", "'")}` },
        ],
      })],
      volumes: [{ name: "e", emptyDir: {} }, {
        name: "v",
        projected: {
          sources: [
            {
              configMap: {
                name: "odd",
                items: odd.map((key) => ({ key, path: `map/${key}` })),
              },
            },
            {
              configMap: {
                name: "odd",
                items: [{ key: "toString", path: shell }],
              },
            },
            {
              downwardAPI: {
                items: [
                  file("labels", "labels"),
                  file("annotations", "annotations"),
                ],
              },
            },
          ],
        },
      }],
    });
    await apply({
      ...made,
      metadata: {
        name: "odd",
        labels: { constructor: "c" },
        annotations: { valueOf: "v" },
      },
    });
    await succeeds("odd", lines);
  },
);

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

memberTest(
  "S02 a name that is swapped while pods start never leads out",
  async () => {
    const count = 12;
    const containers = Array.from(
      { length: count },
      (_, at) =>
        aContainer("ls /v; test -e /v/inside && ! test -e /v/passwd", {
          name: `c${at}`,
          volumeMounts: [{ name: "v", mountPath: "/v", subPath: "d" }],
        }),
    );
    await apply(aPod("raced", {
      restartPolicy: "OnFailure",
      volumes: [{ name: "v", emptyDir: {} }],
      initContainers: [
        aContainer(
          "mkdir /v/d; touch /v/d/inside; ln -s /etc /v/l; " +
            "until test -e /v/go; do sleep 0.05; done",
          { name: "first", volumeMounts: [{ name: "v", mountPath: "/v" }] },
        ),
      ],
      containers,
    }));
    let volume = "";
    await until("its volume", async () => {
      const uid = (await pod("raced"))?.metadata?.uid;
      volume = `${PODS_DIR}/${uid}/volumes/kubernetes.io~empty-dir/v`;
      return await Deno.lstat(`${volume}/l`).then(() => true, () => false);
    });
    const swapper = exchange(`${volume}/d`, `${volume}/l`);
    try {
      await Deno.writeTextFile(`${volume}/go`, "");
      await until("most to have ended", async () => {
        const statuses = (await pod("raced"))?.status?.containerStatuses ?? [];
        const seen = statuses.filter(({ state, lastState }) =>
          state?.terminated !== undefined || lastState?.terminated !== undefined
        );
        return seen.length >= count - 4;
      }, 30_000);
    } finally {
      swapper.terminate();
    }
    const found = await pod("raced");
    for (
      const { name, state, lastState } of found?.status?.containerStatuses ?? []
    ) {
      // A container that saw anything else than the directory ended otherwise.
      for (const { terminated } of [state ?? {}, lastState ?? {}]) {
        if (terminated !== undefined) {
          assert.equal(terminated.exitCode, 0, name);
        }
      }
    }
  },
);

memberTest(
  "S08 S17 what a pod may not have is refused at every start",
  async () => {
    const securityContext = { runAsNonRoot: true };
    await apply(
      aPod("root", { containers: [aContainer("id", { securityContext })] }),
    );
    await apply(aPod("user", {
      containers: [
        aContainer("test $(id -u) = 1000 && sleep 0.2; exit 3", {
          securityContext: { ...securityContext, runAsUser: 1000 },
        }),
      ],
    }));
    const repository = "https://example.com/x.git";
    await apply(aPod("git", {
      volumes: [{ name: "v", gitRepo: { repository } }],
      containers: [
        aContainer("true", { volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      ],
    }));
    await until(
      "the refusals",
      async () =>
        /container has runAsNonRoot and image will run as root/.test(
          await eventsOf("root"),
        ) && /gitRepo|GitRepo/.test(await eventsOf("git")),
    );
    await until(
      "a second start",
      async () => restarts(await pod("user")) >= 1,
      30_000,
    );
    assert.equal(restarts(await pod("root")), 0);
    const { status } = await pod("git") ?? {};
    assert.equal(status?.containerStatuses?.[0]?.state?.running, undefined);
  },
);
