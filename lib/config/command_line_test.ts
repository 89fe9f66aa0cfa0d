import assert from "node:assert/strict";
import { parseCommandLine, type ParsedFlags } from "./command_line.ts";
import { FLAG_TARGETS } from "./flag_names.ts";

function flagsOf(...argv: string[]): ParsedFlags {
  const command = parseCommandLine(argv);
  if (command.kind !== "agent") {
    throw new Error(`It is ${JSON.stringify(command)}`);
  }
  return command.flags;
}

/** The value of a configuration field as plain data. */
function fieldOf(path: string, ...argv: string[]): unknown {
  const value = flagsOf(...argv).fields.get(path)?.value;
  return value instanceof Map ? Object.fromEntries(value) : value;
}

function refusal(...argv: string[]): string {
  const command = parseCommandLine(argv);
  if (command.kind !== "invalid") throw new Error(`It is ${command.kind}`);
  assert.ok(!command.message.includes("\n"));
  return command.message;
}

/** One row per grammar: arguments, field, value. */
const GRAMMAR: readonly (readonly [string[], string, unknown])[] = [
  [["--port=1"], "port", 1],
  [["--port", "1"], "port", 1],
  [["--port", "0x10"], "port", 16],
  [["--port", "010"], "port", 8],
  [["--event-qps=0"], "eventRecordQPS", 0],
  [["--oom-score-adj", "-5"], "oomScoreAdj", -5],
  [["--port=1", "--port=2"], "port", 2],
  [["--enable-server"], "enableServer", true],
  [["--enable-server=false"], "enableServer", false],
  [["--enable-server=F"], "enableServer", false],
  [["--enable_server=0"], "enableServer", false],
  [["--cluster_dns=a"], "clusterDNS", ["a"]],
  [["-v2"], "logging.verbosity", 2],
  [["-v", "2"], "logging.verbosity", 2],
  [["-v=2"], "logging.verbosity", 2],
  [["--v=2"], "logging.verbosity", 2],
  [["--sync-frequency=1m30s"], "syncFrequency", 90_000],
  [["--resolv-conf="], "resolvConf", ""],
  [["--cluster-dns=1.1.1.1,::1"], "clusterDNS", ["1.1.1.1", "::1"]],
  [["--cluster-dns=a", "--cluster-dns=b"], "clusterDNS", ["a", "b"]],
  [["--cluster-dns="], "clusterDNS", []],
  [['--allowed-unsafe-sysctls="a,b",c'], "allowedUnsafeSysctls", ["a,b", "c"]],
  [["--kube-reserved=cpu=1,memory=2Gi"], "kubeReserved", {
    cpu: "1",
    memory: "2Gi",
  }],
  [["--kube-reserved="], "kubeReserved", {}],
  [
    ["--eviction-hard=memory.available<1Gi,nodefs.available<5%"],
    "evictionHard",
    {
      "memory.available": "1Gi",
      "nodefs.available": "5%",
    },
  ],
  [["--eviction-hard="], "evictionHard", {}],
  [
    ["--eviction-soft-grace-period=memory.available=1m30s"],
    "evictionSoftGracePeriod",
    {
      "memory.available": "1m30s",
    },
  ],
  [["--manifest-url-header=a:b,a:c,d:e"], "staticPodURLHeader", {
    a: ["b", "c"],
    d: ["e"],
  }],
  [["--cpu-manager-policy-options=a=b,c"], "cpuManagerPolicyOptions", {
    a: "b,c",
  }],
  [
    ["--feature-gates=A=true,B=false", "--feature-gates=B=true"],
    "featureGates",
    {
      A: true,
      B: true,
    },
  ],
  [
    ["--register-with-taints=a=b:NoSchedule,c:NoExecute"],
    "registerWithTaints",
    [
      { key: "a", value: "b", effect: "NoSchedule", timeAdded: undefined },
      { key: "c", value: "", effect: "NoExecute", timeAdded: undefined },
    ],
  ],
  [["--register-with-taints="], "registerWithTaints", []],
  [["--vmodule=a*=2,b=3"], "logging.vmodule", [
    { filePattern: "a*", verbosity: 2 },
    { filePattern: "b", verbosity: 3 },
  ]],
  [
    ["--reserved-memory=0:memory=1Gi,hugepages-1M=2Gi;1:memory=2Gi"],
    "reservedMemory",
    [
      {
        numaNode: 0,
        limits: new Map([["memory", "1Gi"], ["hugepages-1M", "2Gi"]]),
      },
      { numaNode: 1, limits: new Map([["memory", "2Gi"]]) },
    ],
  ],
  [["--address="], "address", undefined],
  [["--provider-id=aws:///a/i-1"], "providerID", "aws:///a/i-1"],
  [["--fail-cgroupv1=false"], "failCgroupV1", false],
  [["--logging-format=json"], "logging.format", "json"],
];

Deno.test("parseCommandLine() reads every grammar of flag", () => {
  for (const [argv, path, value] of GRAMMAR) {
    assert.deepEqual(fieldOf(path, ...argv), value, argv.join(" "));
  }
});

Deno.test("parseCommandLine() keeps the last of a repeated flag", () => {
  const { agent } = flagsOf("--cert-dir=/a", "--cert_dir", "/b");
  assert.equal(agent.certDir, "/b");
});

Deno.test("parseCommandLine() does not let a switch eat the next word", () => {
  assert.match(
    refusal("--enable-server", "false"),
    /Unexpected argument false/,
  );
});

Deno.test("parseCommandLine() collects node labels and allows none", () => {
  const labels = flagsOf("--node-labels=a=1,b", "--node-labels=c=3").agent;
  assert.deepEqual(Object.fromEntries(labels.nodeLabels), {
    a: "1",
    b: "",
    c: "3",
  });
  assert.equal(flagsOf("--node-labels=").agent.nodeLabels.size, 0);
});

Deno.test("parseCommandLine() gives the agent's own flags their defaults", () => {
  const { agent } = flagsOf();
  assert.deepEqual(
    [agent.rootDir, agent.certDir, agent.hostRoot, agent.cloudProvider],
    ["/var/lib/kubelet", "/var/lib/kubelet/pki", "/", ""],
  );
  assert.deepEqual(
    [agent.minimumContainerTtl, agent.maxDeadContainersPerContainer],
    [0, 1],
  );
  assert.equal(agent.maxDeadContainers, -1);
});

const REFUSED: readonly (readonly [string[], RegExp])[] = [
  [["--port"], /^--port: needs a value: a whole number from 1 to 65535$/],
  [["--port=x"], /^--port: value "x" is not allowed: a whole number/],
  [["--port=99999999999"], /^--port: value "99999999999" is not allowed/],
  [["--port="], /^--port: value "" is not allowed/],
  [["-v"], /^--v: needs a value/],
  [["-vx"], /^--v: value "x" is not allowed/],
  [["--enable-server=maybe"], /^--enable-server: .* true or false$/],
  [["--sync-frequency=10"], /^--sync-frequency: .* a duration/],
  [["--kube-reserved=cpu"], /^--kube-reserved: .*key=value/],
  [["--eviction-hard=memory.available=1Gi"], /^--eviction-hard: .*key<value/],
  [["--feature-gates=A=maybe"], /^--feature-gates: /],
  [["--feature-gates=A"], /^--feature-gates: /],
  [["--manifest-url-header=a"], /^--manifest-url-header: .*name:value/],
  [["--register-with-taints=a=b"], /^--register-with-taints: .*:Effect/],
  [["--reserved-memory=memory=1Gi"], /^--reserved-memory: /],
  [["--cgroup-driver=x"], /^--cgroup-driver: .*"cgroupfs", "systemd"/],
  [["--cloud-provider=aws"], /^--cloud-provider: .*"external"/],
  [["--host-root=host"], /^--host-root: .*absolute path/],
  [["--version=maybe"], /^--version: /],
  [["--help=maybe"], /^--help: /],
  [["word"], /^Unexpected argument word/],
  [["--port=1", "--", "word"], /^Unexpected argument word/],
  [["-"], /^Unexpected argument -/],
  [["--=1"], /^Bad flag syntax/],
  [["---port=1"], /^Bad flag syntax/],
  [["--strict-flags", "--nope"], /^Unknown flag --nope/],
  [
    ["--container-runtime=remote", "--strict-flags"],
    /--container-runtime was removed/,
  ],
  [["-x", "--strict-flags"], /^Unknown flag -x/],
];

Deno.test("parseCommandLine() refuses in one line and never throws", () => {
  for (const [argv, expected] of REFUSED) {
    assert.match(refusal(...argv), expected, argv.join(" "));
  }
});

Deno.test("parseCommandLine() never shows a secret value", () => {
  const { warnings } = flagsOf("--storage-driver-password=hunter2");
  assert.ok(!warnings.join().includes("hunter2"));
});

Deno.test("parseCommandLine() ignores an unknown flag and its value, loudly", () => {
  assert.deepEqual(flagsOf("--nope", "x", "--port=1").warnings.slice(0, 1), [
    'Unknown flag --nope ignored together with the word "x" after it',
  ]);
  assert.equal(flagsOf("--nope", "--port=1").fields.get("port")?.value, 1);
  assert.equal(flagsOf("--nope=x").warnings[0], "Unknown flag --nope ignored");
  assert.equal(flagsOf("-x").warnings[0], "Unknown flag -x ignored");
});

Deno.test("parseCommandLine() knows which removed flags took a value", () => {
  const taken = flagsOf("--pod-infra-container-image", "pause:3", "--port=1");
  assert.match(
    taken.warnings[0] ?? "",
    /was removed, .*"pause:3".*: the container/,
  );
  assert.equal(taken.fields.get("port")?.value, 1);
  assert.match(
    refusal("--keep-terminated-pod-volumes", "false"),
    /Unexpected argument false/,
  );
  assert.match(flagsOf("--logtostderr").warnings[0] ?? "", /logs go to stderr/);
});

Deno.test("parseCommandLine() tells of old and of useless flags once each", () => {
  const { warnings } = flagsOf(
    "--port=1",
    "--address=::",
    "-v1",
    "--containerd=/x",
  );
  assert.deepEqual(warnings, [
    "Flags without effect here: --containerd",
    "Deprecated flags, set them in the --config file: --port, --address",
  ]);
});

Deno.test("parseCommandLine() finds sub-commands, help and version", () => {
  const kinds = [
    [[], "agent"],
    [["check-config", "--port=1"], "check-config"],
    [["help"], "help"],
    [["-h"], "help"],
    [["--port=1", "--help"], "help"],
    [["check-config", "--help"], "help"],
    [["--help=false"], "agent"],
    [["--version=false"], "agent"],
  ] as const;
  for (const [argv, kind] of kinds) {
    assert.equal(parseCommandLine(argv).kind, kind, argv.join(" "));
  }
  for (const argv of [["--version"], ["--version=true"]]) {
    assert.deepEqual(parseCommandLine(argv), { kind: "version", form: "line" });
  }
  assert.deepEqual(parseCommandLine(["--version=raw"]), {
    kind: "version",
    form: "raw",
  });
});

Deno.test("parseCommandLine() survives any word for any flag", () => {
  const words = [
    "",
    "x",
    "-1",
    "1",
    "1s",
    "a=b",
    "a<b",
    "a:b",
    "a:b:c",
    ",",
    "=",
    ":",
    ";",
    "0:",
    "true",
    "\u0000",
  ];
  for (const name of FLAG_TARGETS.keys()) {
    for (const word of words) {
      const { kind } = parseCommandLine([`--${name}=${word}`]);
      assert.ok(kind === "agent" || kind === "invalid", `${name} ${word}`);
    }
  }
});
