/** The pods of the side-by-side look that are about variables. Pure. */
import type { V1EnvVar } from "../../lib/api/types.ts";
import { BUSYBOX } from "../node/agent_world.ts";
import { TELL } from "../node/view.ts";
import type { Wish } from "./views_wishes.ts";

const fieldRef = (name: string, fieldPath: string): V1EnvVar => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});
const resource = (
  name: string,
  resource: string,
  divisor?: string,
): V1EnvVar => ({
  name,
  valueFrom: {
    resourceFieldRef: {
      resource,
      ...divisor === undefined ? {} : { divisor },
    },
  },
});
const fromFile = (
  name: string,
  key: string,
  own: { readonly optional?: boolean } = {},
): V1EnvVar => ({
  name,
  valueFrom: {
    fileKeyRef: { volumeName: "v", path: "vars", key, ...own },
  },
});
const RESOURCES = [
  resource("LIMIT_CPU", "limits.cpu"),
  resource("LIMIT_MILLI", "limits.cpu", "1m"),
  resource("LIMIT_MEMORY", "limits.memory"),
  resource("LIMIT_MIB", "limits.memory", "1Mi"),
  resource("REQUEST_CPU", "requests.cpu", "1m"),
  resource("REQUEST_MEMORY", "requests.memory"),
  resource("REQUEST_STORAGE", "requests.ephemeral-storage"),
];

/** Writes the file that `fromFile` reads. */
const withFile = (lines: readonly string[]) => ({
  volumes: [{ name: "v", emptyDir: {} }],
  initContainers: [{
    name: "prepare",
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", 'printf "%s\\n" "$@" > /data/vars', "sh", ...lines],
    volumeMounts: [{ name: "v", mountPath: "/data" }],
  }],
});

export const ENVIRONMENTS: Readonly<Record<string, Wish>> = {
  environment: {
    metadata: { labels: { own: "label" }, annotations: { note: "noted" } },
    own: {
      workingDir: "/tmp",
      env: [
        { name: "PLAIN", value: "a b" },
        { name: "EXPANDED", value: "$(PLAIN)-$$(X)-$(LATER)-$(NONE)" },
        { name: "LATER", value: "$(EXPANDED)" },
        { name: "EMPTY" },
        { name: "PLAIN", value: "twice" },
        fieldRef("NAME", "metadata.name"),
        fieldRef("SPACE", "metadata.namespace"),
        fieldRef("UID", "metadata.uid"),
        fieldRef("LABEL", "metadata.labels['own']"),
        fieldRef("NOTE", "metadata.annotations['note']"),
        fieldRef("NO_LABEL", "metadata.labels['none']"),
        fieldRef("ACCOUNT", "spec.serviceAccountName"),
        fieldRef("NODE", "spec.nodeName"),
        fieldRef("IP", "status.podIP"),
        fieldRef("IPS", "status.podIPs"),
        fieldRef("HOST_IP", "status.hostIP"),
        fieldRef("HOST_IPS", "status.hostIPs"),
      ],
      envFrom: [{ configMapRef: { name: "view" }, prefix: "C_" }],
    },
  },
  "environment-from": {
    own: {
      env: [
        { name: "word", value: "own wins, $(key)" },
        {
          name: "ONE",
          valueFrom: { configMapKeyRef: { name: "view", key: "word" } },
        },
        {
          name: "TWO",
          valueFrom: { secretKeyRef: { name: "view", key: "key" } },
        },
        {
          name: "NO_KEY",
          valueFrom: {
            secretKeyRef: { name: "view", key: "none", optional: true },
          },
        },
        {
          name: "NO_MAP",
          valueFrom: {
            configMapKeyRef: { name: "view-none", key: "a", optional: true },
          },
        },
      ],
      envFrom: [
        { secretRef: { name: "view" } },
        { configMapRef: { name: "view" } },
        { configMapRef: { name: "view-none", optional: true } },
        { secretRef: { name: "view" }, prefix: "S_" },
      ],
    },
  },
  "environment-lost": {
    own: {
      env: [{
        name: "NONE",
        valueFrom: { configMapKeyRef: { name: "view-none", key: "a" } },
      }],
    },
  },
  "environment-lost-key": {
    own: {
      env: [{
        name: "NONE",
        valueFrom: { secretKeyRef: { name: "view", key: "none" } },
      }],
    },
  },
  "environment-lost-from": {
    own: { envFrom: [{ secretRef: { name: "view-none" } }] },
  },
  resources: {
    own: {
      env: RESOURCES,
      resources: {
        requests: { cpu: "150m", memory: "10M" },
        limits: { cpu: "1500m", memory: "100Mi", "ephemeral-storage": "1Gi" },
      },
    },
  },
  "resources-of-node": { own: { env: RESOURCES } },
  "resources-of-pod": {
    own: { env: RESOURCES },
    spec: {
      resources: {
        requests: { cpu: "100m", memory: "64Mi" },
        limits: { cpu: "200m", memory: "96Mi" },
      },
    },
  },
  files: {
    own: {
      env: [
        fromFile("ONE", "ONE"),
        fromFile("SPACES", "SPACES"),
        fromFile("NONE", "NONE", { optional: true }),
      ],
    },
    spec: withFile(["ONE='1'", "# no", "SPACES='a  b'"]),
  },
  "files-lost-key": {
    own: { env: [fromFile("NONE", "NONE")] },
    spec: withFile(["ONE='1'"]),
  },
  "files-broken": {
    own: { env: [fromFile("ONE", "ONE")] },
    spec: withFile(["ONE=1"]),
  },
  "no-links": { spec: { enableServiceLinks: false } },
  "expanded-words": {
    own: {
      env: [{ name: "WORD", value: "expanded" }],
      command: ["sh", "-c", `echo "== words"; echo "$@"\n${TELL}`, "sh"],
      args: ["$(WORD)", "$$(WORD)", "$(NONE)", "$(WORD"],
    },
  },
};
