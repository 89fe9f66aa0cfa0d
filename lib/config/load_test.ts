import assert from "node:assert/strict";
import { parseCommandLine } from "./command_line.ts";
import { load, refusalOf } from "./load_fixture.ts";
import { loadConfig } from "./load.ts";
import { describeOrigin } from "./tree.ts";

const HEADER = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
  "kind: KubeletConfiguration\n";

function originOf(path: string, ...how: Parameters<typeof load>): string {
  const setting = load(...how).settings.get(path);
  return setting === undefined ? "nothing" : describeOrigin(setting.origin);
}

Deno.test("loadConfig() puts drop-ins over the file and flags over all", () => {
  const texts = {
    file: "maxPods: 10\nport: 11\nhealthzPort: 12\n",
    dropIns: {
      "/d/20.conf": "port: 22\nhealthzPort: 22\n",
      "/d/10.conf": "port: 21\nhealthzPort: 21\n",
    },
  };
  const { config, settings } = load(["--healthz-port=33"], texts);
  const { maxPods, port, healthzPort } = config.kubelet;
  assert.deepEqual([maxPods, port, healthzPort], [10, 22, 33]);
  const places = ["maxPods", "port", "healthzPort", "syncFrequency"].map(
    (path) => {
      const setting = settings.get(path);
      return setting && describeOrigin(setting.origin);
    },
  );
  assert.deepEqual(places, [
    "/etc/node/config.yaml:3",
    "drop-in /d/20.conf:3",
    "flag --healthz-port",
    "default",
  ]);
});

Deno.test("loadConfig() takes drop-ins in the order of a directory walk", () => {
  const { config } = load([], {
    dropIns: { "/d/a.conf": "port: 2\n", "/d/a/z.conf": "port: 1\n" },
  });
  assert.equal(config.kubelet.port, 2);
});

Deno.test("loadConfig() merges maps of drop-ins per key, null deletes", () => {
  const { config } = load([], {
    file:
      "kubeReserved: {cpu: '1', memory: 1Gi}\nclusterDNS: [a, b]\nmaxPods: 5\n",
    dropIns: {
      "/d/1.conf":
        "kubeReserved: {cpu: null, pid: '9'}\nclusterDNS: [10.0.0.1]\n" +
        "maxPods: null\nevictionHard: {memory.available: 200Mi}\n",
    },
  });
  const { kubeReserved, clusterDNS, maxPods, evictionHard } = config.kubelet;
  assert.deepEqual(Object.fromEntries(kubeReserved), {
    memory: "1Gi",
    pid: "9",
  });
  assert.deepEqual(clusterDNS, ["10.0.0.1"]);
  assert.equal(maxPods, 110);
  assert.equal(evictionHard.size, 5);
  assert.equal(evictionHard.get("memory.available"), "200Mi");
});

Deno.test("loadConfig() gives evictionHard its default only with --config", () => {
  const cases = [
    ["", 5],
    ["evictionHard: {}\n", 0],
    ["evictionHard: {memory.available: 1Gi}\n", 1],
    [
      "evictionHard: {memory.available: 1Gi}\nmergeDefaultEvictionSettings: true\n",
      5,
    ],
    ["evictionHard: {}\nmergeDefaultEvictionSettings: true\n", 5],
  ] as const;
  for (const [file, size] of cases) {
    assert.equal(
      load([], { file }).config.kubelet.evictionHard.size,
      size,
      file,
    );
  }
  const flag = load(["--eviction-hard=memory.available<1Gi"], { file: "" });
  assert.deepEqual([...flag.config.kubelet.evictionHard], [
    ["memory.available", "1Gi"],
  ]);
  assert.equal(
    load([], { dropIns: { "/d/1.conf": "" } }).config.kubelet.evictionHard.size,
    0,
  );
});

Deno.test("loadConfig() lets nodeStatusReportFrequency follow the update", () => {
  const report = (...how: Parameters<typeof load>) =>
    load(...how).config.kubelet.nodeStatusReportFrequency;
  assert.equal(report([], { file: "nodeStatusUpdateFrequency: 1m\n" }), 60_000);
  assert.equal(
    report([], { file: "nodeStatusUpdateFrequency: 0s\n" }),
    300_000,
  );
  assert.equal(
    report(["--node-status-update-frequency=1m"], { file: "" }),
    300_000,
  );
  const dropIns = { "/d/1.conf": "nodeStatusUpdateFrequency: 1m\n" };
  assert.equal(report([], { file: "", dropIns }), 300_000);
});

Deno.test("loadConfig() turns serializeImagePulls off for parallel pulls", () => {
  const serial = (file: string) =>
    load([], { file }).config.kubelet.serializeImagePulls;
  assert.equal(serial("maxParallelImagePulls: 5\n"), false);
  assert.equal(serial("maxParallelImagePulls: 1\n"), true);
  assert.equal(serial("maxParallelImagePulls: null\n"), true);
  // Compat: the base is complete before drop-ins come, as upstream.
  const dropIns = { "/d/1.conf": "maxParallelImagePulls: 5\n" };
  assert.match(
    refusalOf([], { file: "", dropIns }),
    /serializeImagePulls: false/,
  );
});

Deno.test("loadConfig() counts relative paths from the file, not from drop-ins", () => {
  const { config } = load([], {
    file: "staticPodPath: pods\ntlsCertFile: ../tls/a.crt\n" +
      "authentication: {x509: {clientCAFile: ca.crt}}\nresolvConf: r\n" +
      "volumePluginDir: /x\npodLogsDir: logs\nkubeletCgroups: k\n",
    dropIns: { "/d/1.conf": "tlsPrivateKeyFile: b.key\n" },
  });
  const k = config.kubelet;
  assert.deepEqual(
    [k.staticPodPath, k.tlsCertFile, k.authentication.x509.clientCAFile],
    ["/etc/node/pods", "/etc/tls/a.crt", "/etc/node/ca.crt"],
  );
  assert.deepEqual(
    [k.resolvConf, k.volumePluginDir, k.podLogsDir, k.kubeletCgroups],
    ["/etc/node/r", "/x", "/etc/node/logs", "k"],
  );
  assert.equal(k.tlsPrivateKeyFile, "b.key");
  assert.equal(load(["--resolv-conf=r"]).config.kubelet.resolvConf, "r");
});

Deno.test("loadConfig() merges feature gates key by key, flags last", () => {
  const { config } = load(["--feature-gates=EnvFiles=false,MemoryQoS=true"], {
    file: "featureGates: {EnvFiles: true, EventedPLEG: true, PodsAPI: true}\n",
    dropIns: { "/d/1.conf": "featureGates: {PodsAPI: false}\n" },
  });
  const { EnvFiles, EventedPLEG, PodsAPI, MemoryQoS } = config.features;
  assert.deepEqual([EnvFiles, EventedPLEG, PodsAPI, MemoryQoS], [
    false,
    true,
    false,
    true,
  ]);
  assert.equal(config.kubelet.featureGates.size, 4);
});

Deno.test("loadConfig() warns of unknown things and fails under --strict-flags", () => {
  const cases = [
    [
      "podCidr: x\n",
      "/etc/node/config.yaml:3:1: podCidr: unknown field, ignored; " +
      "did you mean podCIDR?",
    ],
    [
      "logging: {nope: 1}\n",
      "/etc/node/config.yaml:3:11: logging.nope: unknown field, ignored",
    ],
    [
      "__proto__: {port: 1}\n",
      "/etc/node/config.yaml:3:1: __proto__: unknown field, ignored",
    ],
    [
      "constructor: 1\n",
      "/etc/node/config.yaml:3:1: constructor: unknown field, ignored",
    ],
    [
      "maxPods: 1\nmaxPods: 2\n",
      "/etc/node/config.yaml:4:1: maxPods: set twice; the last one counts",
    ],
    ["featureGates: {Zzz: true}\n", 'Unknown feature gate "Zzz" ignored'],
  ] as const;
  for (const [file, warning] of cases) {
    assert.equal(load([], { file }).warnings[0], warning);
    assert.equal(refusalOf(["--strict-flags"], { file }), warning);
  }
  const dropIns = { "/d/1.conf": "nope: 1\n" };
  assert.equal(
    load([], { dropIns }).warnings[0],
    "/d/1.conf:3:1: nope: unknown field, ignored",
  );
});

Deno.test("loadConfig() names fields it does not act on once, in one warning", () => {
  const { warnings } = load(["--pod-max-pids=5"], {
    file: "contentType: a/b\nstaticPodPath: /p\nenableServer: false\n" +
      "shutdownGracePeriod: 0s\nmemorySwap: {}\n",
  });
  assert.deepEqual(warnings.slice(-1), [
    "Fields set but not acted on yet: contentType, podPidsLimit",
  ]);
});

Deno.test("loadConfig() names flags and fields that nothing reads", () => {
  const { warnings } = load([
    "--lock-file=/run/lock",
    "--experimental-mounter-path=/mounter",
  ], { file: "podCIDR: 10.0.0.0/24\n" });
  assert.deepEqual(warnings.slice(-2), [
    "Fields set but not acted on yet: podCIDR",
    "Flags set but not acted on yet: --lock-file, --experimental-mounter-path",
  ]);
});

Deno.test("loadConfig() refuses a broken drop-in, also one that is overridden", () => {
  const dropIns = { "/d/1.conf": "port: x\n", "/d/2.conf": "port: 1\n" };
  assert.match(
    refusalOf([], { dropIns }),
    /^\/d\/1\.conf:3:1: port: value "x"/,
  );
  const command = parseCommandLine([]);
  assert.ok(command.kind === "agent");
  const empty = loadConfig({
    flags: command.flags,
    hostname: "a",
    dropIns: [{ path: "/d/1.conf", text: "" }],
  });
  assert.deepEqual(empty, {
    kind: "invalid",
    message: "/d/1.conf: the file is empty",
  });
});

Deno.test("loadConfig() takes either seccomp switch", () => {
  const on = { file: "seccompDefault: true\n" };
  assert.equal(
    load(["--seccomp-default"], { file: "" }).config.kubelet.seccompDefault,
    true,
  );
  assert.equal(
    load(["--seccomp-default=false"], on).config.kubelet.seccompDefault,
    true,
  );
  assert.equal(
    originOf("seccompDefault", ["--seccomp-default"]),
    "flag --seccomp-default",
  );
});

Deno.test("loadConfig() moves default host paths below the host root", () => {
  const { config } = load(["--host-root=/host", "--root-dir=/mine"], {
    file: "resolvConf: /etc/other\n",
  });
  assert.deepEqual(config.paths, {
    rootDir: "/mine",
    certDir: "/host/var/lib/kubelet/pki",
    podLogsDir: "/host/var/log/pods",
    containerLogsDir: "/host/var/log/containers",
    runDir: "/host/run/denolet",
  });
  assert.equal(config.flags.certDir, "/host/var/lib/kubelet/pki");
  assert.equal(config.kubelet.resolvConf, "/etc/other");
  assert.equal(
    config.kubelet.containerRuntimeEndpoint,
    "unix:///host/run/containerd/containerd.sock",
  );
  assert.equal(load([]).config.paths.runDir, "/run/denolet");
});

Deno.test("loadConfig() reads headers for static pods from file and flag", () => {
  const headers = (...how: Parameters<typeof load>) =>
    Object.fromEntries(load(...how).config.kubelet.staticPodURLHeader);
  const file = "staticPodURLHeader: {Metadata-Flavor: [Google], X: [a, b]}\n";
  assert.deepEqual(headers([], { file }), {
    "Metadata-Flavor": ["Google"],
    X: ["a", "b"],
  });
  assert.deepEqual(headers(["--manifest-url-header=X:c"], { file }), {
    X: ["c"],
  });
});

Deno.test("loadConfig() survives documents of the wrong shape everywhere", () => {
  const command = parseCommandLine([]);
  assert.ok(command.kind === "agent");
  const { settings } = load([]);
  const values = [
    "null",
    "1",
    "1.5",
    "-1",
    "'x'",
    "''",
    "true",
    "[]",
    "[null]",
    "{}",
    "{a: b}",
    "[{a: 1}]",
    "99999999999999999999",
  ];
  for (const path of settings.keys()) {
    for (const value of values) {
      const nested = path.split(".").map((part) => `{${part}: `).join("") +
        value +
        "}".repeat(path.split(".").length);
      const text = HEADER + nested.slice(1, -1) + "\n";
      const result = loadConfig({
        flags: command.flags,
        hostname: "a",
        configFile: { path: "/c.yaml", text },
      });
      if (result.kind === "ok") continue;
      assert.ok(!result.message.includes("\n"), text);
      assert.ok(result.message.startsWith("/c.yaml"), result.message);
    }
  }
});
