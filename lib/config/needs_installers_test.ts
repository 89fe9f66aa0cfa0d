/**
 * What the nodes of each installer need, besides what every node needs: the
 * places and addresses that their flags and files name.
 */
import assert from "node:assert/strict";
import { setFields } from "./load.ts";
import { load } from "./load_fixture.ts";
import { needsOf, type ServerAccess } from "./needs.ts";

const COMMON = ["--hostname-override=node-1"];

interface Row {
  readonly installer: string;
  readonly flags: readonly string[];
  readonly file?: string;
  readonly servers?: readonly Partial<ServerAccess>[];
  readonly plugins?: readonly string[];
  /** What it has more than a node without any of this, as `kind value`. */
  readonly more: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    installer: "kubeadm",
    flags: [
      "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
      "--kubeconfig=/etc/kubernetes/kubelet.conf",
      "--config=/var/lib/kubelet/config.yaml",
    ],
    file: "staticPodPath: /etc/kubernetes/manifests\n" +
      "authentication: {x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}\n",
    servers: [{ server: "https://10.0.0.1:6443" }],
    more: [
      "net 10.0.0.1:6443",
      "read /etc/kubernetes/bootstrap-kubelet.conf",
      "read /etc/kubernetes/kubelet.conf",
      "read /etc/kubernetes/manifests",
      "read /etc/kubernetes/pki/ca.crt",
      "read /var/lib/kubelet/config.yaml",
      "write /etc/kubernetes/kubelet.conf",
    ],
  },
  {
    installer: "EKS",
    flags: [
      "--config=/etc/kubernetes/kubelet/config.json",
      "--config-dir=/etc/kubernetes/kubelet/config.json.d",
      "--kubeconfig=/var/lib/kubelet/kubeconfig",
      "--node-ip=10.0.0.9",
      "--image-credential-provider-bin-dir=/etc/eks/plugins",
      "--image-credential-provider-config=/etc/eks/plugins/config.json",
    ],
    file: "imageServiceEndpoint: unix:///run/soci/soci.sock\n",
    servers: [{
      server: "https://abc.gr7.us-west-2.eks.amazonaws.com",
      program: "/usr/bin/aws",
    }],
    plugins: ["/etc/eks/plugins/ecr-credential-provider"],
    more: [
      "net abc.gr7.us-west-2.eks.amazonaws.com:443",
      "net unix:/run/soci/soci.sock",
      "read /etc/eks/plugins",
      "read /etc/eks/plugins/config.json",
      "read /etc/kubernetes/kubelet/config.json",
      "read /etc/kubernetes/kubelet/config.json.d",
      "read /run/soci/soci.sock",
      "read /var/lib/kubelet/kubeconfig",
      "run /etc/eks/plugins/ecr-credential-provider",
      "run /usr/bin/aws",
      "write /run/soci/soci.sock",
    ],
  },
  {
    installer: "GCE",
    flags: [
      "--config=/etc/gce/kubelet-config.yaml",
      "--kubeconfig=/var/lib/kubelet/kubeconfig",
      "--bootstrap-kubeconfig=/var/lib/kubelet/bootstrap-kubeconfig",
      "--cert-dir=/var/lib/kubelet/pki",
    ],
    file: "staticPodPath: /etc/kubernetes/manifests\n" +
      "readOnlyPort: 0\nresolvConf: /run/systemd/resolve/resolv.conf\n",
    servers: [{ server: "https://34.1.2.3", proxyUrl: "http://proxy:3128" }],
    more: [
      "net 34.1.2.3:443",
      "net proxy:3128",
      "read /etc/gce/kubelet-config.yaml",
      "read /etc/kubernetes/manifests",
      "read /run/systemd/resolve/resolv.conf",
      "read /var/lib/kubelet/bootstrap-kubeconfig",
      "read /var/lib/kubelet/kubeconfig",
      "write /var/lib/kubelet/kubeconfig",
    ],
  },
  {
    installer: "k0s",
    flags: [
      "--root-dir=/var/lib/k0s/kubelet",
      "--cert-dir=/var/lib/k0s/kubelet/pki",
      "--kubeconfig=/var/lib/k0s/kubelet.conf",
      "--bootstrap-kubeconfig=/run/k0s/kubelet-bootstrap.conf",
    ],
    file: "containerRuntimeEndpoint: unix:///run/k0s/containerd.sock\n",
    servers: [{ server: "https://127.0.0.1:7443" }],
    more: [
      "net 127.0.0.1:7443",
      "net unix:/run/k0s/containerd.sock",
      "read /run/k0s/containerd.sock",
      "read /run/k0s/kubelet-bootstrap.conf",
      "read /var/lib/k0s/kubelet",
      "read /var/lib/k0s/kubelet.conf",
      "read /var/lib/k0s/kubelet/pki",
      "write /run/k0s/containerd.sock",
      "write /var/lib/k0s/kubelet",
      "write /var/lib/k0s/kubelet.conf",
      "write /var/lib/k0s/kubelet/pki",
    ],
  },
  {
    installer: "kubespray on CRI-O, manifests by URL",
    flags: [
      "--kubeconfig=/etc/kubernetes/kubelet.conf",
      "--manifest-url=http://10.9.9.9/pods",
    ],
    file: "containerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n" +
      "address: 10.0.0.7\n",
    servers: [{ server: "https://lb.example.com:8443" }],
    more: [
      "net 10.0.0.7:10250",
      "net 10.9.9.9:80",
      "net lb.example.com:8443",
      "net unix:/var/run/crio/crio.sock",
      "read /etc/kubernetes/kubelet.conf",
      "read /var/lib/containers",
      "read /var/run/crio/crio.sock",
      "write /var/run/crio/crio.sock",
    ],
  },
];

function named(row: Omit<Row, "installer" | "more">): string[] {
  const { config, settings } = load([...COMMON, ...row.flags], {
    file: row.file ?? "",
  });
  const servers = (row.servers ?? []).map((each): ServerAccess => ({
    ...{ flag: "--kubeconfig", server: "", files: [] },
    ...{ proxyUrl: undefined, program: undefined },
    ...each,
  }));
  const plugins = row.plugins ?? [];
  return needsOf({
    ...{ config, setFields: setFields(settings), servers, plugins },
    ...{ podRanges: [], libraries: [] },
  }).map(({ kind, value }) => `${kind} ${value}`);
}

const usual = new Set(named({ flags: [] }));

for (const { installer, more, ...row } of ROWS) {
  Deno.test(`needsOf() of a node by ${installer}`, () => {
    const found = named(row).filter((need) => !usual.has(need));
    assert.deepEqual(found, more);
  });
}
