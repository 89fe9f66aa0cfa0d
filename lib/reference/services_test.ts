import assert from "node:assert/strict";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { settled } from "../../tests/fakes/fake_clock.ts";
import { silentLogger } from "../base/log.ts";
import { ServiceList } from "./services.ts";

const at = (namespace: string, name: string) => ({ namespace, name });
const spec = { clusterIP: "10.0.0.1", ports: [{ port: 443 }] };

Deno.test("ServiceList tells the services of a namespace and the first one", async () => {
  const cluster = new FakeReferred();
  cluster.put("Service", at("default", "kubernetes"), { spec });
  cluster.put("Service", at("default", "other"), { spec });
  let listed = 0;
  const list = new ServiceList({
    objects: cluster,
    log: silentLogger,
    listed: () => listed++,
  });
  assert.equal(list.of("prod"), undefined);
  const stop = new AbortController();
  const running = list.run(stop.signal);
  await settled();
  const names = (namespace: string) =>
    list.of(namespace)?.map(({ name }) => name).sort();
  assert.deepEqual(names("prod"), ["kubernetes"]);
  assert.deepEqual(names("default"), ["kubernetes", "other"]);
  cluster.put("Service", at("prod", "web"), {
    spec: {
      clusterIP: "10.0.0.2",
      ports: [{ name: "dns", port: 53, protocol: "UDP" }],
    },
  });
  await settled();
  assert.deepEqual(list.of("prod")?.[0], {
    namespace: "prod",
    name: "web",
    clusterIp: "10.0.0.2",
    ports: [{ name: "dns", port: 53, protocol: "UDP" }],
  });
  cluster.take("Service", at("prod", "web"));
  await settled();
  assert.deepEqual(names("prod"), ["kubernetes"]);
  assert.equal(listed, 1);
  stop.abort(new DOMException("Over", "AbortError"));
  await running;
});
