/**
 * What dashboards, alerts and `kubectl top` read: every series that the
 * kubernetes-mixin uses, in a form that Prometheus takes, and figures that a
 * real metrics-server makes something of.
 */
import assert from "node:assert/strict";
import {
  forgetMetricsServer,
  startMetricsServer,
} from "../../deploy/cluster.ts";
import { findProgram, needPrograms } from "../../deploy/cluster/programs.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  kubectl,
  memberTest,
} from "./member_world.ts";
import { asking } from "./server_world.ts";

/** By path: series, each with the labels that rules and dashboards name. */
const SERIES: Readonly<Record<string, readonly string[]>> = {
  "/metrics": [
    'kubelet_node_name{node="NODE"} 1',
    "kubelet_running_pods ",
    'kubelet_running_containers{container_state="running"}',
    'kubelet_pleg_relist_duration_seconds_bucket{le="+Inf"}',
    'kubelet_pleg_relist_interval_seconds_bucket{le="+Inf"}',
    'kubelet_pod_worker_duration_seconds_bucket{le="+Inf",operation_type="create"}',
    'kubelet_pod_start_duration_seconds_bucket{le="+Inf"}',
    'kubelet_pod_start_sli_duration_seconds_bucket{le="+Inf"}',
    'kubelet_pod_status_sync_duration_seconds_bucket{le="+Inf"}',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"}',
    'kubelet_runtime_operations_total{operation_type="list_containers"}',
    'kubelet_runtime_operations_duration_seconds_bucket{le="+Inf",operation_type="create_container"}',
    'kubelet_started_containers_total{container_type="container"}',
    'kubelet_terminated_containers_total{container_type="container",exit_code="3",reason="Error"}',
    "kubelet_certificate_manager_client_ttl_seconds ",
    "kubelet_certificate_manager_server_ttl_seconds ",
    "kubelet_certificate_manager_client_expiration_renew_errors ",
    "kubelet_server_expiration_renew_errors ",
    'volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="actual_state_of_world"}',
    'volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="desired_state_of_world"}',
    'storage_operation_duration_seconds_bucket{le="+Inf",migrated="false",operation_name="volume_mount",status="success",volume_plugin="kubernetes.io/empty-dir"}',
    'rest_client_requests_total{code="200",host="SERVER",method="PATCH"}',
    'rest_client_request_duration_seconds_bucket{le="+Inf",host="SERVER",verb="PATCH"}',
    "process_resident_memory_bytes ",
    "process_cpu_seconds_total ",
    "kubelet_node_config_error 0",
    "kubelet_image_volume_requested_total ",
    "kubelet_imagemanager_ondisk_pulledrecords ",
    "kubelet_topology_manager_admission_requests_total 0",
    'kubernetes_feature_enabled{name="KubeletPSI",stage=""} 1',
  ],
  "/metrics/cadvisor": [
    'container_cpu_usage_seconds_total{container="app",id=',
    'container_cpu_cfs_periods_total{container="app",id=',
    'container_memory_working_set_bytes{container="app",id=',
    'container_memory_rss{container="app",id=',
    'container_memory_cache{container="app",id=',
    'container_memory_swap{container="app",id=',
    'container_network_receive_bytes_total{container="",id=',
    "machine_cpu_cores{",
    "container_scrape_error 0",
  ],
  "/metrics/resource": [
    "node_cpu_usage_seconds_total ",
    "node_memory_working_set_bytes ",
    'container_cpu_usage_seconds_total{container="app",namespace="default",pod="web"}',
    'container_memory_working_set_bytes{container="app",namespace="default",pod="web"}',
    'container_start_time_seconds{container="app",namespace="default",pod="web"}',
    'pod_cpu_usage_seconds_total{namespace="default",pod="web"}',
    'pod_memory_working_set_bytes{namespace="default",pod="web"}',
    "resource_scrape_error 0",
  ],
  "/metrics/probes": [
    'prober_probe_total{probe_type="Readiness",container="app",pod="web",namespace="default",pod_uid=',
  ],
  "/metrics/slis": [
    'kubernetes_healthcheck{name="syncloop",type="healthz"} 1',
    'kubernetes_healthchecks_total{name="ping",type="healthz",status="success"}',
  ],
};

memberTest(
  "metrics: dashboards and kubectl top find what they read",
  async () => {
    await needPrograms("metrics");
    const limits = { cpu: "200m", memory: "64Mi" };
    await apply(aPod("web", {
      volumes: [{ name: "scratch", emptyDir: {} }],
      containers: [{
        ...aContainer("while :; do echo hi > /scratch/x; done"),
        resources: { limits },
        volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
        readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
      }],
    }));
    await apply(aPod("bad", {
      restartPolicy: "Never",
      containers: [aContainer("exit 3")],
    }));
    await inPhase("web", "Running");
    await inPhase("bad", "Failed");
    const texts = await scraped();
    for (const [path, wanted] of Object.entries(SERIES)) {
      for (const each of wanted) {
        const start = each.replace("NODE", world.name)
          .replace("SERVER", cluster.server.replace("https://", ""));
        const isThere = texts.get(path)?.includes(`\n${start}`) === true;
        assert.ok(isThere, `${path}: no ${start}`);
      }
      await check(["check", "metrics"], texts.get(path) ?? "");
    }
    const rules = new URL(
      "../../deploy/monitoring/rules.yaml",
      import.meta.url,
    );
    await check(["check", "rules"], await Deno.readTextFile(rules));
    await summaryTells();
    await startMetricsServer(world);
    try {
      await until(
        "kubectl top nodes",
        () => tells(["nodes"], world.name),
        60_000,
      );
      await until("kubectl top pods", () => tells(["pods"], "web"), 60_000);
    } finally {
      await forgetMetricsServer(world);
    }
  },
);

/** Until what is counted at the next scrape has been, too. */
async function scraped(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  await asking(await admin(), async (ask) => {
    await until("a probe and a reported status", async () => {
      for (const path of Object.keys(SERIES)) {
        const { status, text } = await ask("GET", path);
        assert.equal(status, 200, path);
        texts.set(path, `\n${text}`);
      }
      return texts.get("/metrics/probes")?.includes("\nprober_probe_total{") ===
          true &&
        /\nkubelet_pod_start_sli_duration_seconds_count [1-9]/
          .test(texts.get("/metrics") ?? "");
    });
  });
  return texts;
}

async function summaryTells(): Promise<void> {
  await asking(await admin(), async (ask) => {
    const whole = await ask("POST", "/stats/summary");
    const { node, pods } = JSON.parse(whole.text);
    assert.equal(node.nodeName, world.name);
    assert.ok(node.fs.capacityBytes > 0);
    const web = pods.find(({ podRef }: { podRef: { name: string } }) =>
      podRef.name === "web"
    );
    assert.ok(web.containers[0].cpu.usageCoreNanoSeconds > 0);
    assert.ok(web.containers[0].memory.workingSetBytes > 0);
    assert.ok(web.network.interfaces.length > 0);
    assert.deepEqual(
      web.volume.map(({ name }: { name: string }) => name).includes("scratch"),
      true,
    );
    const path = "/stats/summary?only_cpu_and_memory=true";
    const few = JSON.parse((await ask("GET", path)).text);
    assert.equal(few.node.fs, undefined);
    assert.equal(few.node.cpu.usageCoreNanoSeconds > 0, true);
  });
}

async function admin() {
  const pair = `${cluster.pki}/kube-apiserver-kubelet-client`;
  return {
    pair: {
      certificate: await Deno.readTextFile(`${pair}.crt`),
      key: await Deno.readTextFile(`${pair}.key`),
    },
  };
}

/** True once there are figures; the server needs two looks for them. */
async function tells(what: readonly string[], name: string): Promise<boolean> {
  try {
    const text = await kubectl("top", ...what, "--no-headers");
    return new RegExp(`^${name} +\\d+m +.*\\d+Mi`, "m").test(text);
  } catch (error) {
    if (/not available|ServiceUnavailable/.test(`${error}`)) return false;
    throw error;
  }
}

/** Names that are contract, whatever promtool thinks of them. */
const ODD = new RegExp(
  '^(kubelet_\\w*renew_errors counter metrics should have "_total"|' +
    "container_memory_failcnt counter metrics should|" +
    "container_fs_inodes_total non-counter|" +
    "kubelet_evictions counter metrics should|" +
    "kubelet_pleg_discard_events counter metrics should|" +
    "kubelet_cpu_manager_exclusive_cpu_allocation_count non-histogram|" +
    "cadvisor_version_info label names should)",
);

/** promtool refuses what cannot be read (1), and notes what is odd (3). */
async function check(args: readonly string[], text: string): Promise<void> {
  const child = new Deno.Command(await findProgram("promtool"), {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text.trimStart()));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.ok(code === 0 || code === 3, `${args.join(" ")}: ${said}`);
  const odd = said.split("\n").filter((line) =>
    code === 3 && line !== "" && !ODD.test(line)
  );
  assert.deepEqual(odd, []);
}
