/**
 * The images that the upstream suite asks for, made on the spot: one OCI layout
 * with a name for each, in the cache. Debian's packages and the programs that
 * deploy/control_plane.sh builds are all that goes in; no registry is asked.
 */
import { readIfThere, run } from "../../deploy/world/command.ts";
import { findProgram } from "../../deploy/cluster/programs.ts";

const SUITE = "registry.k8s.io/e2e-test-images";
/** Grows with every change below, so that an older archive is made anew. */
const RECIPE = "4";

const AGNHOST_PACKAGES = [
  "bind9-dnsutils",
  "ca-certificates",
  "curl",
  "iproute2",
  "netcat-openbsd",
];

interface Image {
  /** Name of the root file system below the scratch folder. */
  readonly root: "agnhost" | "busybox" | "nonewprivs";
  readonly names: readonly string[];
  /** Arguments of `umoci config`. */
  readonly config: readonly string[];
}

const IMAGES: readonly Image[] = [
  {
    root: "agnhost",
    names: [`${SUITE}/agnhost:2.63.0`, `${SUITE}/agnhost:2.55`],
    config: ["--config.entrypoint=/agnhost", "--config.cmd=pause"],
  },
  {
    root: "agnhost",
    names: ["registry.k8s.io/pause:3.10.2"],
    // As PID 1 it dies of SIGTERM, which the suite's own does too.
    config: ["--config.entrypoint=/agnhost", "--config.entrypoint=pause"],
  },
  {
    root: "agnhost",
    names: [`${SUITE}/glibc-dns-testing:2.0.0`],
    config: ["--config.cmd=bash"],
  },
  {
    root: "agnhost",
    names: [`${SUITE}/kitten:1.8`],
    config: ["--config.entrypoint=/agnhost", "--config.cmd=test-webserver"],
  },
  {
    root: "busybox",
    names: [`${SUITE}/busybox:1.37.0-1`],
    config: ["--config.cmd=sh"],
  },
  {
    root: "busybox",
    names: [`${SUITE}/nonroot:1.5`],
    config: ["--config.cmd=sh", "--config.user=1234"],
  },
  {
    root: "nonewprivs",
    names: [`${SUITE}/nonewprivs:1.4`],
    config: ["--config.cmd=nnp"],
  },
];

/** The archive, made when it is not there: minutes, once a machine. */
export async function suiteImages(): Promise<string> {
  const home = Deno.env.get("HOME") ?? "/root";
  const cache = `${Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`}/denolet`;
  const archive = `${cache}/images/suite.tar`;
  const stamp = `${archive}.recipe`;
  if ((await readIfThere(stamp))?.trim() === RECIPE) return archive;
  console.error("conformance: making the suite's images");
  const scratch = await Deno.makeTempDir({ dir: cache, prefix: "suite." });
  try {
    await needTools();
    await makeRoots(scratch);
    await makeLayout(scratch);
    await run("tar", ["-C", `${scratch}/layout`, "-cf", `${archive}.new`, "."]);
    await Deno.rename(`${archive}.new`, archive);
    await Deno.writeTextFile(stamp, `${RECIPE}\n`);
  } finally {
    await run("rm", ["-rf", "--one-file-system", scratch]);
  }
  return archive;
}

/** Imports them all under the suite's names. */
export async function importSuiteImages(
  socket: string,
  containerdFolder: string,
): Promise<void> {
  const ctr = (...args: string[]) =>
    run(`${containerdFolder}/ctr`, [
      ...["--address", socket, "--namespace", "k8s.io", "images"],
      ...args,
    ]);
  const archive = await suiteImages();
  await ctr("import", archive);
  const present = new Set((await ctr("list", "--quiet")).split("\n"));
  const missing = IMAGES.flatMap(({ names }) => names)
    .filter((name) => !present.has(name));
  if (missing.length > 0) {
    throw new Error(`Cannot import the suite's images: no ${missing}`);
  }
}

async function needTools(): Promise<void> {
  const found = async (name: string) =>
    await run("which", [name], { failure: "ignore" }) !== "";
  const packages: string[] = [];
  if (!await found("debootstrap")) packages.push("debootstrap");
  if (!await found("umoci")) packages.push("umoci");
  if (!await found("bash-static")) packages.push("bash-static");
  if (!await found("busybox")) packages.push("busybox-static");
  if (packages.length === 0) return;
  await run("apt-get", ["update", "-q"], { failure: "ignore" });
  await run("apt-get", [
    ...["install", "-q", "-y", "--no-install-recommends"],
    ...packages,
  ]);
}

async function makeRoots(scratch: string): Promise<void> {
  const roots = `${scratch}/roots`;
  await Deno.mkdir(roots);
  await makeBusybox(`${roots}/busybox`);
  await run("cp", ["-a", `${roots}/busybox`, `${roots}/nonewprivs`]);
  const nnp = `${roots}/nonewprivs/usr/local/bin/nnp`;
  await run("install", ["-D", await findProgram("nnp"), nnp]);
  await run("chmod", ["6755", nnp]);
  await makeAgnhost(`${roots}/agnhost`);
}

/** Busybox, but for a shell that keeps variables with odd names. */
async function makeBusybox(root: string): Promise<void> {
  for (const folder of ["bin", "etc", "home", "root", "tmp", "usr/bin"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  await Deno.chmod(`${root}/tmp`, 0o1777);
  const busybox = (await run("which", ["busybox"])).trim();
  await run("cp", ["-L", busybox, `${root}/bin/busybox`]);
  for (const name of (await run(busybox, ["--list"])).trim().split("\n")) {
    if (name === "busybox" || name === "sh" || name === "ash") continue;
    await Deno.symlink("busybox", `${root}/bin/${name}`);
  }
  const bash = (await run("which", ["bash-static"])).trim();
  await run("cp", ["-L", bash, `${root}/bin/sh`]);
  await Deno.symlink("../../bin/env", `${root}/usr/bin/env`);
  await writeUsers(`${root}/etc`);
}

async function writeUsers(folder: string): Promise<void> {
  await Deno.writeTextFile(
    `${folder}/passwd`,
    "root:x:0:0:root:/root:/bin/sh\n" +
      "nobody:x:65534:65534:nobody:/home:/bin/false\n",
  );
  await Deno.writeTextFile(
    `${folder}/group`,
    "root:x:0:\nnobody:x:65534:\n",
  );
}

async function makeAgnhost(root: string): Promise<void> {
  const source = await suiteSource();
  await run("debootstrap", [
    "--variant=minbase",
    `--include=${AGNHOST_PACKAGES.join(",")}`,
    ...["bookworm", root],
  ]);
  // Devices are the runtime's; package lists only take room.
  await run("rm", ["-rf", `${root}/dev`, `${root}/var/cache/apt`]);
  await run("rm", ["-rf", `${root}/var/lib/apt/lists`]);
  await Deno.mkdir(`${root}/dev`);
  await Deno.mkdir(`${root}/uploads`);
  await run("install", [await findProgram("agnhost"), `${root}/agnhost`]);
  await Deno.symlink("agnhost", `${root}/agnhost-2`);
  const images = `${source}/test/images`;
  for (const file of ["localhost.crt", "localhost.key"]) {
    await run("install", [
      ...["-m", "0644", `${images}/agnhost/porter/${file}`],
      `${root}/${file}`,
    ]);
  }
  for (const file of ["kitten.jpg", "data.json"]) {
    await run("install", [
      ...["-m", "0644", `${images}/kitten/html/${file}`, `${root}/${file}`],
    ]);
  }
  // Supplemental groups of an image are what some cases ask for.
  await append(
    `${root}/etc/passwd`,
    "user-defined-in-image:x:1000:1000::/home:/bin/sh\n",
  );
  await append(
    `${root}/etc/group`,
    "user-defined-in-image:x:1000:\n" +
      "group-defined-in-image:x:50000:user-defined-in-image\n",
  );
}

async function append(file: string, text: string): Promise<void> {
  await Deno.writeTextFile(file, text, { append: true });
}

/** Where Go keeps the suite's module. */
async function suiteSource(): Promise<string> {
  const go = (await run("which", ["go"], { failure: "ignore" })).trim() ||
    "/usr/local/go/bin/go";
  const cache = (await run(go, ["env", "GOMODCACHE"])).trim();
  return `${cache}/k8s.io/kubernetes@v1.36.3`;
}

/** Images of one root share its layer. */
async function makeLayout(scratch: string): Promise<void> {
  const layout = `${scratch}/layout`;
  await run("umoci", ["init", "--layout", layout]);
  for (const root of new Set(IMAGES.map((image) => image.root))) {
    const image = `${layout}:${root}`;
    await run("umoci", ["new", "--image", image]);
    await run("umoci", [
      ...["insert", "--image", image, `${scratch}/roots/${root}`, "/"],
    ]);
  }
  const tags = new Map<string, string>();
  for (const { root, names, config } of IMAGES) {
    for (const name of names) {
      const tag = `image-${tags.size}`;
      tags.set(tag, name);
      await run("umoci", [
        ...["config", "--image", `${layout}:${root}`, "--tag", tag],
        "--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ...config,
      ]);
    }
  }
  await nameImages(`${layout}/index.json`, tags);
}

interface Index {
  readonly manifests: readonly {
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

/** containerd takes an image's whole name from an annotation. */
async function nameImages(
  file: string,
  tags: ReadonlyMap<string, string>,
): Promise<void> {
  const index: Index = JSON.parse(await Deno.readTextFile(file));
  const manifests = index.manifests.flatMap((manifest) => {
    const tag = manifest.annotations?.["org.opencontainers.image.ref.name"];
    const name = tags.get(tag ?? "");
    if (name === undefined) return [];
    return [{ ...manifest, annotations: { "io.containerd.image.name": name } }];
  });
  await Deno.writeTextFile(file, JSON.stringify({ ...index, manifests }));
}
