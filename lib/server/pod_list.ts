/** Pods as a v1 PodList: those this node knows, and those the runtime runs. */
import { CONFIG_SOURCE, namespaceOf } from "../api/pod.ts";
import type { V1ObjectMeta, V1Pod } from "../api/types.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { jsonText } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import type { AgentView, PodView } from "./view.ts";

type PodJson = Omit<V1Pod, "status"> & { readonly status?: unknown };

export function podList(pods: readonly PodJson[]) {
  return { apiVersion: "v1", kind: "PodList", metadata: {}, items: pods };
}

/** With the status as this node sees it, whether it is told already or not. */
export function podJson({ pod, status }: PodView): PodJson {
  const { metadata, spec } = pod;
  return {
    apiVersion: "v1",
    kind: "Pod",
    ...metadata === undefined ? {} : { metadata: sourced(metadata) },
    ...spec === undefined ? {} : { spec },
    status,
  };
}

/**
 * Those of files and URLs say so already.
 * Compat: kubelet 1.36 config.go: ConfigSourceAnnotationKey
 */
function sourced(metadata: V1ObjectMeta): V1ObjectMeta {
  const annotations = { [CONFIG_SOURCE]: "api", ...metadata.annotations };
  return { ...metadata, annotations };
}

export interface PodRouteParts {
  readonly view: Pick<AgentView, "pods">;
  readonly runtime: Pick<ContainerRuntime, "listSandboxes" | "listContainers">;
}

/** Compat: kubelet 1.36 getPods, getRunningPods */
export function podRoutes(parts: PodRouteParts): Route[] {
  const pods = () =>
    Promise.try(() => {
      const list = podList(parts.view.pods().map(podJson));
      return jsonText(`${JSON.stringify(list)}\n`);
    });
  return [{ path: "/pods", methods: ["GET"], answer: pods }];
}

export function runningPodRoutes({ runtime }: PodRouteParts): Route[] {
  const answer = async ({ request: { signal } }: Call) => {
    const [sandboxes, containers] = await Promise.all([
      runtime.listSandboxes({}, signal),
      runtime.listContainers({ state: "running" }, signal),
    ]);
    const items = sandboxes.flatMap(
      (
        { id, isReady, podName: name, podNamespace: namespace, podUid: uid },
      ) => {
        const own = containers.filter(({ sandboxId }) => sandboxId === id);
        if (!isReady && own.length === 0) return [];
        return [{
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name, namespace, uid },
          spec: {
            containers: own.map(({ name, imageRef }) => ({
              name,
              image: imageRef,
              resources: {},
            })),
          },
          status: {},
        }];
      },
    );
    return jsonText(`${JSON.stringify(podList(items))}\n`);
  };
  return [{ path: "/runningpods", methods: ["GET"], answer }];
}

export function isIn(namespace: string | undefined) {
  return ({ pod }: PodView): boolean =>
    namespace === undefined || namespaceOf(pod) === namespace;
}
