/**
 * Says yes to certificate requests of one signer, as a person would with
 * `kubectl certificate approve`. For serving certificates of nodes, which
 * nothing in Kubernetes approves by itself, and for tests that say it late.
 */
import type { ClusterFacts } from "./facts.ts";
import { get } from "./request.ts";

export const SERVING_SIGNER = "kubernetes.io/kubelet-serving";
export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

interface SigningRequest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly signerName: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string }[];
  };
}

/** Approves (or denies) what is pending; the names of those requests. */
export async function answerRequests(
  cluster: ClusterFacts,
  signer: string,
  answer: "Approved" | "Denied" = "Approved",
): Promise<readonly string[]> {
  const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const { items } = await get<{ items: readonly SigningRequest[] }>(
    cluster,
    `${path}?fieldSelector=spec.signerName=${encodeURIComponent(signer)}`,
  );
  const pending = items.filter(({ status }) =>
    (status.conditions ?? []).length === 0
  );
  for (const request of pending) {
    const { name } = request.metadata;
    const condition = {
      type: answer,
      status: "True",
      reason: "DenoletCluster",
      message: `${answer} by deploy/cluster.ts`,
    };
    await get(cluster, `${path}/${name}/approval`, {
      method: "PUT",
      body: { ...request, status: { conditions: [condition] } },
    });
  }
  return pending.map(({ metadata }) => metadata.name);
}
