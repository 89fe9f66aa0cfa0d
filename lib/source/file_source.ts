/**
 * The loop over a folder of manifests, or one file: looks when something
 * changed there and, in case a change went unnoticed, from time to time.
 * Reads only what is new. `run.ts` starts it and takes what it delivers.
 * Compat: kubelet 1.36 pkg/kubelet/config/file.go, file_linux.go: names with
 * a leading dot are passed over, folders inside are not entered, links are
 * followed, and a path that is not there is an empty delivery.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { TaskScope } from "../base/tasks.ts";
import type { Files, FileStat } from "../port/host.ts";
import { Bell } from "./bell.ts";
import { watchForChanges } from "./file_watch.ts";
import { LONGEST_MANIFEST_BYTES } from "./text.ts";
import { canonicalJson } from "./identity.ts";
import { manifestSteps } from "./manifest.ts";
import { delivered, type Delivery, type SourceState } from "./merge.ts";
import { inSlices } from "./slices.ts";
import type { Finding, Origin } from "./types.ts";

export interface FileSourcePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeName: string;
  readonly mayReference: boolean;
  /** The folder or file. */
  readonly path: string;
  /** How often to look without being told. */
  readonly periodMs: number;
  readonly deliver: (state: SourceState) => void;
}

/** Longer than the coarsest clock a file system keeps. */
const SETTLED_MS = 1_000;

/** One file as it was read last. */
interface Known {
  readonly version: string;
  readonly delivery: Delivery;
}

export async function runFileSource(
  ports: FileSourcePorts,
  signal: AbortSignal,
): Promise<void> {
  const source = new FileSource(ports);
  const scope = new TaskScope(signal, ports.log);
  const bell = new Bell();
  scope.run("manifest-audit", (each) => audit(ports, bell, each));
  scope.run("manifest-watch", (each) => watchForChanges(ports, bell, each));
  scope.run("manifest-scan", async (each) => {
    for (;;) {
      await source.scan(each);
      await bell.answered(each);
    }
  });
  await scope.closed();
}

async function audit(
  { clock, periodMs }: FileSourcePorts,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(periodMs, signal);
    bell.ring();
  }
}

class FileSource {
  readonly #ports: FileSourcePorts;
  #known: ReadonlyMap<string, Known> = new Map();
  #isReady = false;

  constructor(ports: FileSourcePorts) {
    this.#ports = ports;
  }

  /** Looks at everything, reads what is new, delivers. */
  async scan(signal: AbortSignal): Promise<void> {
    const { path } = this.#ports;
    try {
      const found = await this.#look();
      const known = new Map<string, Known>();
      for (const location of found) {
        const each = await this.#read(location, signal);
        if (each !== undefined) known.set(location, each);
      }
      this.#known = known;
      this.#isReady = true;
      this.#deliver([]);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // What cannot be seen is not gone: everything stays as it was.
      this.#deliver([trouble(path, chainOf(error))]);
    }
  }

  #deliver(more: readonly Delivery[]): void {
    const deliveries = [...this.#known.values()].map(({ delivery }) =>
      delivery
    );
    this.#ports.deliver({
      kind: "file",
      isReady: this.#isReady,
      deliveries: [...deliveries, ...more],
    });
  }

  /** The paths of all manifests, in the order of their names. */
  async #look(): Promise<readonly string[]> {
    const { files, path } = this.#ports;
    const found = await files.stat(path);
    if (found === undefined) return [];
    if (found.kind !== "directory") return [path];
    const entries = await files.list(path) ?? [];
    return entries
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("."))
      .sort()
      .map((name) => path === "/" ? `/${name}` : `${path}/${name}`);
  }

  /** What counts of one file now; undefined when it is gone. */
  async #read(
    location: string,
    signal: AbortSignal,
  ): Promise<Known | undefined> {
    const before = this.#known.get(location);
    const { files, clock, nodeName, mayReference } = this.#ports;
    const origin: Origin = { kind: "file", location };
    try {
      const found = await files.stat(location);
      if (found === undefined) return await this.#absent(origin, before);
      if (found.version === before?.version) return before;
      if (found.kind !== "file") return passedOver(origin, found);
      const bytes = await files.read(location, LONGEST_MANIFEST_BYTES);
      if (bytes === undefined) return undefined;
      const steps = manifestSteps(bytes, { origin, nodeName, mayReference });
      const read = await inSlices(steps, clock, signal);
      const version = this.#isSettled(found) ? found.version : "";
      return this.#remember(before, version, { origin, ...read });
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      const findings = [finding(chainOf(error))];
      return this.#remember(before, "", { origin, pods: [], findings });
    }
  }

  /** Gone, unless a link is there that leads nowhere just now. */
  async #absent(
    origin: Origin,
    before: Known | undefined,
  ): Promise<Known | undefined> {
    const target = await this.#ports.files.readLink(origin.location);
    if (target === undefined) return undefined;
    const findings = [finding(`its link leads nowhere: ${target}`)];
    return this.#remember(before, "", { origin, pods: [], findings });
  }

  /**
   * False just after a write: another may come within the same tick of the
   * file system's clock and leave the version as it is.
   */
  #isSettled({ modifiedAtMs }: FileStat): boolean {
    return Math.abs(this.#ports.clock.nowMs() - modifiedAtMs) > SETTLED_MS;
  }

  #remember(
    before: Known | undefined,
    version: string,
    now: Delivery,
  ): Known {
    const { clock, log } = this.#ports;
    const delivery = delivered(before?.delivery, now, clock.nowMs());
    if (!saysSame(before?.delivery, delivery)) {
      const bad = now.findings.find(({ severity }) => severity === "error");
      const path = now.origin.location;
      const pods = now.pods.length;
      if (bad === undefined) {
        const warnings = now.findings.length;
        log.info("Read manifest", { path, pods, warnings });
      } else {
        const { line, column, message: error } = bad;
        log.warn("A manifest is broken; its running pods are left alone", {
          path,
          ...line === undefined ? {} : { line },
          ...column === undefined ? {} : { column },
          error,
          pods,
        });
      }
    }
    return { version, delivery };
  }
}

function saysSame(before: Delivery | undefined, now: Delivery): boolean {
  return before !== undefined && before.pods.length === now.pods.length &&
    before.pods.every((each, index) => each === now.pods[index]) &&
    canonicalJson(before.findings) === canonicalJson(now.findings);
}

/** Compat: the kubelet logs these and goes on. */
function passedOver(origin: Origin, found: FileStat): Known {
  const what = found.kind === "directory"
    ? "a folder, and folders are not entered"
    : "neither a file nor a folder";
  const message = `it is ${what}, want a regular file`;
  const findings: Finding[] = [{ severity: "warning", message }];
  return { version: found.version, delivery: { origin, pods: [], findings } };
}

function trouble(location: string, message: string): Delivery {
  const origin: Origin = { kind: "file", location };
  return { origin, pods: [], findings: [finding(message)] };
}

function finding(message: string): Finding {
  return { severity: "error", message };
}
