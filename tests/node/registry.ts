/**
 * A small image registry on 127.0.0.1 for tests: it serves the blobs of one
 * OCI layout under any name, asks for user and password where a name wants
 * them, and may be told to hang. containerd takes it for a plain HTTP one.
 */
import { run } from "../../deploy/world/command.ts";

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port`, to begin an image's name with. */
  readonly host: string;
  readonly digest: string;
  /** Password of `user` by the first part of the path; absent: open. */
  readonly passwords: Map<string, string>;
  /** Names that never answer, by the first part of the path. */
  readonly hanging: Set<string>;
  /** Manifests that were given away, as `path password`. */
  readonly served: string[];
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export async function startRegistry(layout: string): Promise<Registry> {
  const folder = await Deno.makeTempDir();
  await run("tar", ["-xf", layout, "-C", folder]);
  const digest = await makeOwn(folder);
  const state = {
    digest,
    passwords: new Map<string, string>(),
    hanging: new Set<string>(),
    served: new Array<string>(),
  };
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    (request) => answer(request, { ...state, folder, ended: stop.signal }),
  );
  return {
    ...state,
    host: `127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** An image like no other, so that its records concern no other test. */
async function makeOwn(folder: string): Promise<string> {
  const index = JSON.parse(await Deno.readTextFile(`${folder}/index.json`));
  const manifest = await readBlob(folder, index.manifests[0].digest);
  const config = await readBlob(folder, manifest.config.digest);
  config.config.Labels = { made: crypto.randomUUID() };
  manifest.config = { ...manifest.config, ...await writeBlob(folder, config) };
  return (await writeBlob(folder, manifest)).digest;
}

async function readBlob(folder: string, digest: string) {
  const path = `${folder}/blobs/sha256/${digest.slice(7)}`;
  return JSON.parse(await Deno.readTextFile(path));
}

async function writeBlob(folder: string, content: object) {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  await Deno.writeFile(`${folder}/blobs/sha256/${sum.toHex()}`, bytes);
  return { digest: `sha256:${sum.toHex()}`, size: bytes.length };
}

async function answer(
  request: Request,
  registry: Pick<Registry, "digest" | "passwords" | "hanging" | "served"> & {
    readonly folder: string;
    readonly ended: AbortSignal;
  },
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const match = /^\/v2\/([^/]+)\/.*?\/?(manifests|blobs)\/([^/]+)$/
    .exec(pathname);
  if (match === null) return new Response("{}");
  const [, tenant = "", kind, name = ""] = match;
  if (registry.hanging.has(tenant)) {
    await new Promise((resolve) =>
      registry.ended.addEventListener("abort", resolve)
    );
  }
  const password = registry.passwords.get(tenant);
  const given = passwordOf(request);
  if (password !== undefined && password !== given) {
    return new Response("{}", {
      status: 401,
      headers: { "www-authenticate": 'Basic realm="test"' },
    });
  }
  const digest = name.startsWith("sha256:") ? name : registry.digest;
  const file = `${registry.folder}/blobs/sha256/${digest.slice(7)}`;
  const isManifest = kind === "manifests";
  if (isManifest && request.method === "GET") {
    registry.served.push(`${pathname} ${given ?? "-"}`);
  }
  const bytes = await Deno.readFile(file).catch(() => undefined);
  if (bytes === undefined) return new Response("{}", { status: 404 });
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: {
      "content-length": `${bytes.length}`,
      "content-type": isManifest ? MANIFEST : "application/octet-stream",
      "docker-content-digest": digest,
    },
  });
}

function passwordOf(request: Request): string | undefined {
  const [scheme, value = ""] = (request.headers.get("authorization") ?? "")
    .split(" ");
  return scheme === "Basic" ? atob(value).split(":")[1] : undefined;
}
