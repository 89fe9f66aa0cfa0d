/**
 * The texts that a world's containerd and CNI plugins read. Pure. Every path
 * that containerd would otherwise take outside of the world is named here.
 */
import { IMAGES, reference, type WorldFacts } from "./facts.ts";

export interface ContainerdChoice {
  readonly majorVersion: number;
  readonly snapshotter: "overlayfs" | "native";
  readonly cniFolders: readonly string[];
  /** A runc that gives pods ids of their own; undefined: there is none. */
  readonly userNamespaceRunc: string | undefined;
}

/** Its handler's name; the default handler has the machine's own runc. */
export const USER_NAMESPACE_HANDLER = "userns";

export function containerdConfig(
  world: WorldFacts,
  choice: ContainerdChoice,
): string {
  const { containerd, socket, root } = world;
  return `# Written by deploy/world.ts; changes are lost.
version = ${choice.majorVersion >= 2 ? 3 : 2}
root = "${containerd.root}"
state = "${containerd.state}"
disabled_plugins = [
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "${socket}"

[ttrpc]
address = "${socket}.ttrpc"

[plugins."io.containerd.internal.v1.opt"]
path = "${root}/opt"
${choice.majorVersion >= 2 ? criOf2(world, choice) : criOf1(world, choice)}`;
}

function criOf2(world: WorldFacts, choice: ContainerdChoice): string {
  const runtime = `plugins."io.containerd.cri.v1.runtime"`;
  return `
[plugins."io.containerd.cri.v1.images"]
snapshotter = "${choice.snapshotter}"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${reference(IMAGES.pause)}"

[${runtime}]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[${runtime}.cni]
bin_dirs = ${JSON.stringify(choice.cniFolders)}
conf_dir = "${world.containerd.cniConfigs}"
${handler(world, runtime, "runc")}${
    choice.userNamespaceRunc === undefined
      ? ""
      : handler(world, runtime, USER_NAMESPACE_HANDLER) +
        `BinaryName = "${choice.userNamespaceRunc}"\n`
  }`;
}

function handler(world: WorldFacts, cri: string, name: string): string {
  return `
[${cri}.containerd.runtimes.${name}]
runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.${name}.options]
Root = "${world.root}/run/runc"
SystemdCgroup = false
`;
}

function criOf1(world: WorldFacts, choice: ContainerdChoice): string {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `
[${cri}]
sandbox_image = "${reference(IMAGES.pause)}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[${cri}.cni]
bin_dir = "${choice.cniFolders[0] ?? ""}"
conf_dir = "${world.containerd.cniConfigs}"

[${cri}.containerd]
snapshotter = "${choice.snapshotter}"
${handler(world, cri, "runc")}`;
}

/** The name is also how teardown knows the world's own iptables rules. */
export function networkName(world: WorldFacts): string {
  return `denolet-${world.name}`;
}

export function cniConfig(world: WorldFacts): string {
  const config = {
    cniVersion: "1.0.0",
    name: networkName(world),
    plugins: [
      {
        type: "bridge",
        bridge: world.bridge,
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: `${world.root}/lib/cni`,
          ranges: [[{ subnet: world.subnet }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
  return JSON.stringify(config, null, 2) + "\n";
}
