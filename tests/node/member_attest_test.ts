/**
 * An attestor of workloads, as SPIRE's `k8s` plugin is: it knows a process,
 * reads of its cgroup which container that is, and asks the node whose it is,
 * with the role that deploy/rbac gives to such.
 */
import assert from "node:assert/strict";
import { CHECKOUT, OBEDIENT, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  kubectl,
  memberTest,
  ready,
} from "./member_world.ts";
import { type Answer, asking, tokenOf } from "./server_world.ts";
import type { V1Pod } from "../../lib/api/types.ts";

const ACCOUNT = "attestor";
const ROLE = "denolet:node-pods-reader";
const MARK = "attested-workload";
/** As the plugin's own: the pod's uid, and the container at the very end. */
const CGROUP = new RegExp(
  "[-/_.:]pod([0-9a-f]{8}[-_]?(?:[0-9a-f]{4}[-_]?){3}[0-9a-f]{12})[-/_.:]" +
    "(?:[^-/_.:]+[-/_.:])*?([0-9a-f]{64})(?:\\.scope)?$",
);

/** Any process whose command line has the word: its pod and container. */
async function attested(): Promise<{ uid: string; container: string }> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (!words.includes(`: ${MARK}`)) continue;
    const lines = await Deno.readTextFile(`/proc/${name}/cgroup`);
    for (const line of lines.split("\n")) {
      const [, uid, container] = CGROUP.exec(line) ?? [];
      if (uid !== undefined && container !== undefined) {
        return { uid: uid.replaceAll("_", "-"), container };
      }
    }
  }
  throw new Error(`no process runs ${MARK}`);
}

async function withRole(work: () => Promise<void>): Promise<void> {
  await kubectl("apply", "-f", `${CHECKOUT}deploy/rbac/readers.yaml`);
  await kubectl("create", "serviceaccount", ACCOUNT);
  try {
    await kubectl(
      ...["create", "clusterrolebinding", ACCOUNT, `--clusterrole=${ROLE}`],
      `--serviceaccount=default:${ACCOUNT}`,
    );
    await work();
  } finally {
    await kubectl("delete", "-f", `${CHECKOUT}deploy/rbac/readers.yaml`);
    const gone = "--ignore-not-found";
    await kubectl("delete", "clusterrolebinding", ACCOUNT, gone);
    await kubectl("delete", "serviceaccount", ACCOUNT, gone);
  }
}

memberTest("an attestor finds whose process it is by /pods", async () => {
  await withRole(async () => {
    await apply(aPod("workload", {
      containers: [aContainer("app", {
        command: ["sh", "-c", `: ${MARK}; ${OBEDIENT}`],
      })],
    }));
    await ready("app=workload", 1);
    const { uid, container } = await attested();
    const token = await tokenOf(ACCOUNT);
    let answer: Answer | undefined;
    // A role is known to the API server a moment later.
    await until("an answer", () =>
      asking({ token }, async (ask) => {
        answer = await ask("GET", "/pods");
        return answer.status === 200;
      }));
    const { kind, apiVersion, items }: {
      readonly kind: string;
      readonly apiVersion: string;
      readonly items: readonly V1Pod[];
    } = JSON.parse(answer?.text ?? "");
    assert.deepEqual([kind, apiVersion], ["PodList", "v1"]);
    const found = items.find(({ metadata }) => metadata?.uid === uid);
    assert.ok(found !== undefined);
    const { metadata, spec, status } = found;
    const own = status?.containerStatuses?.find(({ containerID }) =>
      containerID === `containerd://${container}`
    );
    assert.ok(own !== undefined, "the container that the process is in");
    // What the plugin makes selectors of.
    assert.deepEqual(
      [metadata?.namespace, metadata?.name, metadata?.labels?.["app"]],
      ["default", "workload", "workload"],
    );
    assert.deepEqual(
      [spec?.serviceAccountName, spec?.nodeName, own.name],
      ["default", world.name, "app"],
    );
    assert.match(own.image, /busybox/);
    assert.match(own.imageID, /sha256:[0-9a-f]{64}$/);
    await asking({ token }, async (ask) => {
      const others = ["/metrics", "/configz", "/exec/default/workload/app"];
      for (const path of others) {
        assert.equal((await ask("GET", path)).status, 403, path);
      }
    });
  });
});
