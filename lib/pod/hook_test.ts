import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { type Hook, hookOf } from "./hook.ts";

const OWNER = {
  pod: { namespace: "prod", name: "shop", uid: podUid("u1") },
  container: "web",
  ports: [{ name: "admin", containerPort: 8081 }],
  podIp: "10.0.0.5",
};
const WHERE = 'for Container "web" in Pod "shop_prod(u1)"';

Deno.test("hookOf() is a command, or a time to sleep, with its words", () => {
  assert.deepEqual(hookOf({ exec: { command: ["sh", "-c", "x"] } }, OWNER), {
    kind: "exec",
    command: ["sh", "-c", "x"],
    title: `Exec lifecycle hook ([sh -c x]) ${WHERE}`,
  });
  for (const seconds of [0, 7]) {
    assert.deepEqual(hookOf({ sleep: { seconds } }, OWNER), {
      kind: "sleep",
      seconds,
      title: `Sleep lifecycle hook (${seconds}) ${WHERE}`,
    });
  }
});

Deno.test("hookOf() asks the pod itself unless a host is named", () => {
  const found = hookOf({ httpGet: { path: "/up", port: "admin" } }, OWNER);
  assert.deepEqual(found, {
    kind: "http-get",
    scheme: "http",
    host: "10.0.0.5",
    port: 8081,
    path: "/up",
    headers: [["User-Agent", "kube-lifecycle/1.36"], ["Accept", "*/*"]],
    title: `HTTP lifecycle hook (/up) ${WHERE}`,
  });
  const named = hookOf({
    httpGet: {
      host: "example.org",
      port: 80,
      scheme: "HTTPS",
      httpHeaders: [{ name: "user-agent", value: "mine" }],
    },
  }, { ...OWNER, podIp: undefined });
  assert.ok(named.kind === "http-get");
  assert.deepEqual(
    [named.scheme, named.host, named.path, named.headers[0]],
    ["https", "example.org", "/", ["User-Agent", "mine"]],
  );
});

Deno.test("hookOf() says in the kubelet's words what cannot be run", () => {
  const words = (hook: Hook) => hook.kind === "impossible" ? hook.message : "";
  assert.equal(
    words(hookOf({ tcpSocket: { port: 8080 } }, OWNER)),
    "Cannot run handler: invalid handler: &LifecycleHandler{Exec:nil," +
      "HTTPGet:nil,TCPSocket:&TCPSocketAction{Port:{0 8080 },Host:,}," +
      "Sleep:nil,}",
  );
  assert.match(
    words(hookOf({ tcpSocket: { port: "web", host: "h" } }, OWNER)),
    /Port:\{1 0 web\},Host:h,\}/,
  );
  assert.equal(
    words(hookOf({ httpGet: { path: "/", port: "no" } }, OWNER)),
    `HTTP lifecycle hook (/) ${WHERE} failed - error: ` +
      'strconv.Atoi: parsing "no": invalid syntax',
  );
  assert.match(
    words(hookOf({ httpGet: { port: 80 } }, { ...OWNER, podIp: undefined })),
    /failed to find networking container$/,
  );
});
