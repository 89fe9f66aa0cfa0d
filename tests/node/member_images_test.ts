/**
 * Images of a registry that wants to know who asks: pull secrets, credential
 * plugins, and that nobody is lent what another may pull.
 */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { ask } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import { findTools } from "../../deploy/world/containerd.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { agentLog, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  gone,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";
import { type Registry, startRegistry } from "./registry.ts";

const PASSWORD = "planted-right-password";
const WRONG = "planted-wrong-password";
const LOUD = ["--v=10", "--serialize-image-pulls=false"];

memberTest(
  "a private image takes its pull secret, and is lent to nobody",
  async () => {
    await using registry = await openRegistry();
    registry.passwords.set("private", PASSWORD);
    const image = `${registry.host}/private/app:1`;
    const mark = (await agentLog()).length;
    await restart(LOUD);
    await kubectl("delete", "secrets", "--all");
    await secret("right", { [registry.host]: login(PASSWORD) });
    await secret("wrong", { [registry.host]: login(WRONG) });
    await secret("broken", { x: { auth: PASSWORD } });
    await apply(imagePod("owner", image, { secrets: ["wrong", "right"] }));
    await ready("app=owner", 1);
    await says(
      "owner",
      /^Successfully pulled image "127\S+" in \S+ \(\S+ inclu/,
    );

    // The image is there by now; each of them has to prove itself all the same.
    await apply(imagePod("other", image, { secrets: ["right"] }));
    await apply(imagePod("wrong", image, { secrets: ["wrong"] }));
    await apply(imagePod("missing", image, { secrets: ["gone"] }));
    await apply(imagePod("broken", image, { secrets: ["broken"] }));
    await apply(imagePod("never", image, { policy: "Never" }));
    const exact = `${registry.host}/private/app@${registry.digest}`;
    await apply(imagePod("exact", exact, { secrets: ["right"] }));
    await ready("app=other", 1);
    await ready("app=exact", 1);
    await says(
      "other",
      /already present on machine and can be accessed by the/,
    );
    await waits("wrong", "ErrImagePull");
    await waits("missing", "ErrImagePull");
    await waits("broken", "ErrImagePull");
    await waits("never", "ErrImageNeverPull");
    await says(
      "missing",
      /^Unable to retrieve some image pull secrets \(gone\);/,
    );
    await says(
      "broken",
      /Cannot read pull secret default\/broken: an entry is n/,
    );

    await restart(LOUD, "kill");
    await apply(imagePod("later", image));
    await waits("later", "ErrImagePull");
    await apply(imagePod("again", image, { secrets: ["right"] }));
    await ready("app=again", 1);
    const [owner] = await ready("app=owner", 1);
    const id = owner?.status?.containerStatuses?.[0]?.imageID ?? "";
    assert.equal(id, exact);
    await kubectl("delete", "secrets", "--all");
    assert.deepEqual(await planted(mark), []);
  },
);

memberTest("a credential plugin gives what the registry wants", async () => {
  await using registry = await openRegistry();
  registry.passwords.set("cloud", PASSWORD);
  const folder = `${world.root}/etc/plugins`;
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  await program(`${folder}/bin/good`, answerOf(registry));
  await program(`${folder}/bin/bad`, `echo ${WRONG}`);
  await program(`${folder}/bin/barred`, answerOf(registry));
  const providers = [
    provider("barred", ["127.0.0.1.example.org", "*.*.*.*:1"]),
    provider("bad", [registry.host]),
    provider("good", [`127.*.0.1:${registry.host.split(":")[1]}/cloud`]),
  ];
  await Deno.writeTextFile(
    `${folder}/config.json`,
    JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1",
      kind: "CredentialProviderConfig",
      providers,
    }),
  );
  const flags = [
    ...LOUD,
    `--image-credential-provider-config=${folder}/config.json`,
    `--image-credential-provider-bin-dir=${folder}/bin`,
  ];
  const mark = (await agentLog()).length;
  const image = `${registry.host}/cloud/app:1`;
  await restart(flags, "terminate", [
    `${folder}/bin/good`,
    `${folder}/bin/bad`,
  ]);
  await apply(imagePod("plugged", image));
  await ready("app=plugged", 1);
  const asked = await Deno.readTextFile(`${folder}/bin/good.asked`);
  assert.deepEqual(JSON.parse(asked), {
    kind: "CredentialProviderRequest",
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    image: `${registry.host}/cloud/app`,
  });
  assert.match(await agentLog(mark), /bin\/bad: its answer is not a JSON/);
  assert.deepEqual(await planted(mark), []);

  // Without the permission the pull says what is missing.
  await restart(flags);
  await apply(imagePod("barred", `${image}-2`));
  await waits("barred", "ErrImagePull");
  await says("barred", /--allow-run=\S+\/bin\/good\b/);
});

memberTest(
  "a pull that hangs ends with its pod, and the next begins",
  async () => {
    await using registry = await openRegistry();
    registry.hanging.add("slow");
    await restart(["--serialize-image-pulls=true"]);
    await apply(imagePod("stuck", `${registry.host}/slow/app:1`));
    await says("stuck", /^Pulling image/);
    await apply(imagePod("next", `${registry.host}/quick/app:1`));
    await kubectl("delete", "pod", "stuck", "--wait=false");
    await ready("app=next", 1);
    await gone("stuck");
  },
);

async function openRegistry(): Promise<Registry> {
  const { imagesFolder } = await findTools();
  return await startRegistry(`${imagesFolder}/busybox.tar`);
}

async function restart(
  flags: readonly string[],
  how: "terminate" | "kill" = "terminate",
  programs: readonly string[] = [],
): Promise<void> {
  await stopAgent(world, how);
  await startMember(world, flags, programs);
}

function imagePod(
  name: string,
  image: string,
  { secrets = [], policy = "IfNotPresent" }: {
    readonly secrets?: readonly string[];
    readonly policy?: string;
  } = {},
): V1Pod {
  return aPod(name, {
    imagePullSecrets: secrets.map((name) => ({ name })),
    containers: [aContainer(undefined, { image, imagePullPolicy: policy })],
  });
}

async function secret(name: string, auths: object): Promise<void> {
  await apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
  });
}

function login(password: string) {
  return { auth: btoa(`user:${password}`) };
}

function provider(name: string, matchImages: readonly string[]) {
  return {
    name,
    matchImages,
    defaultCacheDuration: "0s",
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  };
}

function answerOf({ host }: Registry): string {
  const answer = {
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    kind: "CredentialProviderResponse",
    cacheKeyType: "Registry",
    auth: { [host]: { username: "user", password: PASSWORD } },
  };
  return `cat >"$0.asked"\necho '${JSON.stringify(answer)}'`;
}

async function program(path: string, script: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Waits until an event of the pod says so. */
async function says(name: string, words: RegExp): Promise<void> {
  let messages: readonly string[] = [];
  try {
    await until(`${words} of ${name}`, async () => {
      const path = "/api/v1/namespaces/default/events?fieldSelector=" +
        `involvedObject.name%3D${name}`;
      const { items } = JSON.parse((await ask(cluster, path)).text);
      messages = items.map(({ message }: { message: string }) => message);
      return messages.some((each) => words.test(each));
    }, 20_000);
  } catch (cause) {
    throw new Error(`Events of ${name}:\n${messages.join("\n")}`, { cause });
  }
}

/** Waits until the pod's container waits for that reason, or its back-off. */
async function waits(name: string, reason: string): Promise<void> {
  let waiting: { reason?: string; message?: string } | undefined;
  const isSo = () =>
    waiting?.reason === reason ||
    reason === "ErrImagePull" && waiting?.reason === "ImagePullBackOff";
  try {
    await until(`${name} to wait for ${reason}`, async () => {
      const found = await pod(name);
      waiting = found?.status?.containerStatuses?.[0]?.state?.waiting;
      return isSo();
    }, 20_000);
  } catch (cause) {
    throw new Error(`${name} waits: ${JSON.stringify(waiting)}`, { cause });
  }
}

/** The planted secrets that the agent's log holds, plain or in base64. */
async function planted(mark: number): Promise<readonly string[]> {
  const log = await agentLog(mark);
  return [PASSWORD, WRONG, btoa(`user:${PASSWORD}`), btoa(`user:${WRONG}`)]
    .filter((each) => log.includes(each));
}
