import assert from "node:assert/strict";
import { FLAG_TARGETS } from "./flag_names.ts";
import { helpText } from "./help.ts";
import { load } from "./load_fixture.ts";
import { renderCheckConfig, versionText } from "./render.ts";
import { effectiveJson } from "./setting.ts";

Deno.test("renderCheckConfig() prints values with who set them", () => {
  const text = renderCheckConfig(
    load(["--port=1", "--cert-dir=/c", "--hostname-override=n"], {
      file: "syncFrequency: 30s\nstaticPodURLHeader: {Auth: [hunter2]}\n",
      dropIns: { "/d/1.conf": "clusterDNS: [10.0.0.1]\n" },
    }),
  );
  const lines = text.split("\n").map((line) => line.replace(/ +/g, " "));
  const expected = [
    "node name: n # flag --hostname-override",
    "--cert-dir: /c # flag --cert-dir",
    "--root-dir: /var/lib/kubelet # default",
    "port: 1 # flag --port",
    "syncFrequency: 30s # /etc/node/config.yaml:3",
    'clusterDNS: ["10.0.0.1"] # drop-in /d/1.conf:3',
    "staticPodURLHeader: <masked> # /etc/node/config.yaml:4",
    "tracing.endpoint: (unset) # default",
    "authorization.mode: Webhook # default",
    "# Warning: Deprecated flags, set them in the --config file: --port",
  ];
  for (const line of expected) assert.ok(lines.includes(line), line);
  assert.ok(!text.includes("hunter2"));
  const column = text.split("\n").find((l) => l.startsWith("port:"))?.indexOf(
    "1",
  );
  const other = text.split("\n").find((l) => l.startsWith("maxPods:"));
  assert.equal(other?.indexOf("110"), column);
});

Deno.test("renderCheckConfig() tells the legacy defaults apart", () => {
  const text = renderCheckConfig(load([]));
  assert.match(text, /^readOnlyPort: +10255 +# default \(no --config\)$/m);
});

Deno.test("effectiveJson() writes the document back so that it loads the same", () => {
  const first = load(["--kube-reserved=cpu=1", "--v=3"], {
    file: "clusterDNS: [10.0.0.1]\ntracing: {samplingRatePerMillion: 5}\n" +
      "registerWithTaints: [{key: a, effect: NoExecute}]\n" +
      "reservedMemory: [{numaNode: 1, limits: {memory: 1Gi}}]\n",
  });
  const document = JSON.stringify(effectiveJson(first.settings));
  const { kind: _, apiVersion: __, ...fields } = JSON.parse(document);
  const file = Object.entries(fields)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("");
  assert.deepEqual(load([], { file }).config.kubelet, first.config.kubelet);
  assert.deepEqual(fields.registerWithTaints, [{
    key: "a",
    effect: "NoExecute",
  }]);
});

Deno.test("versionText() is what kubeadm, GCE and EKS look for", () => {
  const line = versionText("0.1.0");
  assert.equal(line, "Kubernetes v1.36.3+denolet.0.1.0");
  assert.match(
    line,
    /^\s*Kubernetes v((\d+)\.(\d+)\.(\d+)([+-][\w.+-]+)?)\s*$/,
  );
  assert.match(versionText("0.1.0", "raw"), /"gitVersion":"v1\.36\.3\+denolet/);
});

Deno.test("helpText() lists every flag once", () => {
  const help = helpText();
  for (const flag of FLAG_TARGETS.keys()) {
    const found = help.match(new RegExp(`--${flag}(=…)?$`, "gm")) ?? [];
    assert.equal(found.length, 1, flag);
  }
  for (const word of ["check-config", "pods", "logs", "explain", "--version"]) {
    assert.ok(help.includes(word));
  }
});
