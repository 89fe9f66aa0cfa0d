/**
 * What a scratch world consists of: pure derivations from its name. Everybody
 * who needs a path or an address of a world asks here, so that worlds of
 * different names may stand side by side on one machine.
 */

export const WORLDS_ROOT = "/var/tmp/denolet";

/** Image names, and the tar in the cache that each one comes from. */
export const IMAGES = {
  /** The sandbox image; as an app it obeys SIGTERM at once. */
  pause: { name: "registry.k8s.io/pause", tag: "3.10.2", file: "pause.tar" },
  e2eBusybox: {
    name: "registry.k8s.io/e2e-test-images/busybox",
    tag: "1.37.0-1",
    file: "e2e-busybox.tar",
  },
  busybox: {
    name: "docker.io/library/busybox",
    tag: "latest",
    file: "busybox.tar",
  },
} as const;

export interface WorldFacts {
  readonly name: string;
  /** Everything of the world is below this folder. */
  readonly root: string;
  /** The agent's `--host-root`. */
  readonly hostRoot: string;
  /** containerd's socket. */
  readonly socket: string;
  /** The agent's own socket. */
  readonly adminSocket: string;
  /** Where static pod manifests go. */
  readonly manifests: string;
  /** The agent's `--config`. */
  readonly agentConfig: string;
  readonly agentLog: string;
  readonly agentPidFile: string;
  /** Parent of all pod cgroups. */
  readonly cgroupRoot: string;
  readonly bridge: string;
  readonly subnet: string;
  /** Port of the agent's `/healthz` on 127.0.0.1. */
  readonly healthzPort: number;
  readonly containerd: {
    readonly config: string;
    readonly log: string;
    readonly pidFile: string;
    readonly root: string;
    readonly state: string;
    readonly cniConfigs: string;
  };
  readonly images: {
    readonly pause: string;
    readonly e2eBusybox: string;
    readonly busybox: string;
  };
}

const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;

export function worldFacts(name: string): WorldFacts {
  if (!NAME.test(name)) {
    throw new Error(
      `Cannot name a world ${JSON.stringify(name)}: ` +
        "it takes 1 to 31 of a-z, 0-9 and -",
    );
  }
  const root = `${WORLDS_ROOT}/${name}`;
  const hash = fnv1a(name);
  return {
    name,
    root,
    hostRoot: root,
    socket: `${root}/run/containerd.sock`,
    adminSocket: `${root}/run/denolet/denolet.sock`,
    manifests: `${root}/etc/kubernetes/manifests`,
    agentConfig: `${root}/etc/denolet/config.yaml`,
    agentLog: `${root}/denolet.log`,
    agentPidFile: `${root}/run/denolet.pid`,
    cgroupRoot: `/denolet-${name}`,
    // An interface name has at most 15 characters.
    bridge: `dnl-${hash.toString(16).padStart(8, "0")}`,
    subnet: `10.${200 + hash % 50}.${(hash >>> 8) % 256}.0/24`,
    healthzPort: 20_000 + (hash >>> 4) % 10_000,
    containerd: {
      config: `${root}/etc/containerd/config.toml`,
      log: `${root}/containerd.log`,
      pidFile: `${root}/run/containerd.pid`,
      root: `${root}/lib/containerd`,
      state: `${root}/run/containerd`,
      cniConfigs: `${root}/etc/cni/net.d`,
    },
    images: {
      pause: reference(IMAGES.pause),
      e2eBusybox: reference(IMAGES.e2eBusybox),
      busybox: reference(IMAGES.busybox),
    },
  };
}

export function reference(image: { name: string; tag: string }): string {
  return `${image.name}:${image.tag}`;
}

/** 32-bit FNV-1a: short, stable, and spread well enough over few names. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}
