/** What a container may do and has is what the kubelet would give it. */
import assert from "node:assert/strict";
import { oomScoreAdj } from "../../lib/api/oom_score.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  inPhase,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";
import { TELL, type View, viewOf } from "./view.ts";

/** Of a name that the kernel lists as `Name:\tvalue`. */
function status(view: View, name: string): string {
  const line = view.get("status")?.find((each) => each.startsWith(`${name}:`));
  return line?.split("\t").slice(1).join(" ").trim() ?? "";
}

async function seen(
  name: string,
  own: Partial<V1Container>,
  spec: Partial<V1PodSpec> = {},
): Promise<{ readonly view: View; readonly pod: V1Pod }> {
  await apply(aPod(name, { containers: [aContainer(TELL, own)], ...spec }));
  const [made] = await ready(`app=${name}`, 1);
  assert.ok(made !== undefined);
  return { view: await viewOf(made), pod: made };
}

memberTest(
  "a container runs as it is told to, and as nobody else",
  async () => {
    const [plain, strict] = await Promise.all([
      seen("plain", {}),
      seen("strict", {
        securityContext: {
          runAsGroup: 3000,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
          seccompProfile: { type: "RuntimeDefault" },
        },
      }, {
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 1,
          runAsNonRoot: true,
          fsGroup: 2000,
          supplementalGroups: [4000],
        },
      }),
    ]);
    assert.equal(status(plain.view, "Uid"), "0 0 0 0");
    assert.equal(status(plain.view, "NoNewPrivs"), "0");
    assert.equal(status(plain.view, "Seccomp"), "0", "unconfined");
    assert.equal(status(plain.view, "CapBnd"), "00000000a80425fb");
    assert.equal(status(strict.view, "Uid"), "1000 1000 1000 1000");
    assert.equal(status(strict.view, "Gid"), "3000 3000 3000 3000");
    const groups = status(strict.view, "Groups").split(" ");
    assert.deepEqual(groups.filter((each) => each !== "3000"), [
      "2000",
      "4000",
    ]);
    assert.equal(status(strict.view, "NoNewPrivs"), "1");
    assert.equal(status(strict.view, "Seccomp"), "2", "filtered");
    assert.equal(status(strict.view, "CapBnd"), "0000000000000400");
    assert.equal(status(strict.view, "CapEff"), "0000000000000000");
    const root = strict.view.get("mounts")
      ?.find((each) => each.startsWith("/ "));
    assert.match(root ?? "", /^\/ ro/);
    // /proc/scsi is empty, /proc/kcore reads as nothing.
    assert.deepEqual(strict.view.get("proc"), ["0", "0"]);
  },
);

memberTest(
  "a container has the resources and sysctls it asked for",
  async () => {
    const { view, pod } = await seen("sized", {
      resources: {
        requests: { cpu: "100m", memory: "64Mi" },
        limits: { cpu: "500m", memory: "128Mi" },
      },
    }, {
      securityContext: {
        sysctls: [
          { name: "net.ipv4.ip_unprivileged_port_start", value: "80" },
          { name: "kernel.shm_rmid_forced", value: "1" },
        ],
      },
    });
    const sysctls = view.get("sysctl") ?? [];
    assert.ok(sysctls.includes("net/ipv4/ip_unprivileged_port_start 80"));
    assert.ok(sysctls.includes("kernel/shm_rmid_forced 1"));
    const memory = BigInt(Deno.systemMemoryInfo().total);
    const [container] = pod.spec?.containers ?? [];
    assert.ok(container !== undefined);
    assert.deepEqual(view.get("oom"), [
      String(oomScoreAdj(pod, container, memory)),
    ]);
    const files = new Map((view.get("cgroup") ?? []).map((line) => {
      const [name = "", ...value] = line.split(" ");
      return [name, value.join(" ")];
    }));
    const limit = String(128 * 1024 ** 2);
    if (files.has("memory.max")) {
      assert.equal(files.get("memory.max"), limit);
      assert.equal(files.get("memory.oom.group"), "1");
      assert.equal(files.get("cpu.max"), "50000 100000");
    } else {
      assert.equal(files.get("memory/memory.limit_in_bytes"), limit);
      assert.equal(files.get("memory/memory.memsw.limit_in_bytes"), limit);
      assert.equal(files.get("cpu/cpu.shares"), "102");
      assert.equal(files.get("cpu/cpu.cfs_quota_us"), "50000");
    }
  },
);

memberTest(
  "what is unsafe here is refused in the kubelet's words",
  async () => {
    const refused: [string, Partial<V1PodSpec>, string, string][] = [
      [
        "unsafe",
        {
          securityContext: { sysctls: [{ name: "vm.swappiness", value: "1" }] },
        },
        "SysctlForbidden",
        'Pod was rejected: forbidden sysctl: "vm.swappiness" not allowlisted',
      ],
      [
        "confined",
        { securityContext: { appArmorProfile: { type: "RuntimeDefault" } } },
        "AppArmor",
        "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on " +
        "the host",
      ],
    ];
    const held: [string, Partial<V1Container>, RegExp][] = [
      [
        "root",
        { securityContext: { runAsNonRoot: true } },
        /^CreateContainerConfigError: container has runAsNonRoot and image will run as root /,
      ],
      [
        "fds",
        { workingDir: "/proc/self/fd/8" },
        /^CreateContainerConfigError: workingDir .* open files$/,
      ],
      [
        "noprofile",
        {
          securityContext: {
            seccompProfile: {
              type: "Localhost",
              localhostProfile: "no/such.json",
            },
          },
        },
        /^CreateContainerError: .*no\/such\.json/,
      ],
    ];
    await Promise.all([
      ...refused.map(([name, spec]) => apply(aPod(name, spec))),
      ...held.map(([name, own]) =>
        apply(aPod(name, { containers: [aContainer(TELL, own)] }))
      ),
      apply(aPod("mapped", { hostUsers: false })),
    ]);
    for (const [name, , reason, message] of refused) {
      if (name === "confined" && await hasAppArmor()) continue;
      const { status } = await inPhase(name, "Failed");
      assert.deepEqual([status?.reason, status?.message], [reason, message]);
    }
    for (const [name, , words] of held) {
      await until(`${name} to be held back: ${words}`, async () => {
        const { state } = (await pod(name))?.status?.containerStatuses?.[0] ??
          {};
        const { reason, message } = state?.waiting ?? {};
        return words.test(`${reason}: ${message}`);
      });
    }
    await mappedOrRefused();
  },
);

async function hasAppArmor(): Promise<boolean> {
  const file = "/sys/module/apparmor/parameters/enabled";
  return (await Deno.readTextFile(file).catch(() => "")).startsWith("Y");
}

/** As the runtime of this machine can, or upstream's words for that it cannot. */
async function mappedOrRefused(): Promise<void> {
  const words = "Failed to create pod sandbox: can't set `spec.hostUsers: " +
    "false`, runtime does not support user namespaces";
  await until("ids of its own, or a refusal", async () => {
    if ((await pod("mapped"))?.status?.phase === "Running") return true;
    return (await eventsOf("mapped")).includes(words);
  });
}
