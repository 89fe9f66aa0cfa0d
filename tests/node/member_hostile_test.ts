/**
 * Hostile pods on a real node: what they name, print, answer and put in the
 * place of files neither reaches the host nor holds the agent up.
 */
import assert from "node:assert/strict";
import type { V1Pod } from "../../lib/api/types.ts";
import { until } from "./agent_world.ts";
import { exchange } from "../fakes/exchange.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  memberTest,
  pod,
  restarts,
} from "./member_world.ts";
import { PODS_DIR } from "./volume_world.ts";

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
