/**
 * An in-memory machine: files with directories, links and things that are
 * neither; facts. Keeps the promises of `lib/port/host.ts`, as
 * `tests/contract/host_contract.ts` checks.
 */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  Access,
  DirectoryEntry,
  Files,
  FileStat,
  HostFacts,
  NodeText,
  NodeTexts,
} from "../../lib/port/host.ts";
import { TRAITS } from "../build.ts";

interface Node {
  readonly kind: FileStat["kind"];
  readonly bytes: Uint8Array;
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly version: number;
}

const NOTHING = new Uint8Array();
const MOST_LINKS = 8;

/** A file system. `put` and friends change the world from outside. */
export class FakeFiles implements Files {
  readonly #links: "refuse" | "follow";
  readonly #nodes = new Map<string, Node>();
  readonly #watchers = new Set<{ path: string; tell: () => void }>();
  #version = 0;
  /** Paths whose next reads fail, as a broken disk would make them. */
  readonly broken = new Set<string>();

  constructor(links: "refuse" | "follow" = "refuse") {
    this.#links = links;
    this.#set("/", { kind: "directory", mode: 0o755 });
  }

  /** Writes a file, with its directories. */
  put(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    this.#makeParents(path);
    this.#set(path, { kind: "file", bytes, mode: 0o644 });
  }

  /** Places a pipe, device or socket. */
  putOther(path: string): void {
    this.#makeParents(path);
    this.#set(path, { kind: "other", mode: 0o600 });
  }

  /** Takes a file or a whole tree away, at once. */
  take(path: string): void {
    for (const each of this.#below(path)) this.#delete(each);
    this.#delete(path);
  }

  /** A file's text; undefined when it is not there. */
  text(path: string): string | undefined {
    const node = this.#nodes.get(path);
    return node && new TextDecoder().decode(node.bytes);
  }

  stat(path: string): Promise<FileStat | undefined> {
    return Promise.try(() => {
      const node = this.#find(path);
      return node && {
        kind: node.kind,
        sizeBytes: node.bytes.length,
        modifiedAtMs: node.version,
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
        version: String(node.version),
      };
    });
  }

  list(path: string): Promise<readonly DirectoryEntry[] | undefined> {
    return Promise.try(() => {
      const at = this.#resolve(path, "last-link-too");
      const node = this.#nodes.get(at);
      if (node?.kind !== "directory") return undefined;
      const prefix = at === "/" ? "/" : `${at}/`;
      const entries: DirectoryEntry[] = [];
      for (const [each, { kind }] of this.#nodes) {
        const name = each.slice(prefix.length);
        if (!each.startsWith(prefix) || name === "") continue;
        if (!name.includes("/")) entries.push({ name, kind });
      }
      return entries;
    });
  }

  read(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
    return Promise.try(() => {
      if (this.broken.has(path)) throw give(`Cannot read ${path}`, "retry");
      const node = this.#find(path);
      if (node === undefined) return undefined;
      if (node.kind !== "file") {
        throw give(`Cannot read ${path}: not a regular file (${node.kind})`);
      }
      if (node.bytes.length > limitBytes) {
        throw give(`Cannot read ${path}: longer than ${limitBytes} bytes`);
      }
      return node.bytes.slice();
    });
  }

  replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    return Promise.try(() => {
      const at = this.#placeFor(path);
      if (this.#nodes.get(at)?.kind === "directory") {
        throw give(`Cannot write ${path}: is a directory`);
      }
      this.#set(at, { kind: "file", bytes: bytes.slice(), mode });
    });
  }

  overwrite(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    return Promise.try(() => {
      const at = this.#placeFor(path);
      const { kind } = this.#nodes.get(at) ?? { kind: "file" };
      if (kind !== "file") {
        throw give(`Cannot write ${path}: not a regular file (${kind})`);
      }
      this.#set(at, { kind: "file", bytes: bytes.slice(), mode });
    });
  }

  create(path: string, bytes: Uint8Array, access: Access): Promise<void> {
    return Promise.try(() => {
      const at = this.#placeFor(path);
      if (this.broken.has(path)) throw give(`Cannot write ${path}`, "retry");
      if (this.#nodes.has(at)) {
        throw new AgentError(`Cannot write ${path}: exists already`, {
          next: "already-so",
        });
      }
      this.#set(at, { kind: "file", bytes: bytes.slice(), ...access });
    });
  }

  own(path: string, access: Access): Promise<void> {
    return Promise.try(() => {
      const at = this.#resolve(path, "all-but-last");
      const node = this.#nodes.get(at);
      if (node?.kind !== "file" && node?.kind !== "directory") {
        throw give(`Cannot own ${path}: ${node?.kind ?? "nothing"} is there`);
      }
      this.#set(at, { ...node, ...access });
    });
  }

  touch(path: string, mode: number): Promise<void> {
    const at = this.#placeFor(path);
    const node = this.#nodes.get(at);
    const bytes = node?.kind === "file" ? node.bytes : new Uint8Array();
    return this.replace(path, bytes, mode);
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return Promise.try(() => {
      let at = "";
      for (const part of path.split("/").slice(1)) {
        at = this.#resolve(`${at}/${part}`, "all-but-last");
        const node = this.#nodes.get(at);
        if (node === undefined) this.#set(at, { kind: "directory", mode });
        else if (node.kind !== "directory") {
          throw give(`Cannot create ${path}: ${at} is in the way`);
        }
      }
    });
  }

  link(path: string, target: string): Promise<void> {
    return Promise.try(() => {
      const at = this.#placeFor(path);
      this.#set(at, { kind: "symlink", target, mode: 0o777 });
    });
  }

  readLink(path: string): Promise<string | undefined> {
    return Promise.try(() => {
      const node = this.#nodes.get(this.#resolve(path, "all-but-last"));
      return node?.kind === "symlink" ? node.target : undefined;
    });
  }

  remove(path: string): Promise<void> {
    return Promise.try(() => {
      const at = this.#resolve(path, "all-but-last");
      if (this.#below(at).length > 0) {
        throw give(`Cannot remove ${path}: directory not empty`, "retry");
      }
      this.#delete(at);
    });
  }

  removeTree(path: string): Promise<void> {
    return Promise.try(() => this.take(this.#resolve(path, "all-but-last")));
  }

  async *watch(path: string, signal: AbortSignal): AsyncIterable<void> {
    let wake = Promise.withResolvers<void>();
    const watcher = { path, tell: () => wake.resolve() };
    const stop = () => wake.resolve();
    this.#watchers.add(watcher);
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        if (this.#nodes.get(path)?.kind !== "directory") {
          throw give(`Cannot watch ${path}: it is not there`, "retry");
        }
        yield;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#watchers.delete(watcher);
    }
  }

  #find(path: string): Node | undefined {
    const follows = this.#links === "follow" ? "last-link-too" : "all-but-last";
    return this.#nodes.get(this.#resolve(path, follows));
  }

  #placeFor(path: string): string {
    const at = this.#resolve(path, "all-but-last");
    if (this.#nodes.get(parentOf(at))?.kind !== "directory") {
      throw give(`Cannot write ${path}: no such directory`, "retry");
    }
    return at;
  }

  #resolve(path: string, how: "all-but-last" | "last-link-too"): string {
    if (!path.startsWith("/") || path.split("/").includes("..")) {
      throw give(`Cannot use ${path}: not a plain absolute path`);
    }
    let at = path;
    for (let count = 0; count < MOST_LINKS; count++) {
      const link = this.#firstLink(at, how);
      if (link === undefined) return at;
      if (this.#links === "refuse") {
        throw give(`Cannot open ${path}: a symbolic link is in the way`);
      }
      const { target } = link.node;
      const goal = target.startsWith("/")
        ? target
        : `${parentOf(link.path)}/${target}`;
      at = new URL(`file://${goal}${at.slice(link.path.length)}`).pathname;
    }
    throw give(`Cannot open ${path}: too many links`);
  }

  #firstLink(path: string, how: "all-but-last" | "last-link-too") {
    const parts = path.split("/");
    const last = how === "last-link-too" ? parts.length : parts.length - 1;
    for (let count = 2; count <= last; count++) {
      const each = parts.slice(0, count).join("/");
      const node = this.#nodes.get(each);
      if (node?.kind === "symlink") return { path: each, node };
    }
    return undefined;
  }

  #makeParents(path: string): void {
    const parts = path.split("/");
    for (let count = 2; count < parts.length; count++) {
      const each = parts.slice(0, count).join("/");
      if (this.#nodes.has(each)) continue;
      this.#set(each, { kind: "directory", mode: 0o755 });
    }
  }

  #below(path: string): string[] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.#nodes.keys()].filter((each) => each.startsWith(prefix));
  }

  #set(path: string, node: Pick<Node, "kind" | "mode"> & Partial<Node>) {
    const version = ++this.#version;
    const plain = { bytes: NOTHING, target: "", uid: 0, gid: 0 };
    this.#nodes.set(path, { ...plain, ...node, version });
    this.#tell(path);
  }

  #delete(path: string): void {
    if (this.#nodes.delete(path)) this.#tell(path);
  }

  #tell(path: string): void {
    for (const watcher of this.#watchers) {
      const concerns = watcher.path === path || watcher.path === parentOf(path);
      if (concerns) watcher.tell();
    }
  }
}

/** Files of the node by path, as an admin writes them. */
export class FakeNodeTexts implements NodeTexts {
  readonly texts = new Map([
    ["/etc/resolv.conf", "nameserver 192.0.2.1\n"],
    ["/etc/hosts", "127.0.0.1\tlocalhost\n"],
  ]);

  read(path: string): NodeText {
    const text = this.texts.get(path);
    return text === undefined
      ? { kind: "failed", message: `Cannot read ${path}: not found` }
      : { kind: "text", text };
  }
}

/** A machine of two cores and 4 GiB, unless said otherwise. */
export function fakeHostFacts(
  facts: { hostname?: string; cpuCount?: number; memoryBytes?: bigint } = {},
): HostFacts {
  return {
    hostname: () => facts.hostname ?? "node-1",
    cpuCount: () => facts.cpuCount ?? 2,
    memoryBytes: () => facts.memoryBytes ?? 4n * 1024n ** 3n,
    traits: () => TRAITS,
    giveBackMemory: () => {},
    bootId: () => Promise.resolve("6b1f7c7e-0000-4000-8000-000000000001"),
  };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function give(message: string, next: "give-up" | "retry" = "give-up") {
  return new AgentError(message, { next });
}
