/**
 * The checks of the CIS Kubernetes Benchmark for a node, 4.1 and 4.2, by the
 * audit conditions of kube-bench (cfg/cis-1.12/node.yaml). Pure: what a running
 * agent was started with, its configuration and its files come in.
 */

/** What `stat` says of a file; undefined: it is not there. */
export interface FileFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Audited {
  /** The words that the process was started with. */
  readonly words: readonly string[];
  /** The file of `--config`, as JSON. */
  readonly config: unknown;
  readonly files: {
    readonly service: FileFacts | undefined;
    readonly proxyKubeconfig: FileFacts | undefined;
    readonly kubeconfig: FileFacts | undefined;
    readonly clientCa: FileFacts | undefined;
    readonly config: FileFacts | undefined;
  };
}

export interface CisRow {
  readonly id: string;
  readonly title: string;
  readonly isPassed: boolean;
  readonly seen: string;
}

interface Check {
  readonly id: string;
  readonly title: string;
  readonly judge: (audited: Audited) => Omit<CisRow, "id" | "title">;
}

type FileName = keyof Audited["files"];

const SUITES: ReadonlySet<string> = new Set([
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
]);

/** As kube-bench: `permissions` is a bit mask of what may be set. */
function modeCheck(id: string, file: FileName, most: number): Check {
  const wanted = `0${most.toString(8)} or less`;
  return {
    id,
    title: `mode of the ${file} file is ${wanted}`,
    judge: ({ files }) => {
      const found = files[file];
      return found === undefined ? { isPassed: true, seen: "not there" } : {
        isPassed: (found.mode & 0o777 & ~most) === 0,
        seen: `0${(found.mode & 0o777).toString(8)}`,
      };
    },
  };
}

function ownerCheck(id: string, file: FileName): Check {
  return {
    id,
    title: `owner of the ${file} file is root:root`,
    judge: ({ files }) => {
      const found = files[file];
      return found === undefined ? { isPassed: true, seen: "not there" } : {
        isPassed: found.uid === 0 && found.gid === 0,
        seen: `${found.uid}:${found.gid}`,
      };
    },
  };
}

/** By the flag, or else by the path in the file; the flag wins. */
function settingCheck(
  id: string,
  title: string,
  { flag, path, passes }: {
    readonly flag: string;
    readonly path: string;
    readonly passes: (value: string | undefined) => boolean;
  },
): Check {
  return {
    id,
    title,
    judge: ({ words, config }) => {
      const own = flagOf(words, flag) ?? textAt(config, path.split("."));
      return { isPassed: passes(own), seen: own ?? "not set" };
    },
  };
}

function flagOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) =>
    word === `--${flag}` || word.startsWith(`--${flag}=`)
  );
  const word = words[at];
  if (word === undefined) return undefined;
  const [, value] = /^[^=]*=(.*)$/s.exec(word) ?? [];
  const next = words[at + 1];
  return value ?? (next?.startsWith("-") === false ? next : "true");
}

function textAt(tree: unknown, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(
    (node, key) =>
      typeof node === "object" && node !== null
        ? new Map<string, unknown>(Object.entries(node)).get(key)
        : undefined,
    tree,
  );
  if (found === undefined || found === null) return undefined;
  return Array.isArray(found) ? found.join(",") : String(found);
}

const SETTINGS: readonly Check[] = [
  settingCheck("4.2.1", "anonymous requests are refused", {
    flag: "anonymous-auth",
    path: "authentication.anonymous.enabled",
    passes: (value) => value === "false",
  }),
  settingCheck("4.2.2", "not everybody may do everything", {
    flag: "authorization-mode",
    path: "authorization.mode",
    passes: (value) => value !== undefined && !value.includes("AlwaysAllow"),
  }),
  settingCheck("4.2.3", "there is a CA of clients", {
    flag: "client-ca-file",
    path: "authentication.x509.clientCAFile",
    passes: (value) => value !== undefined && value !== "",
  }),
  settingCheck("4.2.4", "there is no read-only port", {
    flag: "read-only-port",
    path: "readOnlyPort",
    passes: (value) => value === undefined || value === "0",
  }),
  settingCheck("4.2.5", "idle streams end", {
    flag: "streaming-connection-idle-timeout",
    path: "streamingConnectionIdleTimeout",
    passes: (value) => value !== "0" && value !== "0s",
  }),
  settingCheck("4.2.6", "chains of iptables are made", {
    flag: "make-iptables-util-chains",
    path: "makeIPTablesUtilChains",
    passes: (value) => value === undefined || value === "true",
  }),
  {
    id: "4.2.7",
    title: "the host name is not overridden",
    judge: ({ words }) => {
      const own = flagOf(words, "hostname-override");
      return { isPassed: own === undefined, seen: own ?? "not set" };
    },
  },
  settingCheck("4.2.8", "events are recorded", {
    flag: "event-qps",
    path: "eventRecordQPS",
    passes: (value) => value === undefined || Number(value) >= 0,
  }),
  {
    id: "4.2.9",
    title: "there is a serving certificate",
    judge: ({ words, config }) => {
      const pair = ["tlsCertFile", "tlsPrivateKeyFile"].map((name) =>
        textAt(config, [name])
      );
      const flags = ["tls-cert-file", "tls-private-key-file"].map((name) =>
        flagOf(words, name)
      );
      const byCsr = textAt(config, ["serverTLSBootstrap"]) === "true" ||
        flagOf(words, "rotate-server-certificates") === "true";
      const isThere = pair.every(Boolean) || flags.every(Boolean);
      return {
        isPassed: isThere || byCsr,
        seen: isThere ? "files" : byCsr ? "by the CSR API" : "self-signed",
      };
    },
  },
  settingCheck("4.2.10", "client certificates are rotated", {
    flag: "rotate-certificates",
    path: "rotateCertificates",
    passes: (value) => value === undefined || value === "true",
  }),
  {
    id: "4.2.11",
    title: "serving certificates are rotated",
    judge: ({ words, config }) => {
      const gate = "RotateKubeletServerCertificate";
      const flag = flagOf(words, "feature-gates")?.split(",")
        .find((each) => each.startsWith(`${gate}=`))?.split("=")[1];
      const own = flag ?? textAt(config, ["featureGates", gate]);
      return { isPassed: own !== "false", seen: own ?? "not set" };
    },
  },
  settingCheck("4.2.12", "only strong ciphers are offered", {
    flag: "tls-cipher-suites",
    path: "tlsCipherSuites",
    passes: (value) =>
      value !== undefined && value !== "" &&
      value.split(",").every((suite) => SUITES.has(suite)),
  }),
  settingCheck("4.2.13", "processes of a pod are limited", {
    flag: "pod-max-pids",
    path: "podPidsLimit",
    passes: (value) => value !== undefined && Number(value) > 0,
  }),
  settingCheck("4.2.14", "the default seccomp profile is used", {
    flag: "seccomp-default",
    path: "seccompDefault",
    passes: (value) => value === "true",
  }),
];

const CHECKS: readonly Check[] = [
  modeCheck("4.1.1", "service", 0o600),
  ownerCheck("4.1.2", "service"),
  modeCheck("4.1.3", "proxyKubeconfig", 0o600),
  ownerCheck("4.1.4", "proxyKubeconfig"),
  modeCheck("4.1.5", "kubeconfig", 0o600),
  ownerCheck("4.1.6", "kubeconfig"),
  modeCheck("4.1.7", "clientCa", 0o644),
  ownerCheck("4.1.8", "clientCa"),
  modeCheck("4.1.9", "config", 0o600),
  ownerCheck("4.1.10", "config"),
  ...SETTINGS,
];

export function cisRows(audited: Audited): readonly CisRow[] {
  return CHECKS.map(({ id, title, judge }) => ({
    ...{ id, title },
    ...judge(audited),
  }));
}

/** Columns side by side, one for each of what was audited. */
export function cisTable(
  columns: readonly {
    readonly name: string;
    readonly rows: readonly CisRow[];
  }[],
): string {
  const [first] = columns;
  const word = ({ isPassed, seen }: CisRow) =>
    `${isPassed ? "PASS" : "FAIL"} ${shortened(seen)}`;
  const lines = (first?.rows ?? []).map((
    { id, title },
    at,
  ) => [
    id,
    title,
    ...columns.map(({ rows }) => {
      const row = rows[at];
      return row === undefined ? "" : word(row);
    }),
  ]);
  const all = [["id", "check", ...columns.map(({ name }) => name)], ...lines];
  const widths =
    all[0]?.map((_, at) =>
      Math.max(...all.map((line) => line[at]?.length ?? 0))
    ) ?? [];
  return all.map((line) =>
    line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd()
  ).join("\n");
}

function shortened(text: string): string {
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}
