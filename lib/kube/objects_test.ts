import assert from "node:assert/strict";
import { inspect } from "node:util";
import { kubeOptions } from "../../tests/contract/cluster_real.ts";
import { failure } from "../../tests/contract/harness.ts";
import {
  answerJson,
  FakeServer,
  kubeconfigFor,
  type Script,
} from "../../tests/fakes/fake_cluster_server.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { podUid } from "../api/id.ts";
import type { ClusterObjects } from "../port/cluster.ts";
import { kubeconfigs } from "./open.ts";

const SECRET = { namespace: "prod", name: "s" };
const TOKEN = {
  namespace: "prod",
  serviceAccount: "default",
  expirationSeconds: 3607,
  pod: { name: "p", uid: podUid("u1") },
};
const signal = new AbortController().signal;

async function withServer(
  script: Script,
  check: (objects: ClusterObjects) => Promise<void>,
): Promise<void> {
  const server = await FakeServer.open(script);
  const files = new FakeFiles("follow");
  files.put("/kube.conf", kubeconfigFor(server));
  const cluster = kubeconfigs(kubeOptions({ files }))
    .open({ path: "/kube.conf" });
  try {
    await check(cluster.objects);
  } finally {
    cluster.close();
    await server.close();
    // Sockets close a moment after they are told to.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

Deno.test("KubeObjects quotes nothing of a broken answer", async () => {
  const script: Script = (_request, answer) => {
    answer.end('{"data": {"password": "aHVudGVyMg=="},, "aHVudGVyMg=="');
  };
  await withServer(script, async (objects) => {
    for (
      const work of [
        objects.secret(SECRET, signal),
        objects.createToken(TOKEN, signal),
      ]
    ) {
      const error = await failure(work, "retry");
      assert.match(error.message, /is not JSON$/);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /aHVudGVy/);
    }
  });
});

Deno.test("KubeObjects asks for a token that is bound to its pod", async () => {
  const bodies: unknown[] = [];
  const script: Script = (request, answer) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => text += part);
    request.on("end", () => {
      bodies.push([request.method, request.url, JSON.parse(text).spec]);
      answerJson(answer, 201, {
        status: { token: "t", expirationTimestamp: "2026-01-02T03:04:05Z" },
      });
    });
  };
  await withServer(script, async (objects) => {
    assert.deepEqual(await objects.createToken(TOKEN, signal), {
      token: "t",
      expiresAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    });
    await objects.createToken({ ...TOKEN, audience: "vault" }, signal);
  });
  const path = "/api/v1/namespaces/prod/serviceaccounts/default/token";
  const spec = {
    expirationSeconds: 3607,
    boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p", uid: "u1" },
  };
  assert.deepEqual(bodies, [
    ["POST", path, spec],
    ["POST", path, { audiences: ["vault"], ...spec }],
  ]);
});

Deno.test("KubeObjects takes no answer without a token for one", async () => {
  for (
    const status of [{}, { token: "t" }, {
      token: "",
      expirationTimestamp: "x",
    }]
  ) {
    const script: Script = (request, answer) => {
      request.resume();
      answerJson(answer, 201, { status });
    };
    await withServer(script, async (objects) => {
      await failure(objects.createToken(TOKEN, signal), "retry");
    });
  }
});
