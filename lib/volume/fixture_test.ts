/** Pods with volumes, for the tests of this room. */
import { aContainer, aPod, type PodParts } from "../../tests/build.ts";
import type { V1Pod, V1Volume } from "../api/types.ts";
import type { VolumeSettings } from "./plan.ts";

export const SETTINGS: VolumeSettings = {
  podsDir: "/pods",
  pluginsDir: "/plugins",
  allocatable: () =>
    new Map([
      ["cpu", "2"],
      ["memory", "1Gi"],
      ["ephemeral-storage", "10Gi"],
    ]),
};

/** A pod that mounts each of its volumes at `/<name>`. */
export function podWith(volumes: V1Volume[], parts: PodParts = {}): V1Pod {
  const { spec, containers, ...own } = parts;
  const volumeMounts = volumes.map(({ name }) => ({
    name,
    mountPath: `/${name}`,
  }));
  return aPod({
    uid: "u1",
    ...own,
    containers: containers ?? [aContainer({ volumeMounts })],
    spec: { ...spec, volumes },
  });
}

/** What the API server puts into every pod. */
export const API_ACCESS: V1Volume = {
  name: "kube-api-access-x1",
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: 3607 } },
      {
        configMap: {
          name: "kube-root-ca.crt",
          items: [{ key: "ca.crt", path: "ca.crt" }],
        },
      },
      {
        downwardAPI: {
          items: [{
            path: "namespace",
            fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
          }],
        },
      },
    ],
  },
};
