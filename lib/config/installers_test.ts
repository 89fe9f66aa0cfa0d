/** What the installers of the world pass: kubeadm, EKS, GCE, AKS, k0s, kubespray. */
import assert from "node:assert/strict";
import { parseCommandLine } from "./command_line.ts";
import { loadConfig } from "./load.ts";
import type { ConfigText } from "./parse.ts";

interface Files {
  readonly configFile?: ConfigText;
  readonly dropIns?: readonly ConfigText[];
}

function start(line: string, files: Files = {}) {
  const command = parseCommandLine(line.trim().split(/\s+/));
  assert.ok(command.kind === "agent", JSON.stringify(command));
  const result = loadConfig({
    ...files,
    flags: command.flags,
    hostname: "ip-10-0-0-1",
  });
  if (result.kind === "invalid") throw new Error(result.message);
  return result;
}

const KUBEADM = `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
- 10.96.0.10
clusterDomain: cluster.local
containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock"
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`;

Deno.test("loadConfig() takes kubeadm's config.yaml and flags", () => {
  const { config, warnings } = start(
    "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf " +
      "--kubeconfig=/etc/kubernetes/kubelet.conf " +
      "--config=/var/lib/kubelet/config.yaml --hostname-override=cp1 " +
      "--register-with-taints=node-role.kubernetes.io/control-plane:NoSchedule",
    { configFile: { path: "/var/lib/kubelet/config.yaml", text: KUBEADM } },
  );
  const k = config.kubelet;
  assert.equal(config.nodeName, "cp1");
  assert.equal(k.staticPodPath, "/etc/kubernetes/manifests");
  assert.deepEqual(
    [k.syncFrequency, k.fileCheckFrequency, k.runtimeRequestTimeout],
    [60_000, 20_000, 120_000],
  );
  assert.deepEqual(
    [k.nodeStatusUpdateFrequency, k.nodeStatusReportFrequency],
    [10_000, 300_000],
  );
  assert.equal(k.authentication.webhook.cacheTTL, 120_000);
  assert.equal(k.logging.flushFrequency, 5_000);
  assert.equal(k.crashLoopBackOff.maxContainerRestartPeriod, 300_000);
  assert.equal(k.cgroupDriver, "systemd");
  assert.equal(k.readOnlyPort, 0);
  assert.deepEqual(warnings, [
    "Deprecated flags, set them in the --config file: --register-with-taints",
    "Fields set but not acted on yet: " +
    "logging.options.text.infoBufferSize, " +
    "logging.options.json.infoBufferSize",
  ]);
});

const EKS = {
  kind: "KubeletConfiguration",
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  address: "0.0.0.0",
  authentication: {
    x509: { clientCAFile: "/etc/kubernetes/pki/ca.crt" },
    webhook: { enabled: true, cacheTTL: "2m0s" },
    anonymous: { enabled: false },
  },
  authorization: {
    mode: "Webhook",
    webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" },
  },
  cgroupDriver: "systemd",
  cgroupRoot: "/",
  clusterDNS: ["172.20.0.10"],
  clusterDomain: "cluster.local",
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  imageServiceEndpoint: "unix:///run/soci-snapshotter-grpc/soci.sock",
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
  },
  featureGates: {
    DynamicResourceAllocation: true,
    MutableCSINodeAllocatableCount: true,
    RotateKubeletServerCertificate: true,
    SomethingOfNextYear: true,
  },
  hairpinMode: "hairpin-veth",
  kubeReserved: { cpu: "70m", "ephemeral-storage": "1Gi", memory: "574Mi" },
  kubeReservedCgroup: "/runtime",
  logging: { verbosity: 2 },
  maxPods: 29,
  protectKernelDefaults: true,
  providerID: "aws:///us-west-2f/i-1234567890abcdef0",
  readOnlyPort: 0,
  serializeImagePulls: false,
  serverTLSBootstrap: true,
  shutdownGracePeriod: "2m30s",
  shutdownGracePeriodCriticalPods: "30s",
  systemReservedCgroup: "/system",
  tlsCipherSuites: [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
  ],
};

Deno.test("loadConfig() takes the JSON of EKS and its drop-in", () => {
  const dropIn = {
    kind: "KubeletConfiguration",
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    maxPods: 58,
    evictionHard: { "memory.available": "5%" },
  };
  const path = "/etc/kubernetes/kubelet/config.json";
  const { config, settings, warnings } = start(
    `--config=${path} --config-dir=${path}.d ` +
      "--kubeconfig=/var/lib/kubelet/kubeconfig --node-ip=10.0.0.1 " +
      "--cloud-provider=external --hostname-override=i-1234567890abcdef0 " +
      "--runtime-cgroups=/runtime.slice/containerd.service " +
      "--image-credential-provider-bin-dir=/etc/eks/image-credential-provider " +
      "--image-credential-provider-config=/etc/eks/image-credential-provider/config.json " +
      "--node-labels=eks.amazonaws.com/nodegroup=a",
    {
      configFile: { path, text: JSON.stringify(EKS, null, 4) },
      dropIns: [{
        path: `${path}.d/40-nodeadm.conf`,
        text: JSON.stringify(dropIn, null, 4),
      }],
    },
  );
  assert.equal(config.kubelet.maxPods, 58);
  assert.deepEqual(settings.get("maxPods")?.origin, {
    kind: "drop-in",
    path: `${path}.d/40-nodeadm.conf`,
    line: 4,
    column: 5,
  });
  assert.deepEqual(Object.fromEntries(config.kubelet.evictionHard), {
    "memory.available": "5%",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
  });
  assert.equal(config.kubelet.shutdownGracePeriod, 150_000);
  assert.deepEqual(config.nodeIps, ["10.0.0.1"]);
  assert.equal(config.features.DynamicResourceAllocation, true);
  assert.equal(
    warnings[0],
    'Unknown feature gate "SomethingOfNextYear" ignored',
  );
});

Deno.test("loadConfig() takes the flags of GCE", () => {
  const text = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
    "kind: KubeletConfiguration\nreadOnlyPort: 10255\nhairpinMode: hairpin-veth\n" +
    "staticPodURL: http://metadata/x\n" +
    "staticPodURLHeader:\n  Metadata-Flavor:\n  - Google\npodCidr: 10.0.0.0/24\n";
  const { config, warnings } = start(
    "--v=2 --cloud-provider=external " +
      "--experimental-mounter-path=/opt/kubernetes/containerized_mounter/mounter " +
      "--cert-dir=/var/lib/kubelet/pki/ " +
      "--image-credential-provider-config=/opt/kubernetes/cri-auth-config.yaml " +
      "--image-credential-provider-bin-dir=/opt/kubernetes/bin " +
      "--bootstrap-kubeconfig=/var/lib/kubelet/bootstrap-kubeconfig " +
      "--kubeconfig=/var/lib/kubelet/kubeconfig " +
      "--volume-plugin-dir=/opt/kubernetes/flexvolume --node-labels= " +
      "--register-with-taints=node-role.kubernetes.io/control-plane=:NoSchedule " +
      "--container-runtime-endpoint=unix:///run/containerd/containerd.sock " +
      "--runtime-cgroups=/system.slice/containerd.service " +
      "--config /opt/kubernetes/kubelet-config.yaml --cgroup-driver=systemd " +
      "--resolv-conf=/run/systemd/resolve/resolv.conf",
    { configFile: { path: "/opt/kubernetes/kubelet-config.yaml", text } },
  );
  const k = config.kubelet;
  assert.equal(k.readOnlyPort, 10255);
  assert.equal(k.logging.verbosity, 2);
  assert.equal(config.flags.config, "/opt/kubernetes/kubelet-config.yaml");
  assert.equal(k.resolvConf, "/run/systemd/resolve/resolv.conf");
  assert.deepEqual(k.staticPodURLHeader.get("Metadata-Flavor"), ["Google"]);
  assert.ok(warnings.some((line) => line.includes("did you mean podCIDR?")));
});

Deno.test("loadConfig() takes the flags of AKS, which has no file", () => {
  const { config, warnings } = start(
    "--enable-server --node-labels=agentpool=np1,kubernetes.azure.com/mode=system " +
      "--v=2 --volume-plugin-dir=/etc/kubernetes/volumeplugins " +
      "--kubeconfig /var/lib/kubelet/kubeconfig " +
      "--bootstrap-kubeconfig /var/lib/kubelet/bootstrap-kubeconfig " +
      "--address=0.0.0.0 --anonymous-auth=false " +
      "--authentication-token-webhook=true --authorization-mode=Webhook " +
      "--azure-container-registry-config=/etc/kubernetes/azure.json " +
      "--cgroups-per-qos=true --client-ca-file=/etc/kubernetes/certs/ca.crt " +
      "--cloud-config=/etc/kubernetes/azure.json --cloud-provider=external " +
      "--cluster-dns=10.0.0.10 --cluster-domain=cluster.local " +
      "--container-log-max-size=50M --enforce-node-allocatable=pods " +
      "--event-qps=0 --eviction-hard=memory.available<750Mi,nodefs.available<10% " +
      "--feature-gates=RotateKubeletServerCertificate=true,LongDeadGate=true " +
      "--image-gc-high-threshold=85 --image-gc-low-threshold=80 " +
      "--keep-terminated-pod-volumes=false --kube-reserved=cpu=100m,memory=1638Mi " +
      "--max-pods=30 --node-status-update-frequency=10s " +
      "--pod-infra-container-image=mcr.microsoft.com/oss/kubernetes/pause:3.6 " +
      "--pod-manifest-path=/etc/kubernetes/manifests --pod-max-pids=-1 " +
      "--protect-kernel-defaults=true --read-only-port=0 " +
      "--resolv-conf=/run/systemd/resolve/resolv.conf --rotate-certificates=false " +
      "--streaming-connection-idle-timeout=4h --system-reserved= " +
      "--tls-cert-file=/etc/kubernetes/certs/kubeletserver.crt " +
      "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_256_GCM_SHA384 " +
      "--tls-private-key-file=/etc/kubernetes/certs/kubeletserver.key",
  );
  const k = config.kubelet;
  assert.equal(k.authentication.anonymous.enabled, false);
  assert.equal(k.authorization.mode, "Webhook");
  assert.equal(k.readOnlyPort, 0);
  assert.equal(k.staticPodPath, "/etc/kubernetes/manifests");
  assert.equal(k.eventRecordQPS, 0);
  assert.equal(k.evictionHard.get("memory.available"), "750Mi");
  assert.equal(config.flags.nodeLabels.size, 2);
  assert.equal(
    warnings.filter((line) => line.includes("was removed")).length,
    4,
  );
  assert.ok(warnings.includes('Unknown feature gate "LongDeadGate" ignored'));
});

Deno.test("loadConfig() takes what k0s and kubespray leave behind", () => {
  const text = "apiVersion: kubelet.config.k8s.io/v1beta1\n" +
    "kind: KubeletConfiguration\nfailSwapOn: no\n" +
    "containerRuntimeEndpoint : unix:///run/k0s/containerd.sock\n" +
    "staticPodURL: http://localhost:1234/manifests\n" +
    'syncFrequency: "30s"\nfailCgroupV1: false\n';
  const { config, warnings } = start(
    "--root-dir=/var/lib/k0s/kubelet --config=/run/k0s/kubelet/config.yaml " +
      "--kubeconfig=/k --v=1 --cert-dir=/var/lib/k0s/kubelet/pki " +
      "--containerd=/run/k0s/containerd.sock --hostname-override=n1 " +
      "--node-ip 10.0.0.1,fd00::1",
    { configFile: { path: "/run/k0s/kubelet/config.yaml", text } },
  );
  assert.equal(config.kubelet.failSwapOn, false);
  assert.equal(
    config.kubelet.containerRuntimeEndpoint,
    "unix:///run/k0s/containerd.sock",
  );
  assert.equal(config.paths.rootDir, "/var/lib/k0s/kubelet");
  assert.deepEqual(config.nodeIps, ["10.0.0.1", "fd00::1"]);
  assert.equal(warnings[0], "Flags without effect here: --containerd");
});
