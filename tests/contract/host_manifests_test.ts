/**
 * The manifest folder on a real file system: every way in which editors and
 * installers change files there is seen without waiting for the audit.
 */
import assert from "node:assert/strict";
import { cell } from "../../lib/base/cell.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { HostFiles } from "../../lib/host/files.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { runSources } from "../../lib/source/run.ts";
import { type Desired, NOTHING_YET } from "../../lib/source/types.ts";
import { FakeHttp } from "../fakes/fake_http.ts";

const manifest = (name: string, image = "x") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n` +
  `spec: {containers: [{name: a, image: ${image}}]}\n`;

interface World {
  readonly folder: string;
  /** Waits until the condition holds, and says how long that took. */
  until(holds: (desired: Desired) => boolean): Promise<number>;
}

async function withFolder(story: (world: World) => Promise<void>) {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const [desired, reader] = cell<Desired>(NOTHING_YET);
  const stop = new AbortController();
  const folder = `${root}/manifests`;
  const running = runSources({
    files: new HostFiles({ libc, roots: [folder], links: "follow" }),
    http: new FakeHttp(),
    clock: systemClock,
    log: silentLogger,
    desired,
    api: undefined,
    config: {
      mayReference: false,
      nodeName: "node-1",
      staticPodPath: folder,
      staticPodURL: "",
      staticPodURLHeader: new Map(),
      fileCheckFrequencyMs: 3_600_000,
      httpCheckFrequencyMs: 3_600_000,
    },
  }, stop.signal);
  const until = async (holds: (desired: Desired) => boolean) => {
    const startedMs = performance.now();
    const { signal } = stop;
    if (holds(reader.get())) return 0;
    for await (const next of reader.changes(signal)) if (holds(next)) break;
    return performance.now() - startedMs;
  };
  try {
    await story({ folder, until });
  } finally {
    stop.abort();
    await running;
    libc.close();
    await Deno.remove(root, { recursive: true });
  }
}

const namesOf = ({ pods }: Desired) =>
  [...pods.values()].map(({ pod }) => pod.metadata?.name).sort().join(" ");
const has = (names: string) => (desired: Desired) => namesOf(desired) === names;

Deno.test("manifest folder: appears, changes, goes and comes back", () =>
  withFolder(async ({ folder, until }) => {
    await until(({ isReady }) => isReady);
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a.yaml`, manifest("a"));
    await until(has("a-node-1"));
    // As vi and kubeadm do: a new file, renamed over the old one.
    await Deno.writeTextFile(`${folder}/.new`, manifest("b"));
    await Deno.rename(`${folder}/.new`, `${folder}/a.yaml`);
    await until(has("b-node-1"));
    await Deno.writeTextFile(`${folder}/c.yaml`, manifest("c"));
    await until(has("b-node-1 c-node-1"));
    await Deno.rename(`${folder}/c.yaml`, `${folder}/d.yaml`);
    await until(({ pods }) =>
      [...pods.values()].some(({ origin }) =>
        origin.location.endsWith("d.yaml")
      )
    );
    await Deno.remove(`${folder}/a.yaml`);
    await until(has("c-node-1"));
    await Deno.rename(folder, `${folder}-away`);
    await until(has(""));
    await Deno.rename(`${folder}-away`, folder);
    await until(has("c-node-1"));
    await Deno.remove(folder, { recursive: true });
    await until(has(""));
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/e.yaml`, manifest("e"));
    await until(has("e-node-1"));
  }));

Deno.test("manifest folder: links are followed, pipes do not hang", () =>
  withFolder(async ({ folder, until }) => {
    await Deno.mkdir(`${folder}/..data`, { recursive: true });
    await Deno.writeTextFile(`${folder}/..data/a.yaml`, manifest("a"));
    await Deno.symlink("..data/a.yaml", `${folder}/a.yaml`);
    await until(has("a-node-1"));
    const pipe = `${folder}/pipe.yaml`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await until(({ problems }) => problems.length === 1);
    await Deno.writeTextFile(`${folder}/b.yaml`, manifest("b"));
    await until(has("a-node-1 b-node-1"));
  }));

Deno.test("manifest folder: a change is wanted within milliseconds", () =>
  withFolder(async ({ folder, until }) => {
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${folder}/a.yaml`, manifest("a"));
    await until(has("a-node-1"));
    const delaysMs: number[] = [];
    for (let count = 0; count < 20; count++) {
      await Deno.writeTextFile(`${folder}/.new`, manifest("a", `x:${count}`));
      await Deno.rename(`${folder}/.new`, `${folder}/a.yaml`);
      delaysMs.push(
        await until(({ pods }) =>
          [...pods.values()].some(({ pod }) =>
            pod.spec?.containers[0]?.image === `x:${count}`
          )
        ),
      );
    }
    delaysMs.sort((one, other) => one - other);
    const median = delaysMs[delaysMs.length / 2] ?? Infinity;
    console.info(`manifest to wanted: median ${median.toFixed(1)} ms`);
    assert.ok(median < 100, `median ${median} ms`);
  }));
