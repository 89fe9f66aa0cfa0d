/**
 * A member whose API server answers nonsense, or holds objects that nobody
 * would write: no crash, no flood of requests, no memory that runs away, the
 * static pod stays, and all is well again with the server.
 */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { readBootstrapToken } from "../../deploy/cluster/pki.ts";
import { get } from "../../deploy/cluster/request.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { pause, says, until, world } from "./agent_world.ts";
import {
  badTest,
  becomesReady,
  explained,
  file,
  FOLDER,
  forget,
  isStill,
  isWell,
  keepsQuiet,
  kubeconfig,
  rssMb,
  start,
  tells,
  type Well,
} from "./bad_member_world.ts";
import { BadServer, type Script } from "./bad_server.ts";
import {
  aContainer,
  aPod,
  cluster,
  gone,
  isReady,
  kubectl,
  pod,
} from "./member_world.ts";

const KUBECONFIG = `${FOLDER}/joined.conf`;
/** Of a loop of its own each: pods, the node, its status, its lease, events. */
const MOST_REQUESTS = 60;

/** A member by way of a server that can be made bad. */
async function through(
  fn: (server: BadServer, log: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await forget();
  const server = await BadServer.open(cluster);
  try {
    const token = await readBootstrapToken(cluster);
    const config = kubeconfig({
      cluster: { server: server.url },
      user: { token },
    });
    const bootstrap = await file("boot.conf", config);
    const log = await start({ kubeconfig: KUBECONFIG, bootstrap });
    await becomesReady();
    await fn(server, log);
  } finally {
    await server.close();
  }
}

function json(text: string): Script {
  return (_, answer) =>
    answer.writeHead(200, { "content-type": "application/json" }).end(text);
}

/** Says `start`, then `more` for ever. */
function endless(start: string, more: string): Script {
  const chunk = more.repeat(65_536 / more.length);
  return (_, answer) => {
    answer.writeHead(200, { "content-type": "application/json" });
    answer.write(start);
    pour(answer, chunk);
  };
}

function pour(answer: ServerResponse, chunk: string): void {
  if (answer.destroyed || answer.writableEnded) return;
  if (answer.write(chunk)) setTimeout(() => pour(answer, chunk), 0);
  else answer.once("drain", () => pour(answer, chunk));
}

const ANSWERS: readonly [string, Script, RegExp][] = [
  [
    "a web page",
    (_, answer) =>
      answer.writeHead(200, { "content-type": "text/html" })
        .end("<html>Welcome"),
    /the answer of https:\S+ is not JSON .*Welcome/,
  ],
  ["broken JSON", json('{"kind":"PodList","items":[{,'), /is not JSON/],
  ["another object", json('{"kind":"Secret"}'), /the answer is no list/],
  [
    "half an answer",
    (_, answer) => {
      answer.writeHead(200, { "content-length": 10_000 });
      answer.write('{"kind":');
      setTimeout(() => answer.destroy(), 20);
    },
    /closed the connection/,
  ],
  [
    "500 for ever",
    (_, answer) => answer.writeHead(500).end("boom"),
    /it answered 500 boom/,
  ],
  [
    "a way to somebody else",
    (_, answer) =>
      answer.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    /it answered 302/,
  ],
  ["blanks without end", endless("", " "), /longer than 65536 bytes/],
  [
    "an object without end",
    endless('{"a":"', "x"),
    /longer than (16777216|67108864) bytes|deadline/,
  ],
];

badTest("a server that answers nonsense is outlived", async (well) => {
  for (const [name, script, words] of ANSWERS) {
    await through(async (server, log) => {
      server.answer(script);
      await says(words, explained, 40_000);
      await outlived(well, server, name);
      await keepsQuiet([await readBootstrapToken(cluster)], log);
      server.answer(undefined);
      await says(/^All is well/, explained, 60_000);
      await becomesReady();
    });
  }
});

/** What 64 MiB of a list take on their way, several times over. */
const MOST_MB = 600;

/** Watched for five seconds. */
async function outlived(
  well: Well,
  server: BadServer,
  name: string,
): Promise<void> {
  const before = server.requests;
  let mostMb = 0;
  for (const endMs = Date.now() + 5_000; Date.now() < endMs;) {
    mostMb = Math.max(mostMb, await rssMb());
    await pause(50);
  }
  const count = server.requests - before;
  console.log(`${name}: ${count} requests in 5 s, ${Math.round(mostMb)} MB`);
  assert.ok(count < MOST_REQUESTS, `${name}: ${count} requests`);
  assert.ok(mostMb < MOST_MB, `${name}: ${mostMb} MB`);
  await isStill(well);
}

badTest("lists and watches with garbage in them are outlived", async (well) => {
  const items = '[null,3,"x",{},{"metadata":null},{"metadata":{"name":7,' +
    '"namespace":[],"labels":"no"},"spec":"no","status":[1]},' +
    '{"metadata":{"name":"../../x","uid":"../../y"},"spec":{"containers":' +
    '[null,{"name":5,"image":{}}],"volumes":{}}}]';
  const events = [
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":5}}}',
    '{"type":"MODIFIED","object":{"kind":"Status"}}',
    '{"type":"WHAT","object":{}}',
    "\u0000\u0001garbage",
  ].join("\n");
  await through(async (server) => {
    server.answer((request, answer) => {
      const isWatch = request.url?.includes("watch=true") === true;
      if (isWatch) answer.writeHead(200).end(`${events}\n`);
      else {
        json(`{"metadata":{"resourceVersion":"5"},"items":${items}}`)(
          request,
          answer,
        );
      }
    });
    await says(/the watch is garbled|not JSON|ended it at once/, explained);
    await outlived(well, server, "garbage in lists and watches");
    await isWell();
    server.answer(undefined);
    await says(/^All is well/, explained, 60_000);
    await becomesReady();
  });
});

badTest("a clock that is a year off is named", async (well) => {
  // The machine's own clock cannot be turned here: so the server's is.
  const server = await BadServer.open(cluster);
  try {
    const yearMs = 365 * 24 * 3_600_000;
    for (const [sign, word] of [[1, "behind"], [-1, "ahead of"]] as const) {
      const date = new Date(Date.now() + sign * yearMs).toUTCString();
      server.answer((_, answer) => {
        answer.sendDate = false;
        answer.writeHead(401, { date }).end();
      });
      const config = kubeconfig({
        cluster: { server: server.url },
        user: { token: "abcdef.0123456789abcdef" },
      });
      const bootstrap = await file("boot.conf", config);
      const log = await start({ kubeconfig: KUBECONFIG, bootstrap });
      const said = await tells(new RegExp(`365 d ${word}`), log);
      assert.match(said, /ClockWrong.*set it, or certificates seem invalid/);
      await isStill(well);
    }
  } finally {
    await server.close();
  }
});

/** Pods that an API server takes, and most of nobody's pods look like. */
function oddPods(): readonly V1Pod[] {
  const names = Array.from({ length: 5_000 }, (_, i) => i);
  const big = "y".repeat(20_000);
  return [
    odd("annotations", {}, {
      annotations: Object.fromEntries(
        names.map((i) => [`k${i}.example.com/aaaa`, "v".repeat(20)]),
      ),
    }),
    odd("labels", {}, {
      labels: { constructor: "x", toString: "y", hasOwnProperty: "z" },
    }),
    odd(`e${"x".repeat(61)}e`, { name: "c".repeat(63) }),
    odd("big", {
      env: names.slice(0, 45).map((i) => ({ name: `E${i}`, value: big })),
    }),
    odd("proto", {
      env: [{ name: "__proto__", value: "p" }],
    }),
    odd("numbers", {
      resources: {
        limits: { cpu: "9007199254740993", memory: "9223372036854775807" },
        requests: { cpu: "1m", memory: "1" },
      },
    }),
  ];
}

function odd(
  name: string,
  own: Parameters<typeof aContainer>[1],
  metadata: V1Pod["metadata"] = {},
): V1Pod {
  const made = aPod(name, {
    nodeName: world.name,
    automountServiceAccountToken: false,
    containers: [aContainer(undefined, own)],
  });
  return { ...made, metadata: { ...made.metadata, ...metadata } };
}

async function create(body: object): Promise<void> {
  const path = "/api/v1/namespaces/default/pods";
  await get(cluster, path, { method: "POST", body });
}

badTest(
  "odd pods of the API run, and long names are explained",
  async (well) => {
    await through(async (_, log) => {
      const unknown = { ...odd("unknown", {}).spec, whatIsThis: [{ a: 1 }] };
      const all = [...oddPods(), { ...odd("unknown", {}), spec: unknown }];
      for (const each of all) await create(each);
      const long = `n${".a".repeat(120)}${"-".repeat(11)}z`;
      await create(odd(long, {}, { labels: {} }));
      for (const { metadata } of all) {
        const name = metadata?.name ?? "";
        await until(`${name} to be ready`, async () => {
          const found = await pod(name);
          return found !== undefined && isReady(found);
        });
      }
      await until(
        "the unknown",
        async () => (await pod("unknown")) !== undefined,
      );
      const said = await says(/FailedCreatePodSandBox/, explained);
      assert.match(said, /n\.a.*Cannot create .*name too long/);
      await isWell();
      await isStill(well);
      const mark = (await log()).length;
      await pause(3_000);
      const lines = (await log()).slice(mark).split("\n");
      assert.ok(lines.length < 4, "one line a try, and fewer each time");
      await kubectl("delete", "pods", "--all", "--wait=false");
      await gone(long);
      for (const { metadata } of all) await gone(metadata?.name ?? "");
    });
  },
);

badTest("a node with odd labels and taints goes on", async (well) => {
  await through(async (_, log) => {
    const path = `/api/v1/nodes/${world.name}`;
    const body = {
      metadata: {
        labels: { constructor: "a", "kubernetes.io/hostname": "lie" },
        annotations: {
          "a/b": "x".repeat(200_000),
          "volumes.kubernetes.io/controller-managed-attach-detach": "{odd",
        },
      },
      spec: {
        taints: [{ key: "constructor", effect: "NoExecute" }],
        podCIDR: "10.255.0.0/24",
        podCIDRs: ["10.255.0.0/24"],
        providerID: "🙃://x",
        unschedulable: true,
      },
    };
    const contentType = "application/merge-patch+json";
    await get(cluster, path, { method: "PATCH", contentType, body });
    await pause(2_000);
    await isWell();
    await isStill(well);
    await becomesReady();
    // With the taint nothing new is let in, and it says so.
    // The controller of taints may delete a pod before anybody looks at it.
    let tries = 0;
    await until("a refusal", async () => {
      await create(odd(`kept-out-${tries++}`, {}));
      await pause(1_000);
      const events = await kubectl(
        ...["get", "events", "--field-selector=reason=TaintToleration"],
        ...["-o", "custom-columns=:.involvedObject.name", "--no-headers"],
      );
      return events.includes("kept-out-");
    });
    const patch = { spec: { taints: null, unschedulable: null } };
    await get(cluster, path, { method: "PATCH", contentType, body: patch });
    const { metadata } = await get<V1Pod>(cluster, path);
    assert.equal(metadata?.labels?.constructor, "a");
    assert.doesNotMatch(await log(), / ERRO /);
  });
});
