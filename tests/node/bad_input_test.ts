/**
 * What is wrong is said clearly where people look, and a healthy neighbour is
 * left alone.
 */
import assert from "node:assert/strict";
import { stopAgent } from "../../deploy/world.ts";
import { askAgent } from "../../deploy/world/agent.ts";
import type { V1Container } from "../../lib/api/types.ts";
import {
  aContainer,
  agentLog,
  aPod,
  gone,
  logsOf,
  type Node,
  nodeTest,
  put,
  putText,
  runningOne,
  runProgram,
  sandboxesOf,
  says,
  take,
  world,
} from "./agent_world.ts";

const CONTAINER = JSON.stringify(aContainer("a"));

/** A document of a pod, whose metadata and containers are given as YAML. */
function text(metadata: string, containers: string, kind = "Pod"): string {
  return `apiVersion: v1\nkind: ${kind}\nmetadata: ${metadata}\n` +
    `spec:\n  terminationGracePeriodSeconds: 1\n` +
    `  containers: [${containers}]\n`;
}

function bomb(): string {
  const lines = ["a0: &a0 x"];
  for (let level = 1; level < 12; level++) {
    const tenfold = Array(10).fill(`*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${tenfold}]`);
  }
  return lines.join("\n");
}

/** File, content, and the essential words of what is said about it. */
const FILES: readonly [string, string | Uint8Array, RegExp][] = [
  ["empty.yaml", "", /the file is empty/],
  ["binary.yaml", Uint8Array.from({ length: 10_000 }, (_, i) => i), /binary/],
  ["comment.yaml", "# only this\n", /no document/],
  ["huge.yaml", `# ${"x".repeat(10 << 20)}`, /longer than 10485760 bytes/],
  [
    "large.yaml",
    `${text("{name: large}", CONTAINER)}\n# ${"x".repeat((10 << 20) - 2_000)}`,
    /none/,
  ],
  ["bomb.yaml", bomb(), /too complex: its aliases expand/],
  ["syntax.yaml", "kind: Pod\n  bad: [", /syntax\.yaml:[12]:\d+/],
  [
    "kind.yaml",
    text("{name: kind}", CONTAINER, "Podd"),
    /kind\.yaml:2:\d+: kind.*"Podd".*"Pod"/,
  ],
  ["nameless.yaml", text("{}", CONTAINER), /:3:.*metadata\.name.*[Rr]equired/],
  [
    "twins.yaml",
    text("{name: twins}", `${CONTAINER}, ${CONTAINER}`),
    /:6:\d+: spec\.containers\[1\]\.name: Duplicate value: "a"/,
  ],
  [
    "list.yaml",
    "apiVersion: v1\nkind: List\nitems:\n" +
    "- {apiVersion: v1, kind: ConfigMap, metadata: {name: other}}\n" +
    `- ${JSON.stringify(aPod("listed"))}\n`,
    /list\.yaml:4:\d+: .*kind.*"ConfigMap"/,
  ],
];

nodeTest(
  "a broken manifest is explained, others are left alone",
  async (node) => {
    await put(aPod("well"));
    const { id } = await runningOne(node, "well");
    const mark = (await agentLog()).length;
    for (const [file, content] of FILES) await putText(file, content);
    const broken = FILES.filter(([file]) => file !== "large.yaml");
    for (const [file, , words] of broken) {
      const said = await says(
        new RegExp(file.replace(".", "\\.")),
        () => askAgent(world, "explain"),
        10_000,
      );
      const lines = said.split("\n").filter((line) => line.includes(file));
      assert.match(lines.join("\n"), words);
    }
    // A List and a long file are fine as far as they hold pods.
    await runningOne(node, "listed");
    await runningOne(node, "large");
    const log = await agentLog(mark);
    for (const [file] of broken) assert.ok(log.includes(file), file);
    assert.equal((await runningOne(node, "well")).id, id);
  },
);

nodeTest("a running pod outlives the breaking of its file", async (node) => {
  await put(aPod("well"));
  const { id } = await runningOne(node, "well");
  await putText("well.yaml", "kind: Pod\nmetadata: {name: [}");
  await says(/well\.yaml:2:/, () => askAgent(world, "explain"), 5_000);
  assert.equal((await runningOne(node, "well")).id, id);
  assert.match(await askAgent(world, "explain", "well"), /^Running/);
});

nodeTest("two files with one pod's name: the first wins", async (node) => {
  const pod = JSON.stringify(aPod("well"));
  await putText("1.yaml", pod);
  const { id } = await runningOne(node, "well");
  const other = aPod("well", [aContainer("b")]);
  await putText("2.yaml", JSON.stringify(other));
  const said = await says(
    /2\.yaml/,
    () => askAgent(world, "explain"),
    5_000,
  );
  assert.match(said, /2\.yaml.*well/);
  assert.equal((await runningOne(node, "well")).id, id);
});

/** Pods that are well-formed and cannot run, with what is said of them. */
const PODS: readonly [string, Partial<V1Container>, RegExp][] = [
  ["badname", { image: "UPPER::/x" }, /InvalidImageName.*UPPER::\/x/],
  [
    "nopull",
    { image: "registry.invalid/x:1" },
    /(ErrImagePull|ImagePullBackOff).*registry\.invalid\/x:1/,
  ],
  [
    "absent",
    { image: "registry.invalid/y:1", imagePullPolicy: "Never" },
    /ErrImageNeverPull.*registry\.invalid\/y:1/,
  ],
  ["badcommand", { command: ["/no/such"] }, /"\/no\/such".*no such file/],
];

nodeTest("a pod that cannot run says why", async (node) => {
  await put(aPod("well"));
  const { id } = await runningOne(node, "well");
  for (const [name, own] of PODS) {
    await put(aPod(name, [aContainer("a", "true", own)]));
  }
  for (const [name, , words] of PODS) {
    // Between two tries the first line tells of the try that is on its way.
    await says(
      new RegExp(`^Waiting .*\\ba\\b.*${words.source}`),
      async () => (await askAgent(world, "explain", name)).split("\n")[0] ?? "",
      15_000,
    );
  }
  assert.equal((await runningOne(node, "well")).id, id);
});

nodeTest("a log folder that cannot be made is named", async (node) => {
  await put(aPod("well"));
  const { id } = await runningOne(node, "well");
  const uid = await uidOf(node, "blocked");
  const logs = logsOf("blocked", uid);
  await Deno.writeTextFile(logs, "in the way");
  try {
    await put(aPod("blocked"));
    const said = await says(
      new RegExp(logs),
      async () =>
        (await askAgent(world, "explain", "blocked")).split("\n")[0] ?? "",
      5_000,
    );
    assert.match(said, /not a directory|exists|ENOTDIR/i);
  } finally {
    await Deno.remove(logs);
  }
  // The way is free: nothing else has to be done.
  await runningOne(node, "blocked");
  assert.equal((await runningOne(node, "well")).id, id);
});

/** The uid that the pod `name` gets; it follows from its manifest. */
async function uidOf(node: Node, name: string): Promise<string> {
  await put(aPod(name));
  await runningOne(node, name);
  const [sandbox] = await sandboxesOf(node, name);
  await take(name);
  await gone(node, name);
  return sandbox?.podUid ?? "";
}

nodeTest("a configuration that cannot be is refused in one line", async () => {
  const sample = await Deno.readTextFile(world.agentConfig);
  const config = `${world.root}/bad.yaml`;
  const refused = async (text: string, flags: readonly string[] = []) => {
    await Deno.writeTextFile(config, text);
    const { code, err, out } = await runProgram(`--config=${config}`, ...flags);
    assert.equal(code, 1, err);
    assert.equal(out, "");
    const said = err.split("\n").filter((line) => / WARN | INFO /.test(line));
    return err.split("\n").filter((line) => !said.includes(line)).join("\n");
  };
  try {
    const lines = sample.trimEnd().split("\n").length + 1;
    const place = `${config}:${lines}:\\d+: `;
    assert.match(
      await refused(`${sample}maxPods: many\n`),
      new RegExp(`^denolet: ${place}maxPods: .*"many".*number.*\n$`),
    );
    assert.match(
      await refused(`${sample}maxPods: [\n`),
      new RegExp(`^denolet: ${config}:\\d+:\\d+: .*\n$`),
    );
    assert.match(
      await refused(sample, ["--no-such-flag=1", "--strict-flags"]),
      /^denolet: .*--no-such-flag.*\n$/,
    );
    // A second copy would be refused for another reason.
    await stopAgent(world);
    const file = `${world.root}/a-file`;
    await Deno.writeTextFile(file, "");
    const folder = sample.replace(/podLogsDir: .*/, `podLogsDir: ${file}/logs`);
    assert.match(
      await refused(folder),
      new RegExp(`^denolet: .*${file}/logs.*\n$`),
    );
    const check = await runProgram(
      ...["check-config", "--no-such-flag=1", `--config=${world.agentConfig}`],
    );
    assert.equal(check.code, 0);
    assert.match(check.err + check.out, /--no-such-flag/);
  } finally {
    await Deno.remove(config);
  }
});

nodeTest("an agent that does not run is named so", async () => {
  await stopAgent(world);
  const { code, err } = await runProgram("pods");
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^No agent answers at ${world.adminSocket}`));
});
