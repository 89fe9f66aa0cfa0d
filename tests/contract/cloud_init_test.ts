/**
 * How user-data gets the cluster's CA: the script itself, with a cluster whose
 * word `curl` brings. `deno task vm` does the same with a real one.
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

/** Runs the script below a folder; what it says, and the CA afterwards. */
async function getCa(
  told: string,
  given: { readonly hash: string; readonly ca: string },
): Promise<{ readonly code: number; readonly said: string; ca: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const { write_files: files }: { write_files: readonly File[] } = parse(
      await Deno.readTextFile(USER_DATA),
    );
    const script = files.find(({ path }) => path.endsWith("/denolet-ca"));
    const text = (script?.content ?? "exit 9")
      .replaceAll("/etc/kubernetes/pki", folder)
      .replaceAll("{{SERVER}}", "https://cluster")
      .replaceAll("{{CAHASH}}", given.hash);
    await Deno.writeTextFile(`${folder}/ca.crt`, given.ca);
    await Deno.writeTextFile(`${folder}/told`, told);
    const curl = `#!/bin/sh\nexec cat ${folder}/told\n`;
    await Deno.writeTextFile(`${folder}/curl`, curl, { mode: 0o755 });
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", text],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
    }).output();
    return {
      code,
      said: new TextDecoder().decode(stderr),
      ca: await Deno.readTextFile(`${folder}/ca.crt`),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
