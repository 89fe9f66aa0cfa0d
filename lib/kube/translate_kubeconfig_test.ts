import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { parseKubeconfig } from "./translate_kubeconfig.ts";

function config(cluster: object, user: object): string {
  return JSON.stringify({
    clusters: [{
      name: "c",
      cluster: { server: "https://a:6443/", ...cluster },
    }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}

Deno.test("parseKubeconfig() resolves paths beside the file", () => {
  const text = config({ "certificate-authority": "ca.crt" }, {
    "client-certificate": "/pki/a.pem",
    "client-key": "keys/a.key",
    tokenFile: "token",
  });
  const access = parseKubeconfig(text, "/etc/kube/conf");
  assert.equal(access.server, "https://a:6443");
  assert.deepEqual(access.ca, { kind: "file", path: "/etc/kube/ca.crt" });
  assert.deepEqual(access.certificate, { kind: "file", path: "/pki/a.pem" });
  assert.deepEqual(access.key, { kind: "file", path: "/etc/kube/keys/a.key" });
  assert.equal(access.tokenPath, "/etc/kube/token");
});

Deno.test("parseKubeconfig() takes data before a file", () => {
  const text = config({
    "certificate-authority-data": btoa("PEM"),
    "certificate-authority": "ca.crt",
  }, {});
  const { ca } = parseKubeconfig(text, "/conf");
  assert.deepEqual(ca, { kind: "data", text: "PEM" });
});

Deno.test("parseKubeconfig() never reads a file on its own", () => {
  const text = config({}, { "token-file": "/etc/shadow", token: "t" });
  assert.equal(parseKubeconfig(text, "/conf").token, "t");
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ["an empty file", "", /\/conf: it is empty/],
  ["no YAML", "a: [", /\/conf: /],
  ["a list", "[]", /it is no map/],
  ["no context", "{}", /no current-context/],
  ["a missing context", "current-context: x", /there is no context "x"/],
  ["an odd server", config({ server: "ftp://a" }, {}), /is not a URL/],
  ["an auth-provider", config({}, { "auth-provider": {} }), /use exec/],
  [
    "a plugin that wants a terminal",
    config({}, {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "login",
        interactiveMode: "Always",
      },
    }),
    /exec of login wants a terminal/,
  ],
  [
    "a plugin of another version",
    config({}, { exec: { command: "a", apiVersion: "v0" } }),
    /supported are client.authentication.k8s.io\/v1/,
  ],
  [
    "data that is no base64",
    config({ "certificate-authority-data": "%" }, {}),
    /not base64/,
  ],
];

for (const [name, text, words] of REFUSED) {
  Deno.test(`parseKubeconfig() refuses ${name} in one line`, () => {
    assert.throws(() => parseKubeconfig(text, "/conf"), (error) => {
      assert.ok(error instanceof AgentError);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /\n/);
      return error.next === "give-up";
    });
  });
}
