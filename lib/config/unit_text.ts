/**
 * A unit of systemd for a configuration, with as much of the host's own
 * hardening as a node agent can have. Pure.
 */
import type { Need } from "./needs.ts";

/**
 * No directive that gives the agent mounts of its own (ProtectSystem,
 * ReadWritePaths, PrivateTmp, PrivateDevices, ProtectKernelTunables,
 * ProtectControlGroups, ProtectHome, ProtectProc, BindPaths): what it mounts
 * for pods would be hidden from the runtime. None against writable and
 * executable memory (V8 compiles), none against set-group-ID (fsGroup sets it).
 */
export const HARDENING: readonly string[] = [
  "# Not here: whatever makes a private mount namespace (ProtectSystem,",
  "# ReadWritePaths, PrivateTmp and others), which would hide the volumes of",
  "# pods from the runtime; MemoryDenyWriteExecute, as V8 compiles; and",
  "# RestrictSUIDSGID, as volumes with an fsGroup are set-group-ID.",
  "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RESOURCE CAP_SYS_PTRACE " +
  "CAP_SYSLOG CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER " +
  "CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_MKNOD",
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  "RestrictRealtime=yes",
  "RestrictNamespaces=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  "SystemCallArchitectures=native",
  "KeyringMode=private",
];

/** `words`: the agent's own flags, as they were given. */
export function unitText(
  needs: readonly Need[],
  words: readonly string[],
): string {
  return [
    "# Made by `denolet permissions --format=unit`; mode 0600, owner root.",
    "[Unit]",
    "Description=denolet: a Kubernetes node agent",
    "Wants=network-online.target",
    "After=network-online.target containerd.service dbus.socket dbus.service",
    "",
    "[Service]",
    "Type=notify",
    "WatchdogSec=30",
    `ExecStart=${["/usr/bin/denolet", ...words.map(quoted)].join(" \\\n  ")}`,
    "Restart=always",
    "RestartSec=10",
    "KillMode=process",
    "OOMScoreAdjust=-999",
    "LimitNOFILE=1048576",
    "TasksMax=infinity",
    ...HARDENING,
    ...addresses(needs),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/**
 * The kernel holds the agent to the same addresses, where all of them are
 * known as numbers. Whoever asks the agent has to be let in as well.
 */
function addresses(needs: readonly Need[]): string[] {
  const hosts = needs.filter(({ kind }) => kind === "net")
    .map(({ value }) => value).filter((value) => !value.startsWith("unix:"))
    .map((value) => value.replace(/:\d+$/, ""));
  const unknown = hosts.filter((host) => !/^[\d.]+(\/\d+)?$/.test(host));
  if (unknown.length > 0) {
    return [
      "# No IPAddressAllow: these are not known as addresses: " +
      [...new Set(unknown)].join(" "),
    ];
  }
  const allowed = new Set(
    ["localhost", ...hosts.filter((host) => host !== "0.0.0.0")],
  );
  return [
    "# Add those who ask port 10250: the API server's addresses, scrapers.",
    "IPAddressDeny=any",
    `IPAddressAllow=${[...allowed].join(" ")}`,
  ];
}

/** Compat: systemd.service(5), quoting and `%`, `$` in command lines. */
function quoted(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(plain)
    ? `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`
    : plain;
}
