/**
 * The /etc/hosts of a pod's containers: one file in the pod's directory, which
 * each of them mounts unless it mounts something of its own there. Written anew
 * at each start of a container, in place: those that run see it too.
 * Compat: kubelet 1.36 makeHostsMount, managedHostsFileContent,
 * nodeHostsFileContent.
 */
import { uidOf, usesHostNetwork } from "../api/pod.ts";
import type { V1Container, V1HostAlias, V1Pod } from "../api/types.ts";
import type { ContainerMount } from "../port/runtime_spec.ts";
import type { PodSettings } from "./facts.ts";
import { hostnameOf } from "./hostname.ts";
import { ownFileMount } from "./mounts.ts";
import { podDirectory } from "./paths.ts";

const ETC_HOSTS = "/etc/hosts";
const HEADER = "# Kubernetes-managed hosts file.\n";
const NODE_HEADER = "# Kubernetes-managed hosts file (host network).\n";
const LOOPBACK = [
  "127.0.0.1\tlocalhost\n",
  "::1\tlocalhost ip6-localhost ip6-loopback\n",
  "fe00::0\tip6-localnet\n",
  "fe00::0\tip6-mcastprefix\n",
  "fe00::1\tip6-allnodes\n",
  "fe00::2\tip6-allrouters\n",
];

export interface HostsFile {
  readonly path: string;
  readonly text: string;
}

export type HostsResult =
  | { readonly kind: "ok"; readonly file: HostsFile }
  /** The container mounts its own, or there is no address to write yet. */
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly message: string };

export function hostsFile(
  settings: PodSettings,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  podIps: readonly string[],
): HostsResult {
  const { pod, container } = at;
  const isOwn = (container.volumeMounts ?? [])
    .some(({ mountPath }) => mountPath === ETC_HOSTS);
  const isOnNode = usesHostNetwork(pod);
  if (isOwn || (podIps.length === 0 && !isOnNode)) return { kind: "none" };
  const path = `${podDirectory(settings, uidOf(pod))}/etc-hosts`;
  const aliases = aliasLines(pod.spec?.hostAliases ?? []);
  if (isOnNode) {
    const { nodeHosts } = settings;
    if (nodeHosts.kind === "failed") {
      return { kind: "refused", message: nodeHosts.message };
    }
    const text = NODE_HEADER + nodeHosts.text + aliases;
    return { kind: "ok", file: { path, text } };
  }
  const name = hostnameOf(settings, pod);
  if (name.kind === "refused") return name;
  const { short, domain } = name;
  const names = domain === "" ? short : `${short}.${domain}\t${short}`;
  const own = podIps.map((ip) => `${ip}\t${names}\n`).join("");
  const text = HEADER + LOOPBACK.join("") + own + aliases;
  return { kind: "ok", file: { path, text } };
}

export function hostsMount({ path }: HostsFile): ContainerMount {
  return ownFileMount(ETC_HOSTS, path);
}

function aliasLines(aliases: readonly V1HostAlias[]): string {
  if (aliases.length === 0) return "";
  const lines = aliases.map(({ ip, hostnames = [] }) =>
    `${ip}\t${hostnames.join("\t")}\n`
  );
  return `\n# Entries added by HostAliases.\n${lines.join("")}`;
}
