import assert from "node:assert/strict";
import { httpGetOf, portOf } from "./http_get.ts";

const AROUND = { podIp: "10.0.0.7", userAgent: "kube-probe/1.36" };
const ports = [{ name: "web", containerPort: 8080 }];

const TARGETS: readonly [string | undefined, string][] = [
  [undefined, "/"],
  ["/healthz?full=1", "/healthz?full=1"],
  ["healthz", "/healthz"],
  ["/a b?x=1 2#f", "/a%20b?x=1 2"],
  ["/a%2Fb", "/a%2Fb"],
  ["/%zz?x", "/%25zz%3Fx"],
  ["http://evil.example/foo?x", "/foo?x"],
  ["//evil.example/foo", "/foo"],
  ["/ü", "/%C3%BC"],
  ["/a\r\nX: y", "/a%0D%0AX:%20y"],
];

for (const [path, target] of TARGETS) {
  Deno.test(`httpGetOf() asks ${JSON.stringify(path)} as Go does`, () => {
    const action = { port: 80, ...path === undefined ? {} : { path } };
    const found = httpGetOf(action, {}, AROUND);
    assert(found.kind === "understood");
    assert.equal(found.path, target);
  });
}

Deno.test("httpGetOf() goes to the pod unless a host is named", () => {
  const own = httpGetOf({ port: "web", scheme: "HTTPS" }, { ports }, AROUND);
  assert(own.kind === "understood");
  assert.deepEqual(
    [own.scheme, own.host, own.port],
    ["https", "10.0.0.7", 8080],
  );
  const other = httpGetOf({ port: 80, host: "db" }, { ports }, AROUND);
  assert(other.kind === "understood");
  assert.deepEqual([other.scheme, other.host], ["http", "db"]);
});

Deno.test("httpGetOf() adds the headers the kubelet adds", () => {
  const plain = httpGetOf({ port: 80 }, {}, AROUND);
  assert(plain.kind === "understood");
  assert.deepEqual(plain.headers, [
    ["User-Agent", "kube-probe/1.36"],
    ["Accept", "*/*"],
  ]);
  const httpHeaders = [
    { name: "x-zeta", value: "1" },
    { name: "accept", value: "" },
    { name: "user-agent", value: "me" },
    { name: "host", value: "inner" },
    { name: "A", value: "2" },
  ];
  const own = httpGetOf({ port: 80, httpHeaders }, {}, AROUND);
  assert(own.kind === "understood");
  assert.deepEqual(own.headers, [
    ["Host", "inner"],
    ["User-Agent", "me"],
    ["A", "2"],
    ["Accept", ""],
    ["X-Zeta", "1"],
  ]);
});

Deno.test("portOf() finds names in the container, and numbers in text", () => {
  const port = (wanted: number | string) => {
    const found = portOf(wanted, { ports });
    return found.kind === "understood" ? found.port : found.message;
  };
  assert.equal(port(81), 81);
  assert.equal(port("web"), 8080);
  assert.equal(port("82"), 82);
  assert.equal(port("no"), 'strconv.Atoi: parsing "no": invalid syntax');
  assert.equal(port(0), "invalid port number: 0");
  assert.equal(port("70000"), "invalid port number: 70000");
});
