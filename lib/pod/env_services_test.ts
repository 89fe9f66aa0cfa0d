import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import type { ServiceFacts } from "../reference/types.ts";
import { serviceVariables } from "./env_services.ts";

function service(own: Partial<ServiceFacts> = {}): ServiceFacts {
  return {
    namespace: "prod",
    name: "web",
    clusterIp: "10.0.0.2",
    ports: [{ name: "", port: 80, protocol: "TCP" }],
    ...own,
  };
}

const MASTER = service({
  namespace: "default",
  name: "kubernetes",
  clusterIp: "10.0.0.1",
});

function made(services: ServiceFacts[], spec = {}, namespace = "prod") {
  const pod = aPod({ namespace, spec });
  return [...serviceVariables(pod, services)]
    .map(([name, value]) => `${name}=${value}`);
}

Deno.test("serviceVariables() names what containers look for", () => {
  const ports = [
    { name: "http", port: 80, protocol: "TCP" },
    { name: "dns-udp", port: 53, protocol: "UDP" },
  ];
  assert.deepEqual(made([service({ name: "my-web", ports })]), [
    "MY_WEB_SERVICE_HOST=10.0.0.2",
    "MY_WEB_SERVICE_PORT=80",
    "MY_WEB_SERVICE_PORT_HTTP=80",
    "MY_WEB_SERVICE_PORT_DNS_UDP=53",
    "MY_WEB_PORT=tcp://10.0.0.2:80",
    "MY_WEB_PORT_80_TCP=tcp://10.0.0.2:80",
    "MY_WEB_PORT_80_TCP_PROTO=tcp",
    "MY_WEB_PORT_80_TCP_PORT=80",
    "MY_WEB_PORT_80_TCP_ADDR=10.0.0.2",
    "MY_WEB_PORT_53_UDP=udp://10.0.0.2:53",
    "MY_WEB_PORT_53_UDP_PROTO=udp",
    "MY_WEB_PORT_53_UDP_PORT=53",
    "MY_WEB_PORT_53_UDP_ADDR=10.0.0.2",
  ]);
  const [, , url] = made([service({ clusterIp: "fd00::2" })]);
  assert.equal(url, "WEB_PORT=tcp://[fd00::2]:80");
});

Deno.test("serviceVariables() leaves out what has no address, or is elsewhere", () => {
  assert.deepEqual(
    made([
      service({ clusterIp: "None" }),
      service({ name: "b", clusterIp: "" }),
      service({ name: "c", namespace: "test" }),
      service({ name: "d", namespace: "default" }),
      service({ name: "e", ports: [] }),
    ]),
    [],
  );
});

Deno.test("serviceVariables() always tells of default/kubernetes", () => {
  const hosts = (lines: string[]) =>
    lines.filter((line) => line.includes("_HOST="));
  const noLinks = { enableServiceLinks: false };
  assert.deepEqual(hosts(made([service(), MASTER], noLinks)), [
    "KUBERNETES_SERVICE_HOST=10.0.0.1",
  ]);
  assert.deepEqual(hosts(made([service(), MASTER])), [
    "KUBERNETES_SERVICE_HOST=10.0.0.1",
    "WEB_SERVICE_HOST=10.0.0.2",
  ]);
  // One of the pod's own namespace is nearer, whatever the order.
  const own = service({ name: "kubernetes", clusterIp: "10.0.0.9" });
  for (const order of [[own, MASTER], [MASTER, own]]) {
    assert.deepEqual(hosts(made(order)), ["KUBERNETES_SERVICE_HOST=10.0.0.9"]);
  }
  assert.deepEqual(hosts(made([own, MASTER], noLinks)), [
    "KUBERNETES_SERVICE_HOST=10.0.0.1",
  ]);
  assert.equal(hosts(made([MASTER], noLinks, "default")).length, 1);
});
