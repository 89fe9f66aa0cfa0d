/**
 * Secrets planted wherever the agent meets them are in no line of its log, not
 * even of the most talkative one, and in no event or explanation.
 */
import assert from "node:assert/strict";
import { stopAgent } from "../../deploy/world.ts";
import { askAgent } from "../../deploy/world/agent.ts";
import { memberFiles, startMember } from "../../deploy/cluster/agent.ts";
import { readBootstrapToken } from "../../deploy/cluster/pki.ts";
import { agentLog, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

/** A word that is nowhere else, by where it is planted. */
const planted = new Map<string, string>();

function plant(place: string): string {
  const word = `planted-${crypto.randomUUID().slice(0, 13)}`;
  planted.set(place, word);
  return word;
}

async function secret(name: string, type: string, data: object) {
  const metadata = { name };
  const kind = { apiVersion: "v1", kind: "Secret" };
  await apply({ ...kind, metadata, type, stringData: data });
}

function registry(password: string): string {
  const auth = btoa(`user:${password}`);
  planted.set("registry auth", auth);
  const entry = { username: "user", password, auth };
  return JSON.stringify({ auths: { "registry.invalid": entry } });
}

/** Lines from the middle of keys and tokens that the agent holds itself. */
async function plantOwn(): Promise<void> {
  const { certDir } = memberFiles(cluster);
  for (
    const name of ["kubelet-client-current.pem", "kubelet-server-current.pem"]
  ) {
    const pem = await Deno.readTextFile(`${certDir}/${name}`);
    const lines = (pem.split("PRIVATE KEY-----")[1] ?? "").split("\n");
    planted.set(name, lines[2] ?? "");
  }
  planted.set("bootstrap", (await readBootstrapToken(cluster)).slice(7));
}

memberTest("S22 S23 no secret is told, at the highest verbosity", async () => {
  await stopAgent(world);
  const mark = (await agentLog()).length;
  await startMember(world, ["--v=10"]);
  await until(
    "a serving certificate",
    () => plantOwn().then(() => true, () => false),
  );
  await secret("words", "Opaque", { key: plant("secret in the environment") });
  await secret("file", "Opaque", { key: plant("secret in a volume") });
  await secret("pull", "kubernetes.io/dockerconfigjson", {
    ".dockerconfigjson": registry(plant("pull secret")),
  });
  await secret("broken", "kubernetes.io/dockercfg", {
    ".dockercfg": JSON.stringify({
      "registry.invalid": { auth: plant("pull secret that is broken") },
    }),
  });
  const headers = [
    { name: "Authorization", value: `Bearer ${plant("header of a probe")}` },
  ];
  const httpGet = { port: 9, path: "/x", httpHeaders: headers };
  const hook = {
    httpGet: {
      port: 9,
      path: "/x",
      httpHeaders: [{ name: "Cookie", value: plant("header of a hook") }],
    },
  };
  const probe = { httpGet, periodSeconds: 1, failureThreshold: 1 };
  const env = [
    {
      name: "WORD",
      valueFrom: { secretKeyRef: { name: "words", key: "key" } },
    },
    { name: "PLAIN", value: plant("literal environment") },
  ];
  const volumes = [{ name: "v", secret: { secretName: "file" } }];
  const own = { env, volumeMounts: [{ name: "v", mountPath: "/v" }] };
  await apply(aPod("keeper", {
    volumes,
    containers: [aContainer(undefined, { ...own, readinessProbe: probe })],
  }));
  await apply(aPod("hooked", {
    containers: [
      aContainer(undefined, { env, lifecycle: { postStart: hook } }),
    ],
  }));
  await apply(aPod("puller", {
    imagePullSecrets: [{ name: "pull" }, { name: "broken" }],
    containers: [aContainer("true", { env, image: "registry.invalid/x:1" })],
  }));
  // A word of the environment in what cannot start.
  await apply(aPod("misled", {
    volumes,
    containers: [aContainer("true", {
      ...own,
      command: ["/no/such/program", plant("argument")],
    })],
  }));
  await apply(aPod("calm", {
    volumes,
    containers: [aContainer(undefined, own)],
  }));
  await ready("app=calm", 1);
  await until("the failures", async () => {
    const said = await kubectl("get", "events");
    return /Unhealthy.*keeper/.test(said) && /FailedPostStartHook/.test(said) &&
      /Failed.*puller/.test(said) && /Failed.*misled/.test(said);
  });
  const token = await kubectl(
    ...["exec", "calm", "--", "cat"],
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
  );
  planted.set("token of a pod", token.slice(-40));
  await kubectl("delete", "pod", "calm", "--wait=false");
  await until("its end", async () => await pod("calm") === undefined);
  const texts = new Map([["log", await agentLog(mark)]]);
  for (const name of ["keeper", "hooked", "puller", "misled"]) {
    texts.set(`explain ${name}`, await askAgent(world, "explain", name));
  }
  texts.set("explain", await askAgent(world, "explain"));
  assert.ok((texts.get("log") ?? "").length > 1000, "it is talkative");
  for (const [place, word] of planted) {
    assert.ok(word.length > 12, place);
    for (const [where, text] of texts) {
      // The runtime's own words name the program that it cannot start.
      assert.ok(!text.includes(word), `${place} is in ${where}`);
    }
  }
});
