/**
 * The same pressure on this agent and then on the real kubelet, in one world
 * with a cluster: who goes, in which order, with which words, and what the
 * node says of itself. Prints both, and each difference.
 */
import { clusterFacts, kubectl } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { startKubelet, stopKubelet } from "../../deploy/cluster/kubelet.ts";
import { run } from "../../deploy/world/command.ts";
import { stopAgent } from "../../deploy/world.ts";
import { BUSYBOX, until, world } from "../node/agent_world.ts";
import { send } from "./sides.ts";
import { pause } from "./subject.ts";
import {
  type BenchPod,
  type Case,
  CASES,
  HIGH,
  podOf,
  sizeBytes,
} from "./victims_cases.ts";
import { type Seen, victimPods, Watch } from "./victims_watch.ts";

const cluster = clusterFacts(world);
const GO = `${world.root}/go`;
const DISK = `${world.root}/disk`;
/** The kubelet looks every ten seconds, at what it measured before. */
const LONGEST_MS = 75_000;
/** Until the kubelet has measured everybody, too. */
const FILL_MS = 25_000;
/** A kubelet that has just started knows nobody's processes for as long. */
const LEARN_MS = 30_000;

interface Subject {
  readonly name: string;
  readonly nodeName: string;
  start(flags: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "denolet",
    nodeName: world.name,
    start: (flags) => startMember(world, flags),
    stop: () => stopAgent(world),
  },
  {
    name: "kubelet",
    nodeName: `${world.name}-peer`,
    start: (flags) =>
      startKubelet(world, { nodeName: `${world.name}-peer`, flags }),
    stop: () => stopKubelet(world),
  },
];

/** `names`: of cases; none: all. The exit code: 0 without a difference. */
export async function benchVictims(names: readonly string[]): Promise<number> {
  const cases = CASES.filter(({ name }) =>
    names.length === 0 || names.includes(name)
  );
  await send("apply", [{
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: HIGH },
    value: 1_000,
  }]);
  let count = 0;
  for (const each of cases) {
    const [ours, theirs] = [
      await judged(each, SUBJECTS[0]),
      await judged(each, SUBJECTS[1]),
    ];
    count += print(each, ours, theirs);
  }
  console.log(`\n${count} differences in ${cases.length} cases`);
  return count === 0 ? 0 : 1;
}

async function judged(
  each: Case,
  subject: Subject | undefined,
): Promise<Seen> {
  if (subject === undefined) throw new Error("There is nobody to judge");
  await Deno.remove(GO, { recursive: true }).catch(() => {});
  await Deno.mkdir(GO);
  if (each.disk !== undefined) await mountDisk(each.disk);
  const root = each.disk === undefined ? [] : [`--root-dir=${DISK}`];
  try {
    const early = each.isMeasured ? [] : await each.flags();
    await subject.start([...root, ...early]);
    const watch = new Watch(cluster, subject.nodeName);
    await begin(each.pods, subject);
    await Promise.all([
      watch.until(each.victims, FILL_MS + LEARN_MS + LONGEST_MS),
      press(each, subject, root),
    ]);
    return watch.seen;
  } finally {
    await clear();
    await subject.stop();
    if (each.disk !== undefined) await unmountDisk();
  }
}

/** The pods take what they take; then comes the last. */
async function press(
  each: Case,
  subject: Subject,
  flags: readonly string[],
): Promise<void> {
  await Deno.writeTextFile(`${GO}/now`, "");
  await pause(FILL_MS);
  if (each.isMeasured) {
    await subject.stop();
    await subject.start([...flags, ...await each.flags()]);
    await pause(LEARN_MS);
  }
  if (each.last !== undefined) await create([each.last], subject);
}

async function begin(
  pods: readonly BenchPod[],
  subject: Subject,
): Promise<void> {
  await create(pods, subject);
  await until("all pods to run", async () => {
    const found = await victimPods(cluster);
    return found.length === pods.length &&
      found.every(({ status }) => status?.phase === "Running");
  }, 60_000);
}

async function create(
  pods: readonly BenchPod[],
  { nodeName }: Subject,
): Promise<void> {
  const at = { nodeName, image: BUSYBOX, goFolder: GO };
  await send("apply", pods.map((pod) => podOf(pod, at)));
}

async function clear(): Promise<void> {
  const how = ["--wait=false", "--grace-period=1"];
  await kubectl(world, ["delete", "pods", "-l", "app=victim", ...how]);
  const isEmpty = async () => (await victimPods(cluster)).length === 0;
  await until("no pods", isEmpty, 60_000);
}

async function mountDisk(disk: NonNullable<Case["disk"]>): Promise<void> {
  const image = `${world.root}/disk.img`;
  await Deno.writeFile(image, new Uint8Array());
  await Deno.truncate(image, sizeBytes(disk));
  const inodes = String(disk.inodes);
  await run("mkfs.ext4", ["-q", "-F", "-m", "0", "-N", inodes, image]);
  await Deno.mkdir(DISK, { recursive: true });
  await run("mount", ["-o", "loop", image, DISK]);
}

async function unmountDisk(): Promise<void> {
  await run("umount", ["--recursive", "--lazy", DISK]);
  await Deno.remove(`${world.root}/disk.img`);
}

/** How many differences there are. */
function print(each: Case, ours: Seen, theirs: Seen): number {
  console.log(`\n== ${each.name}`);
  show("denolet", ours);
  show("kubelet", theirs);
  const [here, there] = [told(each, ours), told(each, theirs)];
  const differences = [
    ...here.filter((line) => !there.includes(line)).map((line) => `+ ${line}`),
    ...there.filter((line) => !here.includes(line)).map((line) => `- ${line}`),
  ];
  for (const line of differences) console.log(`  DIFFERS ${line}`);
  return differences.length;
}

function show(name: string, { victims, conditions }: Seen): void {
  const list = victims.map((each) =>
    `${each.name} ${(each.atMs / 1000).toFixed(1)} s`
  );
  console.log(`  ${name}: ${list.join(", ") || "nobody"}`);
  const pressed = conditions.filter((each) => each.includes("=True"));
  console.log(`    ${pressed.join(", ")}`);
}

function told(each: Case, { victims, conditions }: Seen): string[] {
  const order = victims.map(({ name }) => name);
  return [
    `order ${(each.isUnordered ? order.sort() : order).join(" ")}`,
    ...victims.map(({ name, reason, message, isDisrupted }) =>
      `${name}: ${reason} ${JSON.stringify(message)}` +
      (isDisrupted ? ", disrupted" : "")
    ),
    ...conditions,
  ];
}
