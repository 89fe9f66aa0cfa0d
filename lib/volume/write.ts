/**
 * Puts files into a volume so that a pod sees the old or the new whole:
 * content goes into a hidden directory named after the time, `..data` points
 * there, visible names are links through `..data`. Called by set_up.ts; one
 * call at a time for a directory. However many files there are: nobody else
 * waits for long.
 * Compat: kubelet 1.36 AtomicWriter; inotify users know this dance.
 */
import type { Clock } from "../base/clock.ts";
import { Pace } from "../base/pace.ts";
import type { Random } from "../base/random.ts";
import type { Files } from "../port/host.ts";
import type { ProjectedFile } from "./content.ts";

const DATA = "..data";
/** So many files take less than a turn, and keep the disk busy. */
const SLICE = 8;
const DIRECTORY_MODE = 0o755;
/** What `fsGroup` adds. Compat: kubelet 1.36 changeFilePermission, read-only. */
const GROUP_FILE_MODE = 0o440;
const GROUP_DIRECTORY_MODE = 0o2550;

export interface WritePorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Writing {
  /** An existing directory. */
  readonly directory: string;
  readonly content: ReadonlyMap<string, ProjectedFile>;
  readonly gid: number | undefined;
}

/** Writes nothing when the same bytes are there already. */
export async function writeVolume(
  ports: WritePorts,
  writing: Writing,
): Promise<void> {
  const { directory, content } = writing;
  const current = await currentData(ports.files, directory);
  const isSame = current !== undefined &&
    await holds(ports, `${directory}/${current}`, content);
  const kept = isSame ? current : await writeNew(ports, writing);
  await linkVisible(ports, directory, content);
  await sweep(ports, directory, { kept, content });
}

/** The directory that `..data` points to; undefined before the first write. */
export async function currentData(
  files: Files,
  directory: string,
): Promise<string | undefined> {
  const target = await files.readLink(`${directory}/${DATA}`);
  return target !== undefined && /^\.\.[^/]+$/.test(target)
    ? target
    : undefined;
}

async function writeNew(
  ports: WritePorts,
  { directory, content, gid }: Writing,
): Promise<string> {
  const { files } = ports;
  const name = await hiddenName(ports, directory);
  const root = `${directory}/${name}`;
  try {
    const pace = new Pace(ports.clock);
    for (const each of directoriesOf(content)) {
      const path = `${root}${each}`;
      await files.makeDirectory(path, DIRECTORY_MODE);
      await giveToGroup(files, path, { mode: DIRECTORY_MODE, gid });
      await pace.step();
    }
    for await (const some of slices(ports, content)) {
      await Promise.all(
        some.map(([path, { bytes, mode, uid }]) =>
          files.create(`${root}/${path}`, bytes, {
            mode: gid === undefined ? mode : mode | GROUP_FILE_MODE,
            ...(uid === undefined ? {} : { uid }),
            ...(gid === undefined ? {} : { gid }),
          })
        ),
      );
    }
    const { mode } = await files.stat(directory) ?? { mode: DIRECTORY_MODE };
    await giveToGroup(files, directory, { mode, gid });
    await files.link(`${directory}/${DATA}`, name);
  } catch (error) {
    await files.removeTree(root);
    throw error;
  }
  return name;
}

async function giveToGroup(
  files: Files,
  directory: string,
  access: { readonly mode: number; readonly gid: number | undefined },
): Promise<void> {
  const { mode, gid } = access;
  if (gid === undefined) return;
  await files.own(directory, { mode: mode | GROUP_DIRECTORY_MODE, gid });
}

/** Below the root, from `""` on, parents first; paths may be very deep. */
function* directoriesOf(
  content: ReadonlyMap<string, ProjectedFile>,
): Generator<string> {
  const found = new Set<string>();
  yield "";
  for (const path of content.keys()) {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      const directory = path.slice(0, at);
      if (found.has(directory)) continue;
      found.add(directory);
      yield `/${directory}`;
    }
  }
}

/** `..2026_01_02_03_04_05.123456789`, and nothing is there yet. */
async function hiddenName(
  { files, clock, random }: WritePorts,
  directory: string,
): Promise<string> {
  const time = new Date(clock.nowMs()).toISOString().slice(0, 19)
    .replace(/[-T:]/g, "_");
  for (let number = Math.floor(random.fraction() * 2 ** 32);; number++) {
    const name = `..${time}.${number}`;
    if (await files.stat(`${directory}/${name}`) === undefined) return name;
  }
}

/** What already leads somewhere, or is a mount point, stays as it is. */
async function linkVisible(
  ports: WritePorts,
  directory: string,
  content: ReadonlyMap<string, ProjectedFile>,
): Promise<void> {
  const { files } = ports;
  for await (const some of slices(ports, visibleNames(content))) {
    for (const name of some) {
      const path = `${directory}/${name}`;
      if (await files.stat(path) !== undefined) continue;
      await files.link(path, `${DATA}/${name}`);
    }
  }
}

/** A few at a time; whoever else has something to do goes between. */
async function* slices<T>(
  { clock }: WritePorts,
  all: Iterable<T>,
): AsyncGenerator<readonly T[]> {
  const pace = new Pace(clock);
  let some: T[] = [];
  for (const each of all) {
    some.push(each);
    if (some.length < SLICE) continue;
    yield some;
    some = [];
    await pace.step();
  }
  if (some.length > 0) yield some;
}

/** Removes old links and hidden directories, also of writes that broke off. */
async function sweep(
  ports: WritePorts,
  directory: string,
  now: {
    readonly kept: string;
    readonly content: ReadonlyMap<string, ProjectedFile>;
  },
): Promise<void> {
  const { files } = ports;
  const visible = visibleNames(now.content);
  const entries = await files.list(directory) ?? [];
  for await (const some of slices(ports, entries)) {
    for (const { name, kind } of some) {
      const path = `${directory}/${name}`;
      if (kind === "symlink") {
        if (name !== DATA && !visible.has(name)) await files.remove(path);
      } else if (name.startsWith("..") && name !== now.kept) {
        await files.removeTree(path);
      }
    }
  }
}

function visibleNames(
  content: ReadonlyMap<string, ProjectedFile>,
): ReadonlySet<string> {
  return new Set([...content.keys()].map((path) => path.split("/")[0] ?? path));
}

/** True when the files below `root` are exactly these. */
async function holds(
  ports: WritePorts,
  root: string,
  content: ReadonlyMap<string, ProjectedFile>,
): Promise<boolean> {
  const { files } = ports;
  const found = await filesBelow(files, root);
  if (found === undefined || found.length !== content.size) return false;
  for await (const some of slices(ports, content)) {
    for (const [path, { bytes }] of some) {
      const stat = await files.stat(`${root}/${path}`);
      if (stat?.kind !== "file") return false;
      if (stat.sizeBytes !== bytes.length) return false;
      const old = await files.read(`${root}/${path}`, bytes.length);
      if (old === undefined || !isEqual(old, bytes)) return false;
    }
  }
  return true;
}

/** Undefined when something is no file, or there is no such directory. */
async function filesBelow(
  files: Files,
  root: string,
): Promise<string[] | undefined> {
  const entries = await files.list(root);
  if (entries === undefined) return undefined;
  const paths: string[] = [];
  for (const { name, kind } of entries) {
    if (kind === "file") paths.push(name);
    else if (kind !== "directory") return undefined;
    else {
      const inside = await filesBelow(files, `${root}/${name}`);
      if (inside === undefined) return undefined;
      paths.push(...inside);
    }
  }
  return paths;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  // Plainly: a call for each byte of a mebibyte takes too long.
  for (let at = 0; at < one.length; at++) {
    if (one[at] !== other[at]) return false;
  }
  return true;
}
