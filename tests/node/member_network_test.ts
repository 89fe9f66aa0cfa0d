/** The pod's identity on its network is the kubelet's, as a container sees it. */
import assert from "node:assert/strict";
import type { V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";
import { TELL, type View, viewOf } from "./view.ts";

async function seen(
  name: string,
  spec: Partial<V1PodSpec>,
): Promise<{ readonly pod: V1Pod; readonly view: View }> {
  await apply(aPod(name, { containers: [aContainer(TELL)], ...spec }));
  const [made] = await ready(`app=${name}`, 1);
  assert.ok(made !== undefined);
  return { pod: made, view: await viewOf(made) };
}

const LOOPBACK = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

memberTest("a pod knows its name and address", async () => {
  const { pod, view } = await seen("named", {
    hostname: "till",
    subdomain: "sub",
    setHostnameAsFQDN: true,
    hostAliases: [{ ip: "192.0.2.9", hostnames: ["one", "two.example"] }],
  });
  const whole = "till.sub.default.svc.cluster.local";
  assert.deepEqual(view.get("hosts"), [
    "# Kubernetes-managed hosts file.",
    ...LOOPBACK,
    `${pod.status?.podIP}\t${whole}\ttill`,
    "",
    "# Entries added by HostAliases.",
    "192.0.2.9\tone\ttwo.example",
  ]);
  assert.deepEqual(view.get("hosts-mode"), ["644 0 0"]);
  assert.deepEqual(view.get("hostname"), [whole, whole]);
});

memberTest(
  "a pod overrides its name, and has resolvers of its own",
  async () => {
    const { view } = await seen("own", {
      hostnameOverride: "other.example",
      subdomain: "sub",
      dnsPolicy: "None",
      dnsConfig: {
        nameservers: ["192.0.2.53"],
        searches: ["a.example", "b.example"],
        options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
      },
    });
    assert.deepEqual(view.get("hostname"), ["other.example", "other.example"]);
    assert.deepEqual(view.get("resolv"), [
      "search a.example b.example",
      "nameserver 192.0.2.53",
      "options ndots:2 edns0",
    ]);
  },
);

memberTest("a pod on the node's network has the node's names", async () => {
  const { view } = await seen("onnode", { hostNetwork: true });
  const node = await Deno.readTextFile("/etc/hosts");
  assert.deepEqual(
    view.get("hosts")?.join("\n"),
    [
      "# Kubernetes-managed hosts file (host network).",
      ...node.trimEnd().split("\n"),
    ].join("\n"),
  );
  assert.equal(view.get("hostname")?.[0], Deno.hostname());
});

memberTest("a name that is too long for the kernel is told", async () => {
  const subdomain = "s".repeat(60);
  await apply(aPod("long", { subdomain, setHostnameAsFQDN: true }));
  const fqdn = `long.${subdomain}.default.svc.cluster.local`;
  const words = "failed to construct FQDN from pod hostname and cluster " +
    `domain, FQDN ${fqdn} is too long`;
  await told("long", "FailedCreatePodSandBox", words);
  assert.equal((await pod("long"))?.status?.phase, "Pending");
});

memberTest(
  "a runtime class is looked up, also one that comes later",
  async () => {
    const spec = { runtimeClassName: `${world.name}-later` };
    const early = kubectl("get", "runtimeclass", spec.runtimeClassName);
    await assert.rejects(early, "it is not there yet");
    try {
      await kubectl(
        "create",
        "-f",
        await classFile(`${world.name}-odd`, "odd"),
      );
      await apply(aPod("odd", { runtimeClassName: `${world.name}-odd` }));
      await told("odd", "FailedCreatePodSandBox", '"odd"');
      const late = await classFile(spec.runtimeClassName, "runc");
      await kubectl("create", "-f", late);
      await apply(aPod("late", spec));
      await ready("app=late", 1);
    } finally {
      await kubectl(
        ...["delete", "runtimeclass", "--ignore-not-found"],
        ...[`${world.name}-odd`, spec.runtimeClassName],
      );
    }
  },
);

async function classFile(name: string, handler: string): Promise<string> {
  const file = `${world.root}/${name}.json`;
  const object = {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name },
    handler,
  };
  await Deno.writeTextFile(file, JSON.stringify(object));
  return file;
}

async function told(name: string, reason: string, words: string) {
  await until(`event ${reason} of ${name} with ${words}`, async () => {
    const lines = (await eventsOf(name)).split("\n");
    return lines.some((line) =>
      line.startsWith(`${reason} `) && line.includes(words)
    );
  });
}
