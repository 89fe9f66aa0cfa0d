/** Pods whose containers are looked at under both agents. Pure. */
import { USER_NAMESPACE_HANDLER } from "../../deploy/world/config.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { BUSYBOX } from "../node/agent_world.ts";
import { TELL } from "../node/view.ts";
import { ENVIRONMENTS } from "./views_environments.ts";
import { STARTS } from "./views_starts.ts";
import { VOLUMES } from "./views_volumes.ts";
import { OWN_IDS_CLASS, SECURITY, type Wish } from "./views_wishes.ts";

const WISHES: Readonly<Record<string, Wish>> = {
  ...SECURITY,
  ...VOLUMES,
  ...ENVIRONMENTS,
  ...STARTS,
};

/** What the pods refer to. */
export const OBJECTS = [
  {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: OWN_IDS_CLASS },
    handler: USER_NAMESPACE_HANDLER,
  },
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "view" },
    data: { key: btoa("hidden"), other: btoa("more\n") },
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "view" },
    data: {
      key: "192.0.2.8\town\n",
      word: "one",
      "odd.name": "dotted",
      "1st": "begins with a digit",
    },
    binaryData: { raw: btoa("\x00\x01") },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "view-web" },
    spec: {
      selector: { app: "view-nobody" },
      ports: [
        { name: "http", port: 80 },
        { name: "dns", port: 53, protocol: "UDP" },
      ],
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "view-headless" },
    spec: { clusterIP: "None", ports: [{ port: 81 }] },
  },
];

export function podsFor(nodeName: string): V1Pod[] {
  return Object.entries(WISHES).map(([name, wish]) => {
    const { own = {}, spec = {}, metadata = {} } = wish;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...metadata,
        name,
        labels: { app: "view", ...metadata.labels },
      },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 1,
        ...spec,
        containers: [{
          name: "app",
          image: BUSYBOX,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", TELL],
          ...own,
        }, ...spec.containers ?? []],
      },
    };
  });
}
