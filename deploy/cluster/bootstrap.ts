/**
 * What a new cluster is told before a node can join: who may ask for a node's
 * certificate and gets it, as kubeadm sets it up, and the bootstrap token.
 */
import { parseAllDocuments } from "yaml";
import type { ClusterFacts, ClusterOptions } from "./facts.ts";
import { readBootstrapToken } from "./pki.ts";
import { type ApiObject, apply } from "./request.ts";

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
