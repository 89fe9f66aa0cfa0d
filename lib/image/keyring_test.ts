import assert from "node:assert/strict";
import { hashOf, type Login } from "./credential.ts";
import { parseDockerConfig } from "./docker_config.ts";
import { Keyring, matches } from "./keyring.ts";

const NODE = { kind: "node" } as const;

function login(username: string): Login {
  return { username, password: "p", email: "" };
}

/** Users of the credentials for `image`, from these registries. */
function users(registries: readonly string[], image: string) {
  const keyring = new Keyring();
  keyring.add(NODE, registries.map((each) => [each, login(each)] as const));
  return keyring.lookup(image).map(({ login: { username } }) => username);
}

Deno.test("matches() compares host parts, port and path", () => {
  const cases: [string, string, boolean][] = [
    ["kubernetes.io", "kubernetes.io", true],
    ["prefix.kubernetes.io", "kubernetes.io", false],
    ["*.kubernetes.io", "prefix.kubernetes.io", true],
    ["*.kubernetes.io", "kubernetes.io", false],
    ["*.kubernetes.io", "a.b.kubernetes.io", false],
    ["*-good.kubernetes.io", "prefix-good.kubernetes.io", true],
    ["*-good.kubernetes.io", "prefix.kubernetes.io", false],
    ["kubernetes.*", "kubernetes.io", true],
    ["*.*.io", "a.b.io", true],
    ["a*c.io", "abc.io", true],
    ["a*b*c.io", "aXbYc.io", true],
    ["a*b*b.io", "ab.io", false],
    ["a*a.io", "a.io", false],
    ["kubernetes.io:5000", "kubernetes.io:5000", true],
    ["kubernetes.io:5000", "kubernetes.io", false],
    ["kubernetes.io", "kubernetes.io:5000", false],
    ["*.kubernetes.io:5000", "a.kubernetes.io:5000/x", true],
    ["kubernetes.io/foo", "kubernetes.io/foo/bar", true],
    ["kubernetes.io/foo", "kubernetes.io/foobar", true],
    ["kubernetes.io/foo", "kubernetes.io/bar", false],
    ["kubernetes.io/", "kubernetes.io", false],
    ["a[bc].io", "ab.io", false],
    ["a b.io", "a b.io", false],
    ["x:port", "x:port", false],
  ];
  for (const [pattern, image, expected] of cases) {
    assert.equal(matches(pattern, image), expected, `${pattern} ${image}`);
  }
});

Deno.test("matches() takes no longer for hostile patterns", () => {
  const pattern = `${"*a".repeat(20_000)}*b.io`;
  assert.equal(matches(pattern, `${"a".repeat(250)}.io`), false);
});

Deno.test("Keyring.lookup() gives the most specific first", () => {
  const cases: [readonly string[], string, readonly string[]][] = [
    [["quay.io", "quay.io/coreos"], "quay.io/coreos/etcd", [
      "quay.io/coreos",
      "quay.io",
    ]],
    [["https://quay.io/v1/", "http://quay.io/v2/"], "quay.io/a", [
      "https://quay.io/v1/",
      "http://quay.io/v2/",
    ]],
    [["https://quay.io/v2/a"], "quay.io/a/b", ["https://quay.io/v2/a"]],
    [["user@quay.io"], "quay.io/a", ["user@quay.io"]],
    [["quay.io"], "docker.io/library/a", []],
    [["https://index.docker.io/v1/"], "docker.io/library/a", [
      "https://index.docker.io/v1/",
    ]],
    [["index.docker.io", "docker.io"], "docker.io/library/a", ["docker.io"]],
    [["index.docker.io"], "other.io/a", []],
    [["index.docker.io/x"], "docker.io/library/a", []],
    [["%zz/%zz", "quay.io"], "quay.io/a", ["quay.io"]],
  ];
  for (const [registries, image, expected] of cases) {
    assert.deepEqual(users(registries, image), expected, image);
  }
});

Deno.test("Keyring.lookup() finds any registry by its own name, in any order", () => {
  const parts = ["a", "b-c", "r1", "example", "io", "xn--p1ai"];
  let seed = 7;
  const next = (bound: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % bound;
  };
  const text = () => parts[next(parts.length)] ?? "";
  for (let round = 0; round < 300; round++) {
    const host = [text(), text(), text()].join(".");
    const port = next(2) === 0 ? "" : `:${1 + next(65535)}`;
    const path = next(2) === 0 ? "" : `/${text()}/${text()}`;
    const registry = host + port + path;
    const starred = host.replace(/^[^.]+/, "*") + port + path;
    const image = `${host}${port}${path === "" ? "/x" : path}/app`;
    const others = ["z.invalid", "index.docker.io"];
    assert.deepEqual(users([registry, ...others], image), [registry]);
    assert.deepEqual(users([...others, registry], image), [registry]);
    assert.deepEqual(users([starred, registry], image), [registry, starred]);
    assert.deepEqual(users([`x.${registry}`], image), []);
  }
});

Deno.test("hashOf() is the kubelet's", () => {
  // Made with Go's encoding/json and crypto/sha256.
  const cases: [Login, string][] = [
    [
      { username: "user", password: 'p<&>\u2028"\b\f\x01', email: "" },
      "797528211f340259f17787c2b8b66f59803c3c565986b21a78c0f55978c4e8a9",
    ],
    [
      { username: "u", password: "p", email: "e" },
      "2f4f03e762821dfdb66ecda497a8f7c477946b7cdc3e28bf1da2e9da1054c40d",
    ],
  ];
  for (const [each, hash] of cases) assert.equal(hashOf(each), hash);
});

Deno.test("parseDockerConfig() reads both forms", () => {
  const auth = btoa("user:pass:word");
  const cases: [string, "config-json" | "dockercfg", unknown][] = [
    [`{"auths":{"r":{"auth":"${auth}"}}}`, "config-json", [["r", {
      username: "user",
      password: "pass:word",
      email: "",
    }]]],
    [`{"r":{"username":"u","password":"p","email":"e"}}`, "dockercfg", [["r", {
      username: "u",
      password: "p",
      email: "e",
    }]]],
    [
      `{"r":{"Username":"u","password":"p","auth":"${
        auth.replaceAll("=", "")
      }"}}`,
      "dockercfg",
      [["r", { username: "user", password: "pass:word", email: "" }]],
    ],
    [`{"auths":null,"credsStore":"x"}`, "config-json", []],
    [`{"auths":{"__proto__":{"username":"u"}}}`, "config-json", [[
      "__proto__",
      { username: "u", password: "", email: "" },
    ]]],
    [`{}`, "config-json", []],
  ];
  for (const [text, format, logins] of cases) {
    assert.deepEqual(parseDockerConfig(text, format), { kind: "ok", logins });
  }
});

Deno.test("parseDockerConfig() tells nothing of what it cannot read", () => {
  const secret = "planted";
  const texts = [
    secret,
    `{"auths":{"r":{"auth":"${secret}"`,
    `{"auths":"${secret}"}`,
    `{"auths":{"r":"${secret}"}}`,
    `{"auths":{"r":{"password":["${secret}"]}}}`,
    `{"auths":{"r":{"auth":"${secret}-"}}}`,
    `{"auths":{"r":{"auth":"${btoa(secret)}"}}}`,
    `{"auths":{"r":{"auth":"${btoa(secret)}==="}}}`,
    `["${secret}"]`,
    "null",
    "",
  ];
  for (const text of texts) {
    const parsed = parseDockerConfig(text, "config-json");
    assert.equal(parsed.kind, "invalid", text);
    assert.ok(!JSON.stringify(parsed).includes(secret), text);
    assert.ok(!JSON.stringify(parsed).includes(btoa(secret)), text);
  }
});
