import assert from "node:assert/strict";
import { parseCredentialProviders } from "./credential_providers.ts";

const GOOD = {
  name: "ecr-credential-provider",
  matchImages: ["*.dkr.ecr.*.amazonaws.com", "public.ecr.aws"],
  defaultCacheDuration: "12h",
  apiVersion: "credentialprovider.kubelet.k8s.io/v1",
};
const TOKEN = {
  serviceAccountTokenAudience: "reg",
  cacheType: "Token",
  requireServiceAccount: true,
};

function text(providers: unknown, version = "v1"): string {
  return JSON.stringify({
    apiVersion: `kubelet.config.k8s.io/${version}`,
    kind: "CredentialProviderConfig",
    providers,
  });
}

function parse(...texts: readonly string[]) {
  const files = texts.map((text, n) => ({ path: `/c/${n}.yaml`, text }));
  return parseCredentialProviders(files, { allowsTokens: true });
}

Deno.test("parseCredentialProviders() reads what installers write", () => {
  const yaml = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: CredentialProviderConfig
providers:
  - name: gcp
    apiVersion: credentialprovider.kubelet.k8s.io/v1beta1
    matchImages: [gcr.io, "*.gcr.io", r.io:8080/path]
    defaultCacheDuration: 1m
    args: [get-credentials, --v=3]
    env:
      - name: A
        value: b
`;
  const parsed = parse(text([GOOD], "v1alpha1"), yaml);
  assert.equal(parsed.kind, "ok");
  if (parsed.kind !== "ok") return;
  const [ecr, gcp] = parsed.providers;
  assert.deepEqual(ecr, {
    name: GOOD.name,
    matchImages: GOOD.matchImages,
    defaultCacheMs: 12 * 3_600_000,
    apiVersion: GOOD.apiVersion,
    args: [],
    env: new Map(),
    token: undefined,
  });
  assert.deepEqual(gcp?.args, ["get-credentials", "--v=3"]);
  assert.deepEqual(gcp?.env, new Map([["A", "b"]]));
});

Deno.test("parseCredentialProviders() reads token attributes", () => {
  const keys = {
    requiredServiceAccountAnnotationKeys: ["example.org/role"],
    optionalServiceAccountAnnotationKeys: ["Other"],
  };
  const providers = [{ ...GOOD, tokenAttributes: { ...TOKEN, ...keys } }];
  const parsed = parse(text(providers));
  assert.deepEqual(parsed.kind === "ok" && parsed.providers[0]?.token, {
    audience: "reg",
    cacheType: "Token",
    isAccountRequired: true,
    requiredAnnotations: ["example.org/role"],
    optionalAnnotations: ["Other"],
  });
  const refused = parseCredentialProviders(
    [{ path: "/c", text: text(providers) }],
    { allowsTokens: false },
  );
  assert.match(
    refused.kind === "invalid" ? refused.message : "",
    /tokenAttributes: needs the feature gate Kubelet/,
  );
});

Deno.test("parseCredentialProviders() names the field that is wrong", () => {
  const token = (own: object) => ({
    tokenAttributes: { ...TOKEN, ...own },
  });
  const cases: [object, RegExp][] = [
    [{ name: "" }, /\[0\]\.name: /],
    [{ name: "a/b" }, /\[0\]\.name: "a\/b"/],
    [{ name: "a b" }, /\.name: /],
    [{ name: ".." }, /\.name: /],
    [{ name: 5 }, /\.name: must be text/],
    [{ apiVersion: "" }, /\.apiVersion: must be one of/],
    [{ apiVersion: "v1" }, /\.apiVersion: must be one of/],
    [{ matchImages: [] }, /\.matchImages: at least one/],
    [{ matchImages: ["a b"] }, /\.matchImages: "a b"/],
    [{ matchImages: "a" }, /\.matchImages: must be a list/],
    [{ defaultCacheDuration: undefined }, /\.defaultCacheDuration: is req/],
    [{ defaultCacheDuration: "-1s" }, /\.defaultCacheDuration: must not/],
    [{ defaultCacheDuration: "soon" }, /\.defaultCacheDuration: must be a du/],
    [{ env: [{ name: "A", valu: "b" }] }, /\.env: must be a list of maps/],
    [{ arg: [] }, /\.arg: unknown field/],
    [token({ serviceAccountTokenAudience: "" }), /Audience: is required/],
    [token({ requireServiceAccount: undefined }), /ServiceAccount: is requ/],
    [token({ cacheType: "" }), /\.cacheType: must be one of/],
    [token({ cacheType: "Pod" }), /\.cacheType: must be one of/],
    [token({ requiredServiceAccountAnnotationKeys: ["a/"] }), /no name of/],
    [
      token({
        requireServiceAccount: false,
        requiredServiceAccountAnnotationKeys: ["a"],
      }),
      /needs requireServiceAccount: true/,
    ],
    [
      token({
        requiredServiceAccountAnnotationKeys: ["a"],
        optionalServiceAccountAnnotationKeys: ["a"],
      }),
      /named twice/,
    ],
    [
      {
        ...token({}),
        apiVersion: "credentialprovider.kubelet.k8s.io/v1beta1",
      },
      /tokenAttributes: needs apiVersion/,
    ],
  ];
  for (const [own, words] of cases) {
    const parsed = parse(text([{ ...GOOD, ...own }]));
    assert.equal(parsed.kind, "invalid", JSON.stringify(own));
    if (parsed.kind !== "invalid") continue;
    assert.match(parsed.message, /^\/c\/0\.yaml:1:\d+: providers\[0\]/);
    assert.match(parsed.message, words);
  }
});

Deno.test("parseCredentialProviders() refuses whole files that are none", () => {
  const cases: [readonly string[], RegExp][] = [
    [[text([])], /providers: at least one/],
    [[text(undefined)], /providers: at least one/],
    [[text({})], /providers: must be a list/],
    [[text([GOOD]), text([GOOD])], /^\/c\/1\.yaml.*twice/],
    [[text([GOOD], "v2")], /apiVersion: must be kubelet.config.k8s.io\/v1 or/],
    [["kind: Pod\napiVersion: kubelet.config.k8s.io/v1"], /kind: must be Cred/],
    [["{"], /^\/c\/0\.yaml/],
    [[""], /the file is empty/],
    [[text([GOOD]).replace("providers", "provider")], /provider: unknown f/],
  ];
  for (const [texts, words] of cases) {
    const parsed = parse(...texts);
    assert.match(parsed.kind === "invalid" ? parsed.message : "ok", words);
  }
});
