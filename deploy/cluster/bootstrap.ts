/**
 * What a new cluster is told before a node can join: who may ask for a node's
 * certificate and gets it, as kubeadm sets it up, and the bootstrap token.
 */
import type { ClusterFacts, ClusterOptions } from "./facts.ts";
import { KUBELET_CLIENT, readBootstrapToken } from "./pki.ts";
import { type ApiObject, apply } from "./request.ts";

const BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token";
const SIGNING = "system:certificates.k8s.io:certificatesigningrequests";

export async function applyBootstrap(
  cluster: ClusterFacts,
  options: ClusterOptions,
): Promise<void> {
  const [id = "", secret = ""] = (await readBootstrapToken(cluster)).split(".");
  await Promise.all([
    apply(cluster, "secrets", tokenSecret(id, secret)),
    ...bindings(options).map((binding) =>
      apply(cluster, "clusterrolebindings", binding)
    ),
  ]);
}

function tokenSecret(id: string, secret: string) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": id,
      "token-secret": secret,
      "usage-bootstrap-authentication": "true",
      "usage-bootstrap-signing": "true",
      "auth-extra-groups": BOOTSTRAPPERS,
    },
  };
}

function bindings(options: ClusterOptions): Binding[] {
  const bootstrappers = { kind: "Group", name: BOOTSTRAPPERS } as const;
  const nodes = { kind: "Group", name: "system:nodes" } as const;
  return [
    binding(
      "kubeadm:kubelet-bootstrap",
      "system:node-bootstrapper",
      bootstrappers,
    ),
    ...(options.approve.includes("first")
      ? [binding(
        "kubeadm:node-autoapprove-bootstrap",
        `${SIGNING}:nodeclient`,
        bootstrappers,
      )]
      : []),
    ...(options.approve.includes("renewal")
      ? [binding(
        "kubeadm:node-autoapprove-certificate-rotation",
        `${SIGNING}:selfnodeclient`,
        nodes,
      )]
      : []),
    // For logs, exec and the rest: what the API server asks of a node.
    binding(
      "system:kube-apiserver-to-kubelet",
      "system:kubelet-api-admin",
      { kind: "User", name: KUBELET_CLIENT },
    ),
  ];
}

interface Subject {
  readonly kind: "Group" | "User";
  readonly name: string;
}

type Binding = ApiObject & Record<string, unknown>;

function binding(name: string, role: string, subject: Subject): Binding {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: role,
    },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", ...subject }],
  };
}
