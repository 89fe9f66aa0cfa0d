/**
 * How user-data gets the cluster's CA, and which runtime it takes: the scripts
 * themselves, with a cluster whose word `curl` brings and the services that a
 * `systemctl` knows. `deno task vm` does the same with real ones.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { hashOf, makeAuthority } from "../../deploy/cluster/certificates.ts";

const USER_DATA = new URL(
  "../../deploy/cloud-init/user-data.yaml",
  import.meta.url,
);

interface File {
  readonly path: string;
  readonly content: string;
}

async function contentOf(end: string): Promise<string> {
  const { write_files: files }: { write_files: readonly File[] } = parse(
    await Deno.readTextFile(USER_DATA),
  );
  const found = files.find(({ path }) => path.endsWith(end));
  assert.ok(found, end);
  return found.content;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** With `program` of the folder in the place of the machine's own. */
async function runWith(
  { folder, program, script }: {
    readonly folder: string;
    readonly program: readonly [name: string, text: string];
    readonly script: string;
  },
): Promise<{ readonly code: number; readonly said: string }> {
  const [name, text] = program;
  await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, {
    mode: 0o755,
  });
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
  }).output();
  return { code, said: new TextDecoder().decode(stderr) };
}

/** Runs the script below a folder; what it says, and the CA afterwards. */
function getCa(
  told: string,
  given: { readonly hash: string; readonly ca: string },
): Promise<{ readonly code: number; readonly said: string; ca: string }> {
  return inFolder(async (folder) => {
    const script = (await contentOf("/denolet-ca"))
      .replaceAll("/etc/kubernetes/pki", folder)
      .replaceAll("{{SERVER}}", "https://cluster")
      .replaceAll("{{CAHASH}}", given.hash);
    await Deno.writeTextFile(`${folder}/ca.crt`, given.ca);
    await Deno.writeTextFile(`${folder}/told`, told);
    const program = ["curl", `exec cat ${folder}/told`] as const;
    const ended = await runWith({ folder, program, script });
    return { ...ended, ca: await Deno.readTextFile(`${folder}/ca.crt`) };
  });
}

/** As the API server answers. */
function clusterInfo(...certificates: string[]): string {
  const data = btoa(certificates.join(""));
  const kubeconfig = "apiVersion: v1\nclusters:\n- cluster:\n" +
    `    certificate-authority-data: ${data}\n    server: https://x\n  name: ""\n`;
  return JSON.stringify({ kind: "ConfigMap", data: { kubeconfig } });
}

const CA = (await makeAuthority("cluster")).certificate;
const OTHER = (await makeAuthority("somebody")).certificate;

Deno.test("user-data takes the CA that fits the hash, and nothing with it", async () => {
  const hash = await hashOf(CA);
  const { code, ca, said } = await getCa(clusterInfo(CA, OTHER), {
    ...{ hash, ca: "" },
  });
  assert.deepEqual([code, said], [0, ""]);
  assert.equal(ca.trim(), CA.trim());
});

Deno.test("user-data refuses a CA that does not fit, and says which it was", async () => {
  const hash = await hashOf(CA);
  for (const told of [clusterInfo(OTHER), clusterInfo(OTHER, CA)]) {
    const { code, ca, said } = await getCa(told, { hash, ca: "" });
    assert.deepEqual([code, ca], [1, ""]);
    assert.match(said, /^The CA of https:\/\/cluster is not the one of CAHASH/);
    assert.ok(said.includes(await hashOf(OTHER)));
  }
  for (const told of ["", "{}", clusterInfo()]) {
    const { code, ca } = await getCa(told, { hash, ca: "" });
    assert.deepEqual([code !== 0, ca], [true, ""]);
  }
});

Deno.test("user-data asks nobody for a CA that it was given", async () => {
  const { code, ca } = await getCa(clusterInfo(OTHER), { hash: "", ca: CA });
  assert.deepEqual([code, ca], [0, CA]);
});

/** With these services; the configuration afterwards, and what was started. */
function takeRuntime(services: readonly string[]) {
  return inFolder(async (folder) => {
    const script = (await contentOf("/denolet-runtime"))
      .replaceAll("/var/lib/kubelet", folder);
    const config = `${folder}/config.yaml`;
    await Deno.writeTextFile(config, await contentOf("/config.yaml"));
    const systemctl = `case "$1" in
  cat) case " ${services.join(" ")} " in *" $2 "*) ;; *) exit 1 ;; esac ;;
  *) echo "$@" >>${folder}/started ;;
esac`;
    const program = ["systemctl", systemctl] as const;
    const ended = await runWith({ folder, program, script });
    const { containerRuntimeEndpoint: endpoint, ...others } = parse(
      await Deno.readTextFile(config),
    );
    const { containerRuntimeEndpoint: _, ...before } = parse(
      await contentOf("/config.yaml"),
    );
    assert.deepEqual(others, before, "nothing else is changed");
    const started = await Deno.readTextFile(`${folder}/started`)
      .catch(() => "");
    return { ...ended, endpoint, started: started.trim() };
  });
}

Deno.test("user-data takes the runtime that is there: containerd, CRI-O, cri-dockerd", async () => {
  const rows: [services: string[], endpoint: string, unit: string][] = [
    [
      ["containerd.service", "crio.service"],
      "unix:///run/containerd/containerd.sock",
      "containerd",
    ],
    [["crio.service"], "unix:///run/crio/crio.sock", "crio"],
    [["cri-docker.service"], "unix:///run/cri-dockerd.sock", "cri-docker"],
  ];
  for (const [services, endpoint, unit] of rows) {
    const found = await takeRuntime(services);
    assert.deepEqual([found.code, found.endpoint], [0, endpoint]);
    assert.equal(found.started, `enable --now ${unit}`);
  }
  const none = await takeRuntime(["docker.service"]);
  assert.deepEqual([none.code, none.started], [1, ""]);
  assert.match(none.said, /^No runtime: neither containerd nor crio/);
});
