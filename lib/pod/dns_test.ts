import assert from "node:assert/strict";
import { aPod, SETTINGS } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { dnsWarnings, parseResolvConf, podDns, resolverFault } from "./dns.ts";

const of = (spec: Partial<V1PodSpec>, settings = SETTINGS) =>
  podDns(settings, aPod({ spec }));

const CLUSTER = {
  servers: ["10.96.0.10"],
  searches: [
    "prod.svc.cluster.local",
    "svc.cluster.local",
    "cluster.local",
    "example.org",
  ],
  options: ["ndots:5"],
};

Deno.test("podDns() follows the pod's policy", () => {
  const host = SETTINGS.hostDns;
  const none = { servers: [], searches: [], options: [] };
  const table: [Partial<V1PodSpec>, unknown][] = [
    [{}, CLUSTER],
    [{ dnsPolicy: "ClusterFirst" }, CLUSTER],
    [{ dnsPolicy: "ClusterFirst", hostNetwork: true }, host],
    [{ dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, CLUSTER],
    [{ dnsPolicy: "Default" }, host],
    [{ dnsPolicy: "None" }, none],
  ];
  for (const [spec, expected] of table) {
    assert.deepEqual(of(spec), expected, JSON.stringify(spec));
  }
  assert.deepEqual(of({}, { ...SETTINGS, clusterDns: [] }), host);
  assert.deepEqual(
    of({}, { ...SETTINGS, clusterDomain: "" }).searches,
    ["example.org"],
  );
});

Deno.test("podDns() adds the pod's own settings, each once, options by name", () => {
  const made = of({
    dnsConfig: {
      nameservers: ["10.96.0.10", "192.0.2.9"],
      searches: ["cluster.local", "own.example"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    },
  });
  assert.deepEqual(made, {
    servers: ["10.96.0.10", "192.0.2.9"],
    searches: [...CLUSTER.searches, "own.example"],
    options: ["ndots:2", "edns0"],
  });
});

Deno.test("podDns() writes an option with an empty value by its name alone", () => {
  // Compat: kubelet 1.36 mergeDNSOptions.
  const made = of({
    dnsPolicy: "None",
    dnsConfig: { options: [{ name: "rotate", value: "" }] },
  });
  assert.deepEqual(made.options, ["rotate"]);
});

Deno.test("podDns() keeps within what resolvers bear", () => {
  const names = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `${i}`.padStart(length, "a"));
  const cut = (searches: string[], nameservers: string[] = []) =>
    of({ dnsPolicy: "None", dnsConfig: { searches, nameservers } });
  assert.equal(cut([], ["1", "2", "3", "4"]).servers.length, 3);
  assert.equal(cut(names(40, 3)).searches.length, 32);
  assert.deepEqual(cut(["x".repeat(254), "y".repeat(253)]).searches, [
    "y".repeat(253),
  ]);
  // 20 × 101 + 19 spaces would be 2039; 21 would be 2141 characters.
  assert.equal(cut(names(25, 101)).searches.length, 20);
});

Deno.test("parseResolvConf() reads what the kubelet reads", () => {
  const text = [
    "# nameserver 9.9.9.9",
    "  nameserver 192.0.2.1 ignored",
    "nameserver 192.0.2.2",
    "nameserver",
    "domain ignored.example",
    "search first.example",
    "search a.example. . b.example",
    "options ndots:1 timeout:2",
    "options ndots:3",
    "",
  ].join("\n");
  assert.deepEqual(parseResolvConf(text), {
    servers: ["192.0.2.1", "192.0.2.2"],
    searches: ["a.example", "b.example"],
    options: ["ndots:3", "timeout:2"],
  });
});

Deno.test("podDns() asks the node itself where the host has no resolvers", () => {
  const settings = {
    ...SETTINGS,
    resolvConf: "",
    hostDns: parseResolvConf(""),
  };
  const node = { servers: ["127.0.0.1"], searches: ["."], options: [] };
  assert.deepEqual(of({ dnsPolicy: "Default" }, settings), node);
  assert.deepEqual(of({ hostNetwork: true }, settings), node);
  assert.deepEqual(of({}, { ...settings, clusterDns: [] }), node);
  assert.deepEqual(of({ dnsPolicy: "None" }, settings).servers, []);
  assert.deepEqual(of({}, settings).servers, ["10.96.0.10"]);
});

Deno.test("dnsWarnings() says what was cut and what is missing", () => {
  const said = (spec: Partial<V1PodSpec>, settings = SETTINGS) =>
    dnsWarnings(settings, aPod({ spec }));
  assert.deepEqual(said({}), []);
  const none: Partial<V1PodSpec> = { dnsPolicy: "None" };
  const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  assert.deepEqual(said({ ...none, dnsConfig: { nameservers } }), [{
    reason: "DNSConfigForming",
    message:
      "Nameserver limits were exceeded, some nameservers have been omitted, " +
      "the applied nameserver line is: 192.0.2.1 192.0.2.2 192.0.2.3",
  }]);
  const searches = ["a.example", "x".repeat(254)];
  assert.deepEqual(said({ ...none, dnsConfig: { searches } }), [{
    reason: "DNSConfigForming",
    message:
      "Search Line limits were exceeded, some search paths have been omitted, " +
      "the applied search line is: a.example",
  }]);
  const missing = said({}, { ...SETTINGS, clusterDns: [] });
  const ofNode = "kubelet does not have ClusterDNS IP configured and cannot " +
    'create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
  assert.deepEqual(missing, [{
    reason: "MissingClusterDNS",
    message: 'pod: "shop_prod(11111111-2222-3333-4444-555555555555)". ' +
      ofNode,
    ofNode,
  }]);
  const host = { ...SETTINGS, clusterDns: [] };
  assert.deepEqual(said({ dnsPolicy: "Default" }, host), []);
  assert.deepEqual(said({ hostNetwork: true }, host), []);
});

Deno.test("resolverFault() keeps room for the cluster's own searches", () => {
  const of = (searches: readonly string[], domain = "cluster.local") =>
    resolverFault("/r", { servers: [], searches, options: [] }, domain);
  const many = (count: number) => Array(count).fill("a.example");
  assert.equal(of(many(29)), undefined);
  assert.equal(of(many(32), ""), undefined);
  assert.equal(
    of(many(30)),
    "Resolv.conf file '/r' contains search line consisting of more than 29 " +
      "domains!",
  );
  assert.equal(
    of(["x".repeat(254)]),
    'Resolv.conf file "/r" contains a search path which length is more than ' +
      "allowed 253 chars!",
  );
  assert.equal(
    of(Array(9).fill("x".repeat(250))),
    "Resolv.conf file '/r' contains search line which length is more than " +
      "allowed 2048 chars!",
  );
});
