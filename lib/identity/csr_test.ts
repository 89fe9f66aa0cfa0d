import assert from "node:assert/strict";
import { clientWish, namesOf, requestName, servingWish } from "./csr.ts";
import {
  clockProblem,
  deniedDelayMs,
  lacks,
  renewAtMs,
  retryDelayMs,
} from "./rotate.ts";
import { kubeconfigText } from "./kubeconfig.ts";

const KEY = new TextEncoder().encode("a public key");
const ADDRESSES = [
  { type: "InternalIP", address: "10.0.0.2" },
  { type: "InternalIP", address: "2001:DB8:0:0::1" },
  { type: "Hostname", address: "node-a" },
  { type: "ExternalDNS", address: "a.example.com" },
  { type: "Hostname", address: "10.0.0.2" },
  { type: "InternalIP", address: "nonsense" },
];

Deno.test("clientWish() asks for what a node may have", () => {
  const wish = clientWish("node-a");
  assert.equal(wish.commonName, "system:node:node-a");
  assert.equal(wish.organization, "system:nodes");
  assert.equal(wish.signerName, "kubernetes.io/kube-apiserver-client-kubelet");
  assert.deepEqual(wish.usages, ["digital signature", "client auth"]);
});

Deno.test("namesOf() sorts addresses into names and IPs, each once", () => {
  assert.deepEqual(namesOf(ADDRESSES), {
    dnsNames: ["a.example.com", "node-a"],
    ips: ["10.0.0.2", "2001:db8::1"],
  });
});

Deno.test("servingWish() waits for an address", () => {
  const name = { type: "Hostname", address: "node-a" };
  assert.equal(servingWish("node-a", [name]), undefined);
  assert.equal(
    servingWish("node-a", ADDRESSES)?.signerName,
    "kubernetes.io/kubelet-serving",
  );
});

Deno.test("requestName() is the same for the same key and wish only", () => {
  const name = requestName(clientWish("node-a"), KEY);
  assert.match(name, /^node-csr-[\w-]{43}$/);
  assert.equal(requestName(clientWish("node-a"), KEY), name);
  assert.notEqual(requestName(clientWish("node-b"), KEY), name);
});

Deno.test("requestName() of a serving certificate is a valid object name", () => {
  const wish = servingWish("node-a", ADDRESSES);
  assert.ok(wish);
  assert.match(requestName(wish, KEY), /^csr-[0-9a-f]{20}$/);
});

Deno.test("renewAtMs() is between 70 and 90 % of the life", () => {
  const life = { notBeforeMs: 1000, notAfterMs: 2000 };
  assert.equal(renewAtMs(life, 0), 1700);
  assert.ok(renewAtMs(life, 0.999) < 1900);
});

Deno.test("retryDelayMs() doubles from 2 s to 32 s", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7].map((each) => retryDelayMs(each, 0));
  assert.deepEqual(delays, [2000, 4000, 8000, 16000, 32000, 32000, 32000]);
  assert.equal(deniedDelayMs(1, 0), 60_000);
  assert.equal(deniedDelayMs(9, 0), 900_000);
});

Deno.test("lacks() names the addresses that are missing", () => {
  const wish = servingWish("node-a", ADDRESSES);
  assert.ok(wish);
  const facts = {
    commonName: wish.commonName,
    organizations: [wish.organization],
    issuer: "",
    subject: "",
    dnsNames: wish.dnsNames,
    ips: ["10.0.0.2"],
    notBeforeMs: 0,
    notAfterMs: 1,
  };
  assert.equal(lacks(facts, wish), "it does not name 2001:db8::1");
  assert.equal(lacks({ ...facts, ips: wish.ips }, wish), undefined);
});

Deno.test("clockProblem() says by how much the clock is wrong", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const yearMs = 365 * 24 * 3_600_000;
  const known = { serverMs: nowMs + yearMs, notBeforeMs: undefined };
  assert.match(clockProblem(nowMs, known) ?? "", /365 d behind the API server/);
  const near = { serverMs: nowMs + 60_000, notBeforeMs: nowMs };
  assert.equal(clockProblem(nowMs, near), undefined);
  const future = { serverMs: undefined, notBeforeMs: nowMs + yearMs };
  assert.match(clockProblem(nowMs, future) ?? "", /begins at 2027-01-01/);
});

Deno.test("kubeconfigText() has the names that installers look for", () => {
  const text = kubeconfigText({
    server: "https://10.0.0.1:6443",
    ca: { kind: "data", text: "PEM" },
    tlsServerName: "*odd",
    proxyUrl: undefined,
    isInsecure: false,
    clientPair: undefined,
  }, "/var/lib/kubelet/pki/kubelet-client-current.pem");
  assert.match(text, /certificate-authority-data: UEVN\n/);
  assert.match(text, /server: https:\/\/10\.0\.0\.1:6443\n/);
  assert.match(text, /tls-server-name: "\*odd"\n/);
  assert.match(text, /- name: default-auth\n/);
  const path = "/var/lib/kubelet/pki/kubelet-client-current.pem";
  assert.ok(text.includes(`client-certificate: ${path}\n`));
  assert.ok(text.includes(`client-key: ${path}\n`));
});
