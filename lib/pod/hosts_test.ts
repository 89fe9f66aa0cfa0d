import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { hostsFile, hostsMount } from "./hosts.ts";

const PATH = "/var/lib/kubelet/pods/11111111-2222-3333-4444-555555555555/" +
  "etc-hosts";
const BEGINNING = "# Kubernetes-managed hosts file.\n" +
  "127.0.0.1\tlocalhost\n" +
  "::1\tlocalhost ip6-localhost ip6-loopback\n" +
  "fe00::0\tip6-localnet\n" +
  "fe00::0\tip6-mcastprefix\n" +
  "fe00::1\tip6-allnodes\n" +
  "fe00::2\tip6-allrouters\n";

const made = (
  spec: Partial<V1PodSpec> = {},
  ips: readonly string[] = ["10.0.0.5"],
  settings = SETTINGS,
) => hostsFile(settings, { pod: aPod({ spec }), container: aContainer() }, ips);

function textOf(...args: Parameters<typeof made>): string {
  const found = made(...args);
  assert.ok(found.kind === "ok");
  assert.equal(found.file.path, PATH);
  return found.file.text;
}

Deno.test("hostsFile() names the pod by each of its addresses", () => {
  assert.equal(textOf(), `${BEGINNING}10.0.0.5\tshop\n`);
  assert.equal(
    textOf({ hostname: "till", subdomain: "sub" }, ["10.0.0.5", "fd00::5"]),
    BEGINNING +
      "10.0.0.5\ttill.sub.prod.svc.cluster.local\ttill\n" +
      "fd00::5\ttill.sub.prod.svc.cluster.local\ttill\n",
  );
  assert.equal(
    textOf({ hostnameOverride: "a.example", subdomain: "sub" }),
    `${BEGINNING}10.0.0.5\ta.example\n`,
  );
});

Deno.test("hostsFile() adds the pod's aliases, a line for each address", () => {
  const hostAliases = [
    { ip: "192.0.2.1", hostnames: ["a", "b.example"] },
    { ip: "192.0.2.2", hostnames: ["c"] },
  ];
  const aliases = "\n# Entries added by HostAliases.\n" +
    "192.0.2.1\ta\tb.example\n192.0.2.2\tc\n";
  assert.equal(
    textOf({ hostAliases }),
    `${BEGINNING}10.0.0.5\tshop\n${aliases}`,
  );
  assert.equal(
    textOf({ hostAliases, hostNetwork: true }),
    "# Kubernetes-managed hosts file (host network).\n" +
      `127.0.0.1\tlocalhost\n${aliases}`,
  );
});

Deno.test("hostsFile() leaves /etc/hosts to a container that mounts it", () => {
  const container = aContainer({
    volumeMounts: [{ name: "v", mountPath: "/etc/hosts" }],
  });
  const own = hostsFile(SETTINGS, { pod: aPod(), container }, ["10.0.0.5"]);
  assert.equal(own.kind, "none");
  assert.equal(made({}, []).kind, "none", "no address yet");
});

Deno.test("hostsFile() cannot be had without the node's own", () => {
  const message = "Cannot read /etc/hosts: no such file";
  const settings = {
    ...SETTINGS,
    nodeHosts: { kind: "failed", message } as const,
  };
  assert.deepEqual(made({ hostNetwork: true }, [], settings), {
    kind: "refused",
    message,
  });
  assert.equal(made({}, ["10.0.0.5"], settings).kind, "ok");
});

Deno.test("hostsMount() may be written to by the container", () => {
  const mount = hostsMount({ path: PATH, text: "" });
  assert.equal(mount.containerPath, "/etc/hosts");
  assert.equal(mount.hostPath, PATH);
  assert.equal(mount.isReadOnly, false);
  assert.equal(mount.isSelinuxRelabelled, true);
});
