/** The pods of the side-by-side look that are about volumes. Pure. */
import type { V1Volume } from "../../lib/api/types.ts";
import { BUSYBOX } from "../node/agent_world.ts";
import { mounted, type Wish } from "./views_wishes.ts";

const EMPTY: V1Volume = { name: "v", emptyDir: {} };
const DATA = { name: "v", mountPath: "/data" };

/** Makes something in the volume before the container starts. */
const prepared = (script: string) => ({
  initContainers: [{
    name: "prepare",
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", script],
    volumeMounts: [DATA],
  }],
});

const TOKEN = {
  serviceAccountToken: { path: "token", audience: "view" },
};
const PROJECTED: V1Volume = {
  name: "p",
  projected: {
    defaultMode: 0o440,
    sources: [
      { secret: { name: "view", items: [{ key: "key", path: "a/b/secret" }] } },
      {
        configMap: {
          name: "view",
          items: [{ key: "word", path: "a/word", mode: 0o600 }],
        },
      },
      { configMap: { name: "view-none", optional: true } },
      {
        downwardAPI: {
          items: [
            { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
            { path: "own", fieldRef: { fieldPath: "metadata.labels['own']" } },
          ],
        },
      },
    ],
  },
};

export const VOLUMES: Readonly<Record<string, Wish>> = {
  "empty-dir": mounted(
    [{ name: "v", emptyDir: {} }],
    [{ name: "v", mountPath: "/data" }],
    { securityContext: { fsGroup: 2000 } },
  ),
  memory: mounted(
    [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } }],
    [{ name: "v", mountPath: "/data", readOnly: true }],
  ),
  objects: mounted([
    { name: "s", secret: { secretName: "view", defaultMode: 0o400 } },
    { name: "c", configMap: { name: "view" } },
    {
      name: "d",
      downwardAPI: {
        items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }],
      },
    },
  ], [
    { name: "s", mountPath: "/secret", readOnly: true },
    { name: "c", mountPath: "/config" },
    { name: "d", mountPath: "/info" },
  ], { securityContext: { runAsUser: 1000, fsGroup: 2000 } }),
  "own-hosts": mounted(
    [{ name: "c", configMap: { name: "view" } }],
    [{ name: "c", mountPath: "/etc/hosts", subPath: "key" }],
  ),
  "sub-path": {
    own: {
      env: [{ name: "WHO", value: "whose" }],
      volumeMounts: [
        { ...DATA, subPath: "one/two" },
        { name: "v", mountPath: "/config", subPathExpr: "$(WHO)/three" },
        { name: "v", mountPath: "/info", subPath: "file", readOnly: true },
      ],
    },
    spec: {
      volumes: [EMPTY],
      ...prepared("echo told > /data/file; mkdir -m 700 /data/one"),
    },
  },
  "sub-path-group": mounted(
    [EMPTY],
    [{ ...DATA, subPath: "one" }],
    { securityContext: { runAsUser: 1000, fsGroup: 2000 } },
  ),
  "sub-path-object": mounted(
    [{ name: "c", configMap: { name: "view" } }],
    [{ name: "c", mountPath: "/config/word", subPath: "word" }],
  ),
  "sub-path-lost": mounted(
    [{ name: "c", configMap: { name: "view" } }],
    [{ name: "c", mountPath: "/config", subPath: "none" }],
  ),
  "sub-path-link": mounted(
    [EMPTY],
    [{ ...DATA, subPath: "out" }],
    prepared("ln -s /etc /data/out"),
  ),
  projected: mounted([PROJECTED], [{ name: "p", mountPath: "/info" }]),
  "projected-group": mounted([PROJECTED], [
    { name: "p", mountPath: "/info", readOnly: true },
  ], { securityContext: { runAsUser: 1000, fsGroup: 2000 } }),
  token: mounted(
    [{ name: "p", projected: { sources: [TOKEN] } }],
    [{ name: "p", mountPath: "/secret" }],
  ),
  "token-user": mounted(
    [{ name: "p", projected: { sources: [TOKEN], defaultMode: 0o400 } }],
    [{ name: "p", mountPath: "/secret" }],
    { securityContext: { runAsUser: 1000 } },
  ),
  "no-token": { spec: { automountServiceAccountToken: false } },
  downward: {
    metadata: {
      labels: { own: "label" },
      annotations: {
        note: "several\nlines",
        empty: "",
        quoted: 'quote " and \\ and é',
      },
    },
    ...mounted([{
      name: "d",
      downwardAPI: {
        defaultMode: 0o400,
        items: [
          { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
          { path: "notes", fieldRef: { fieldPath: "metadata.annotations" } },
          {
            path: "deep/note",
            mode: 0o777,
            fieldRef: { fieldPath: "metadata.annotations['note']" },
          },
          { path: "uid", fieldRef: { fieldPath: "metadata.uid" } },
          {
            path: "cpu",
            resourceFieldRef: {
              containerName: "app",
              resource: "limits.cpu",
              divisor: "1m",
            },
          },
          {
            path: "memory",
            resourceFieldRef: {
              containerName: "app",
              resource: "limits.memory",
            },
          },
        ],
      },
    }], [{ name: "d", mountPath: "/info" }]),
  },
  "memory-writable": mounted(
    [{ name: "v", emptyDir: { medium: "Memory" } }],
    [DATA],
  ),
  "group-on-mismatch": mounted([EMPTY], [DATA], {
    securityContext: {
      fsGroup: 2000,
      fsGroupChangePolicy: "OnRootMismatch",
    },
  }),
  "bare-volume": mounted([{ name: "v" }], [DATA]),
  "read-only-recursive": mounted([EMPTY], [
    { ...DATA, readOnly: true, recursiveReadOnly: "IfPossible" },
  ]),
  "read-only-enabled": mounted([EMPTY], [
    { ...DATA, readOnly: true, recursiveReadOnly: "Enabled" },
  ]),
  "propagation-in": mounted([EMPTY], [
    { ...DATA, mountPropagation: "HostToContainer" },
  ]),
  "propagation-both": {
    own: {
      securityContext: { privileged: true },
      volumeMounts: [{ ...DATA, mountPropagation: "Bidirectional" }],
    },
    spec: { volumes: [EMPTY] },
  },
  image: mounted(
    [{ name: "v", image: { reference: BUSYBOX, pullPolicy: "IfNotPresent" } }],
    [{ ...DATA, subPath: "home" }],
  ),
  "image-whole": mounted(
    [{ name: "v", image: { reference: BUSYBOX, pullPolicy: "Never" } }],
    [{ name: "v", mountPath: "/mnt" }],
  ),
  "host-path": mounted(
    [{ name: "v", hostPath: { path: "/etc", type: "Directory" } }],
    [{ name: "v", mountPath: "/mnt", readOnly: true }],
  ),
  "host-path-wrong": mounted(
    [{ name: "v", hostPath: { path: "/etc", type: "File" } }],
    [{ name: "v", mountPath: "/mnt" }],
  ),
  "lost-secret": mounted(
    [{ name: "s", secret: { secretName: "view-none" } }],
    [{ name: "s", mountPath: "/secret" }],
  ),
  "optional-secret": mounted(
    [{ name: "s", secret: { secretName: "view-none", optional: true } }],
    [{ name: "s", mountPath: "/secret" }],
  ),
  "lost-key": mounted([{
    name: "s",
    secret: { secretName: "view", items: [{ key: "none", path: "none" }] },
  }], [{ name: "s", mountPath: "/secret" }]),
  "lost-claim": mounted(
    [{ name: "v", persistentVolumeClaim: { claimName: "view-none" } }],
    [DATA],
  ),
  "no-driver": mounted(
    [{ name: "v", csi: { driver: "view.example" } }],
    [DATA],
  ),
  nfs: mounted(
    [{ name: "v", nfs: { server: "127.0.0.1", path: "/none" } }],
    [DATA],
  ),
  nested: mounted(
    [EMPTY, { name: "c", configMap: { name: "view" } }],
    [DATA, { name: "c", mountPath: "/data/inner" }],
  ),
};
