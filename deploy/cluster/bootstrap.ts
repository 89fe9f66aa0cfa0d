/**
 * What a new cluster is told before a node can join: who may ask for a node's
 * certificate and gets it, as kubeadm sets it up, and the bootstrap token.
 */
import { parseAllDocuments, stringify } from "yaml";
import type { ClusterFacts, ClusterOptions } from "./facts.ts";
import { readBootstrapToken } from "./pki.ts";
import { type ApiObject, apply, untilThere } from "./request.ts";

const BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token";

export async function applyBootstrap(
  cluster: ClusterFacts,
  options: ClusterOptions,
): Promise<void> {
  const [id = "", secret = ""] = (await readBootstrapToken(cluster)).split(".");
  await Promise.all([
    apply(cluster, "secrets", tokenSecret(id, secret)),
    ...(await bindings(options)).map((binding) =>
      apply(cluster, "clusterrolebindings", binding)
    ),
  ]);
}

/**
 * Tells everybody the cluster's CA, as kubeadm does, for machines that were
 * given no more than its hash.
 */
export async function tellCa(cluster: ClusterFacts): Promise<void> {
  await untilThere(cluster, "/api/v1/namespaces/kube-public");
  const ca = await Deno.readTextFile(cluster.ca.certificate);
  const metadata = { name: "cluster-info", namespace: "kube-public" };
  const group = "rbac.authorization.k8s.io";
  const rbac = { apiVersion: `${group}/v1`, metadata };
  await apply(cluster, "configmaps", {
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata },
    data: {
      kubeconfig: stringify({
        ...{ apiVersion: "v1", kind: "Config" },
        clusters: [{
          name: "",
          cluster: {
            "certificate-authority-data": btoa(ca),
            server: cluster.server,
          },
        }],
      }, { lineWidth: 0 }),
    },
  });
  const resourceNames = [metadata.name];
  await apply(cluster, "roles", {
    ...{ ...rbac, kind: "Role" },
    rules: [{
      ...{ apiGroups: [""], resources: ["configmaps"] },
      ...{ resourceNames, verbs: ["get"] },
    }],
  });
  await apply(cluster, "rolebindings", {
    ...{ ...rbac, kind: "RoleBinding" },
    roleRef: { apiGroup: group, kind: "Role", name: metadata.name },
    subjects: [{ apiGroup: group, kind: "User", name: "system:anonymous" }],
  });
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

type Binding = ApiObject & Record<string, unknown>;

/** Bindings that somebody may want to do without, by their names. */
const OPTIONAL: ReadonlyMap<string, ClusterOptions["approve"][number]> =
  new Map([
    ["kubeadm:node-autoapprove-bootstrap", "first"],
    ["kubeadm:node-autoapprove-certificate-rotation", "renewal"],
  ]);

/** Of the files that are shipped: there is one truth. */
async function bindings(options: ClusterOptions): Promise<Binding[]> {
  const files = await Promise.all(
    ["bootstrap", "api_server"].map((name) =>
      Deno.readTextFile(new URL(`../rbac/${name}.yaml`, import.meta.url))
    ),
  );
  return files.flatMap((text) => parseAllDocuments(text))
    .map((document): Binding => document.toJS())
    .filter(({ metadata }) => {
      const need = OPTIONAL.get(metadata.name);
      return need === undefined || options.approve.includes(need);
    });
}
