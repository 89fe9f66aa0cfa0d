/**
 * What a configuration takes of the machine and the network, as permissions:
 * the one list that `denolet permissions` prints and that the agent compares at
 * its start with what it was granted. Pure: kubeconfigs have been read.
 */
import type { Config } from "./load.ts";
import { programsOf } from "./needs_programs.ts";

export type NeedKind =
  | "read"
  | "write"
  | "net"
  | "run"
  | "sys"
  | "env"
  | "ffi";

export interface Need {
  readonly kind: NeedKind;
  /** A path, `HOST`, `HOST:PORT`, `unix:PATH`, a range, or a name. */
  readonly value: string;
  /** The flag or field that wants it, as an admin writes it. */
  readonly wantedBy: string;
  /** Without it one thing is missing, and says so when somebody wants it. */
  readonly isOptional?: true;
}

/** What a kubeconfig names, where there is one. */
export interface ServerAccess {
  /** The flag that names the kubeconfig. */
  readonly flag: string;
  readonly server: string;
  readonly proxyUrl: string | undefined;
  /** The program that prints the credential. */
  readonly program: string | undefined;
  /** CA, certificate, key and token, where they are files. */
  readonly files: readonly string[];
}

export interface NeedsInput {
  readonly config: Config;
  /** The fields that somebody has set, whatever to. */
  readonly setFields: ReadonlySet<string>;
  readonly servers: readonly ServerAccess[];
  /** Paths of image credential plugins. */
  readonly plugins: readonly string[];
  /** Where pods have their addresses; none: it is not known. */
  readonly podRanges: readonly string[];
  /** Where the runtime keeps images; undefined: where it usually does. */
  readonly imageDir?: string | undefined;
  /** Of claims on local block devices: `ext4`. */
  readonly filesystems?: readonly string[];
  /** Paths at which the C library may be. */
  readonly libraries: readonly string[];
}

/** Names that libraries and the service manager's protocol read. */
export const ENV_NAMES = [
  "DBUS_SYSTEM_BUS_ADDRESS",
  "GRPC_*",
  "NOTIFY_SOCKET",
  "SYSTEMD_EXEC_PID",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LOG_STREAM",
  "LOG_TOKENS",
] as const;

export const SYS_NAMES = ["hostname", "networkInterfaces", "statfs"] as const;

/** Where a pod's probes and hooks may go while nobody said where pods are. */
export const ANYWHERE = "*";

/** Each need once, in the order of kind and value. */
export function needsOf(input: NeedsInput): readonly Need[] {
  const all = [
    ...ownPlaces(input.config),
    ...otherFiles(input.config),
    ...runtimeSockets(input.config),
    ...imageFolder(input),
    ...listeners(input.config),
    ...input.servers.flatMap(ofServer),
    ...manifestServer(input.config),
    ...podAddresses(input),
    ...programs(input),
    ...input.libraries.map((value): Need => ({
      ...{ kind: "ffi", value, wantedBy: "system calls" },
    })),
    ...SYS_NAMES.map((value): Need => ({
      ...{ kind: "sys", value, wantedBy: "the node's status" },
    })),
    ...ENV_NAMES.map((value): Need => ({
      ...{ kind: "env", value, wantedBy: "gRPC, YAML, systemd" },
      isOptional: true,
    })),
  ];
  const once = new Map<string, Need>();
  for (const need of all) {
    const key = `${need.kind} ${need.value}`;
    const before = once.get(key);
    if (before === undefined || before.isOptional) once.set(key, need);
  }
  return [...once.values()].toSorted((a, b) =>
    order(a.kind, b.kind) || order(a.value, b.value)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function read(value: string, wantedBy: string): Need[] {
  return value === "" ? [] : [{ kind: "read", value, wantedBy }];
}

function both(value: string, wantedBy: string): Need[] {
  return value === ""
    ? []
    : [...read(value, wantedBy), { kind: "write", value, wantedBy }];
}

/** What the agent owns. */
function ownPlaces({ paths, flags }: Config): Need[] {
  const { kubeconfig, bootstrapKubeconfig } = flags;
  return [
    ...both(paths.rootDir, "--root-dir"),
    ...both(paths.podLogsDir, "podLogsDir"),
    ...both(paths.containerLogsDir, "links to logs of containers"),
    ...both(paths.runDir, "the agent's own socket and bound host trees"),
    ...both(paths.certDir, "--cert-dir"),
    // Written once there is a certificate, beside it and renamed.
    ...(bootstrapKubeconfig === ""
      ? read(kubeconfig, "--kubeconfig")
      : both(kubeconfig, "--kubeconfig")),
    ...read(bootstrapKubeconfig, "--bootstrap-kubeconfig"),
  ];
}

function otherFiles({ kubelet, flags, hostRoot }: Config): Need[] {
  const at = (path: string) => hostRoot === "/" ? path : hostRoot + path;
  const identity = [
    "/etc/machine-id",
    "/etc/os-release",
    "/usr/lib/os-release",
    "/var/lib/dbus/machine-id",
  ];
  return [
    ...read(flags.config, "--config"),
    ...read(flags.configDir, "--config-dir"),
    ...read(
      flags.imageCredentialProviderConfig,
      "--image-credential-provider-config",
    ),
    ...read(
      flags.imageCredentialProviderBinDir,
      "--image-credential-provider-bin-dir",
    ),
    ...read(kubelet.staticPodPath, "staticPodPath"),
    ...read(kubelet.resolvConf, "resolvConf"),
    ...read(kubelet.authentication.x509.clientCAFile, "clientCAFile"),
    ...read(kubelet.tlsCertFile, "tlsCertFile"),
    ...read(kubelet.tlsPrivateKeyFile, "tlsPrivateKeyFile"),
    ...(kubelet.enableSystemLogHandler
      ? read(at("/var/log"), "enableSystemLogHandler")
      : []),
    ...identity.map((path): Need => ({
      ...{ kind: "read", value: at(path), wantedBy: "the node's status" },
      isOptional: true,
    })),
  ];
}

/** Connecting to a socket takes its file and its address. */
function runtimeSockets({ kubelet, paths }: Config): Need[] {
  const socket = (endpoint: string, wantedBy: string): Need[] => {
    const path = endpoint.replace(/^unix:(\/\/)?/, "");
    if (!path.startsWith("/")) return [];
    return [
      ...both(path, wantedBy),
      { kind: "net", value: `unix:${path}`, wantedBy },
    ];
  };
  const { containerRuntimeEndpoint, imageServiceEndpoint } = kubelet;
  return [
    ...socket(containerRuntimeEndpoint, "containerRuntimeEndpoint"),
    ...socket(imageServiceEndpoint, "imageServiceEndpoint"),
    {
      kind: "net",
      value: `unix:${paths.runDir}/denolet.sock`,
      wantedBy: "denolet pods, logs and explain",
    },
  ];
}

/** How full the file system of images is. The runtime tells its path late. */
function imageFolder({ config, imageDir }: NeedsInput): Need[] {
  const usual = /crio/.test(config.kubelet.containerRuntimeEndpoint)
    ? "/var/lib/containers"
    : "/var/lib/containerd";
  const wantedBy = "figures of the images' file system";
  const value = imageDir ?? usual;
  return [{ kind: "read", value, wantedBy, isOptional: true }];
}

function listeners({ kubelet }: Config): Need[] {
  const { healthzBindAddress, healthzPort, enableServer, address } = kubelet;
  const listen = (host: string, port: number, wantedBy: string): Need[] =>
    port === 0
      ? []
      : [{ kind: "net", value: `${bracketed(host)}:${port}`, wantedBy }];
  return [
    ...listen(healthzBindAddress, healthzPort, "healthzPort"),
    ...(enableServer ? listen(address, kubelet.port, "port") : []),
  ];
}

function programs(input: NeedsInput): Need[] {
  const { config: { kubelet }, filesystems = [] } = input;
  return programsOf({ ...input, kubelet, filesystems }).flatMap((
    [wantedBy, values],
  ) =>
    values.map((value): Need => ({
      ...{ kind: "run", value, wantedBy, isOptional: true },
    }))
  );
}

function ofServer(access: ServerAccess): Need[] {
  const { flag, program, files } = access;
  const urls = access.proxyUrl === undefined
    ? [access.server]
    : [access.server, access.proxyUrl];
  return [
    ...urls.flatMap((url): Need[] => {
      const value = hostOf(url);
      return value === undefined ? [] : [{
        ...{ kind: "net", value, wantedBy: `${flag} (${url})` },
      }];
    }),
    ...files.flatMap((path) => read(path, flag)),
    ...(program === undefined ? [] : [{
      kind: "run" as const,
      value: program,
      wantedBy: `${flag} (exec)`,
    }]),
  ];
}

function manifestServer({ kubelet: { staticPodURL } }: Config): Need[] {
  const value = staticPodURL === "" ? undefined : hostOf(staticPodURL);
  return value === undefined
    ? []
    : [{ kind: "net", value, wantedBy: "staticPodURL" }];
}

/**
 * Probes and hooks ask pods at their addresses, streams go to the runtime on
 * loopback. Deno knows no ranges of IPv6.
 */
function podAddresses({ config, podRanges }: NeedsInput): Need[] {
  const wantedBy = "probes and hooks of pods";
  const { podCIDR } = config.kubelet;
  const told = podRanges.length > 0 || podCIDR === ""
    ? podRanges
    : podCIDR.split(",");
  const isKnown = told.length > 0 &&
    told.every((range) => !range.includes(":"));
  return [
    { kind: "net", value: "127.0.0.1", wantedBy: "streams of the runtime" },
    ...(isKnown ? [...told, ...config.nodeIps] : [ANYWHERE]).map((
      range,
    ): Need => ({
      kind: "net",
      value: range.includes("/") ? range : bracketed(range),
      wantedBy,
      isOptional: true,
    })),
  ];
}

/** `HOST:PORT` of a URL, with the port that its scheme means. */
function hostOf(url: string): string | undefined {
  const found = URL.parse(url);
  if (found === null || found.hostname === "") return undefined;
  const usual = found.protocol === "http:" ? "80" : "443";
  return `${found.hostname}:${found.port || usual}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
