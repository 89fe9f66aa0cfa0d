/**
 * The pods of the side-by-side look that are about how containers start and
 * end: what the API server and the events tell of it. Pure.
 */
import type { V1Container, V1PodSpec } from "../../lib/api/types.ts";
import { BUSYBOX } from "../node/agent_world.ts";
import { TELL } from "../node/view.ts";
import type { Wish } from "./views_wishes.ts";

const DATA = { name: "v", mountPath: "/data" };
const VOLUMES = [{ name: "v", emptyDir: {} }];

const beside = (name: string, script: string): V1Container => ({
  name,
  image: BUSYBOX,
  imagePullPolicy: "IfNotPresent",
  command: ["sh", "-c", script],
  volumeMounts: [DATA],
});
const STAYS = "trap 'exit 0' TERM; sleep 10000 & wait";

const ends = (
  script: string,
  own: Partial<V1Container> = {},
  spec: Partial<V1PodSpec> = {},
): Wish => ({
  own: { command: ["sh", "-c", script], ...own },
  spec: { restartPolicy: "Never", ...spec },
});

export const STARTS: Readonly<Record<string, Wish>> = {
  init: {
    own: { volumeMounts: [DATA] },
    spec: {
      volumes: VOLUMES,
      initContainers: [
        beside(
          "first",
          "echo 1 > /data/first; echo done > /dev/termination-log",
        ),
        beside("second", "ls /data > /data/second"),
      ],
    },
  },
  "init-fails": {
    spec: {
      restartPolicy: "Never",
      volumes: VOLUMES,
      initContainers: [beside("first", "exit 3")],
    },
  },
  sidecar: {
    own: { volumeMounts: [DATA] },
    spec: {
      volumes: VOLUMES,
      initContainers: [{
        ...beside("side", `echo 1 > /data/side; ${STAYS}`),
        restartPolicy: "Always",
        startupProbe: {
          exec: { command: ["cat", "/data/side"] },
          periodSeconds: 1,
        },
      }],
    },
  },
  "two-containers": {
    own: { volumeMounts: [DATA] },
    spec: { volumes: VOLUMES, containers: [beside("other", STAYS)] },
  },
  "post-start": {
    own: {
      command: [
        "sh",
        "-c",
        `while [ ! -s /data/id ]; do sleep 0.1; done\n${TELL}`,
      ],
      volumeMounts: [DATA],
      lifecycle: {
        postStart: { exec: { command: ["sh", "-c", "id > /data/id"] } },
      },
    },
    spec: { volumes: VOLUMES },
  },
  "post-start-fails": ends("sleep 1000", {
    lifecycle: { postStart: { exec: { command: ["sh", "-c", "exit 5"] } } },
  }),
  succeeds: ends("echo told > /dev/termination-log"),
  fails: ends("echo told > /dev/termination-log; exit 7"),
  "fails-with-log": ends("echo from the log; exit 7", {
    terminationMessagePolicy: "FallbackToLogsOnError",
  }),
  "message-elsewhere": ends("echo told > /tmp/message", {
    terminationMessagePath: "/tmp/message",
  }),
  "killed-by-signal": ends("kill -9 $$"),
  "no-command": ends("", { command: ["/no/such/program"] }),
  "no-directory": ends("true", { workingDir: "/no/such/directory" }),
  "no-image": ends("true", {
    image: "docker.io/library/view-none:latest",
    imagePullPolicy: "Never",
  }),
  "pull-fails": ends("true", {
    image: "127.0.0.1:1/view-none:1",
    imagePullPolicy: "IfNotPresent",
  }),
  "bad-image": ends("true", { image: "Not:An:Image" }),
  deadline: ends("sleep 1000", {}, { activeDeadlineSeconds: 15 }),
  "not-ready": {
    own: {
      readinessProbe: {
        exec: { command: ["sh", "-c", "echo no; exit 1"] },
        periodSeconds: 1,
        failureThreshold: 1,
      },
    },
  },
  "own-restart": ends("exit 0", {
    restartPolicy: "Never",
  }, { restartPolicy: "Always" }),
  "long-message": ends(
    "head -c 6000 /dev/zero | tr '\\0' x > /dev/termination-log",
  ),
  tty: { own: { tty: true, stdin: true } },
};
