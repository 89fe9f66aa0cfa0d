/**
 * The text of the kubeconfig that a bootstrap leaves behind. Pure. The names
 * in it are what installers and rescue documents look for.
 * Compat: kubelet 1.36 writeKubeconfigFromBootstrapping
 */
import type { KubeconfigFacts } from "../port/cluster.ts";

export function kubeconfigText(
  cluster: KubeconfigFacts,
  pairPath: string,
): string {
  const { ca, tlsServerName, proxyUrl } = cluster;
  const lines = [
    "apiVersion: v1",
    "clusters:",
    "- cluster:",
    ...(ca?.kind === "data"
      ? [
        `    certificate-authority-data: ${
          new TextEncoder().encode(ca.text).toBase64()
        }`,
      ]
      : []),
    ...(ca?.kind === "file"
      ? [`    certificate-authority: ${quoted(ca.path)}`]
      : []),
    ...(cluster.isInsecure ? ["    insecure-skip-tls-verify: true"] : []),
    ...(proxyUrl === undefined ? [] : [`    proxy-url: ${quoted(proxyUrl)}`]),
    `    server: ${quoted(cluster.server)}`,
    ...(tlsServerName === undefined
      ? []
      : [`    tls-server-name: ${quoted(tlsServerName)}`]),
    "  name: default-cluster",
    "contexts:",
    "- context:",
    "    cluster: default-cluster",
    "    namespace: default",
    "    user: default-auth",
    "  name: default-context",
    "current-context: default-context",
    "kind: Config",
    "users:",
    "- name: default-auth",
    "  user:",
    `    client-certificate: ${quoted(pairPath)}`,
    `    client-key: ${quoted(pairPath)}`,
  ];
  return lines.join("\n") + "\n";
}

/** Plain where YAML reads it as the same text, quoted otherwise. */
function quoted(text: string): string {
  return /^[A-Za-z/][\w./:@-]*[\w/]$/.test(text) ? text : JSON.stringify(text);
}
