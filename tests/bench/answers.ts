/**
 * What the node's API tells about the same pods under this agent and under the
 * real kubelet: each metric with its type and labels, and each member of the
 * JSON. Wants a world with a cluster; prints what only the kubelet tells, and
 * fails on what is not on the list of what is left out knowingly.
 */
import type { V1Pod } from "../../lib/api/types.ts";
import { BUSYBOX, OBEDIENT } from "../node/agent_world.ts";
import {
  familiesIn,
  type Missing,
  missingFamilies,
  missingMembers,
  unexpected,
} from "./answers_compare.ts";
import { cluster, type Side, sides, withPods } from "./sides.ts";

const PAGES = [
  "/metrics",
  "/metrics/resource",
  "/metrics/cadvisor",
  "/metrics/probes",
  "/metrics/slis",
];
const OBJECTS = ["/stats/summary", "/pods", "/runningpods/", "/configz"];
const LABEL = "app=answers";
/** The kubelet measures trees once a minute. */
const MEASURED_MS = 75_000;

type Answers = ReadonlyMap<string, string>;

/** The exit code: 0 when only what is meant is missing. */
export async function benchAnswers(): Promise<number> {
  const [ours, theirs] = await sides();
  if (ours === undefined || theirs === undefined) return 1;
  const own = await answersOf(ours);
  const peer = await answersOf(theirs);
  const missing = [
    ...PAGES.flatMap((path) =>
      missingFamilies(
        path,
        familiesIn(own.get(path) ?? ""),
        familiesIn(peer.get(path) ?? ""),
      )
    ),
    ...OBJECTS.flatMap((path) =>
      missingMembers(
        path,
        JSON.parse(own.get(path) ?? ""),
        JSON.parse(peer.get(path) ?? ""),
      )
    ),
  ];
  return report(missing);
}

function report(missing: readonly Missing[]): number {
  const bad = unexpected(missing);
  for (const { path, what } of bad) console.log(`${path}: ${what}`);
  console.log(
    `${bad.length} things that only the kubelet tells, and ` +
      `${missing.length - bad.length} that are left out knowingly`,
  );
  return bad.length === 0 ? 0 : 1;
}

async function answersOf(side: Side): Promise<Answers> {
  await side.start();
  const pair = `${cluster.pki}/kube-apiserver-kubelet-client`;
  const client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(cluster.ca.certificate)],
    cert: await Deno.readTextFile(`${pair}.crt`),
    key: await Deno.readTextFile(`${pair}.key`),
  });
  try {
    return await withPods(LABEL, podsOn(side.nodeName), async () => {
      await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
      const found = new Map<string, string>();
      for (const path of [...PAGES, ...OBJECTS]) {
        const { nodeIp, ports } = cluster;
        const url = `https://${nodeIp}:${ports.kubelet}${path}`;
        const answer = await fetch(url, { client });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
        found.set(path, text);
      }
      return found;
    });
  } finally {
    client.close();
    await side.stop();
  }
}

/** A little of everything that figures are told about. */
function podsOn(nodeName: string): V1Pod[] {
  const main = {
    name: "main",
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", OBEDIENT],
    volumeMounts: [
      { name: "disk", mountPath: "/disk" },
      { name: "memory", mountPath: "/memory" },
    ],
  };
  const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 2 };
  const resources = {
    requests: { cpu: "50m", memory: "32Mi" },
    limits: { cpu: "200m", memory: "64Mi" },
  };
  const once = { ...main, name: "once", command: ["true"] };
  const specs = [
    { containers: [main] },
    { containers: [{ ...main, resources }] },
    { initContainers: [once], containers: [main] },
    { containers: [{ ...main, readinessProbe }] },
  ];
  return specs.map((spec, n) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `answers-${n}`, labels: { app: "answers" } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      volumes: [
        { name: "disk", emptyDir: {} },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      ],
      ...spec,
    },
  }));
}
