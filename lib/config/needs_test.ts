import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { setFields } from "./load.ts";
import { load } from "./load_fixture.ts";
import { ENV_NAMES, type Need, needsOf, type ServerAccess } from "./needs.ts";
import { needsText, permissionSet, refusal } from "./needs_text.ts";
import { permissionsWish } from "./permissions_wish.ts";

const BOOTSTRAP: ServerAccess = {
  flag: "--bootstrap-kubeconfig",
  server: "https://10.0.0.1:6443",
  proxyUrl: undefined,
  program: undefined,
  files: ["/etc/kubernetes/pki/ca.crt"],
};

function needs(
  words: readonly string[],
  more: Partial<Omit<Parameters<typeof needsOf>[0], "config" | "setFields">> & {
    readonly file?: string;
  } = {},
): readonly Need[] {
  const { file = "", ...own } = more;
  const { config, settings } = load([...words], { file });
  return needsOf({
    ...{ servers: [], plugins: [], podRanges: [], libraries: ["/lib/c"] },
    ...own,
    config,
    setFields: setFields(settings),
  });
}

function values(all: readonly Need[], kind: Need["kind"]): string[] {
  return all.filter((need) => need.kind === kind).map(({ value }) => value);
}

const KUBEADM = [
  "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
  "--kubeconfig=/etc/kubernetes/kubelet.conf",
];

Deno.test("needsOf() of a kubeadm node is within the set node", () => {
  const all = needs(KUBEADM, {
    servers: [BOOTSTRAP],
    file: "staticPodPath: /etc/kubernetes/manifests\n" +
      "authentication: {x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}}\n",
  });
  const { node } = deno.permissions;
  const isBelow = (places: readonly string[], path: string) =>
    places.some((place) => path === place || path.startsWith(`${place}/`));
  const outside = all.filter(({ kind, value }) =>
    (kind === "read" || kind === "write") && !isBelow(node[kind], value)
  );
  assert.deepEqual(outside, []);
  assert.ok(values(all, "write").includes("/etc/kubernetes/kubelet.conf"));
  assert.ok(values(all, "net").includes("10.0.0.1:6443"));
});

Deno.test("needsOf() of a node alone is within the set standalone", () => {
  const all = needs(["--pod-manifest-path=/etc/kubernetes/manifests"], {
    file: "authentication: {webhook: {enabled: false}}\n" +
      "authorization: {mode: AlwaysAllow}\npodCIDR: 10.0.0.0/8\n",
  });
  const { standalone } = deno.permissions;
  const set = permissionSet(all);
  assert.ok(Array.isArray(set.net));
  const known = set.net.filter((each) => !each.startsWith("127.0.0.1"));
  assert.deepEqual(
    known.filter((each) => !standalone.net.includes(each)),
    [],
  );
  assert.equal(set.run, false);
});

Deno.test("needsOf() names who wants what", () => {
  const rows: [string[], string, Need["kind"], string, string][] = [
    [["--root-dir=/mnt/x"], "", "write", "/mnt/x", "--root-dir"],
    [["--cert-dir=/mnt/pki"], "", "write", "/mnt/pki", "--cert-dir"],
    [
      [],
      "staticPodURL: http://10.9.9.9/pods",
      "net",
      "10.9.9.9:80",
      "staticPodURL",
    ],
    [[], "resolvConf: /x/resolv.conf", "read", "/x/resolv.conf", "resolvConf"],
    [[], "podLogsDir: /x/pods", "write", "/x/pods", "podLogsDir"],
    [[], "healthzPort: 1234", "net", "127.0.0.1:1234", "healthzPort"],
    [[], "address: '::'", "net", "[::]:10250", "port"],
    [
      [],
      "containerRuntimeEndpoint: unix:///run/crio/crio.sock",
      "net",
      "unix:/run/crio/crio.sock",
      "containerRuntimeEndpoint",
    ],
    [
      [],
      "imageServiceEndpoint: unix:///run/soci.sock",
      "write",
      "/run/soci.sock",
      "imageServiceEndpoint",
    ],
  ];
  for (const [words, file, kind, value, wantedBy] of rows) {
    const found = needs(words, { file }).find((need) =>
      need.kind === kind && need.value === value
    );
    assert.equal(found?.wantedBy, wantedBy, `${words} ${file}`);
  }
});

Deno.test("needsOf() lets the journal be read where queries of logs are", () => {
  assert.deepEqual(values(needs([]), "run"), []);
  const file = "enableSystemLogQuery: true";
  assert.deepEqual(values(needs([], { file }), "run"), ["journalctl"]);
});

Deno.test("needsOf() has iptables run for who asks for its chains", () => {
  assert.deepEqual(values(needs([]), "run"), [], "true by default");
  const rows: [file: string, programs: string[]][] = [
    ["makeIPTablesUtilChains: true", ["ip6tables", "iptables"]],
    ["makeIPTablesUtilChains: false", []],
  ];
  for (const [file, programs] of rows) {
    assert.deepEqual(values(needs([], { file }), "run"), programs, file);
  }
  const flag = "--make-iptables-util-chains";
  const found = needs([flag]).filter(({ kind }) => kind === "run");
  assert.ok(found.every(({ isOptional }) => isOptional === true));
  assert.equal(found.length, 2);
});

Deno.test("needsOf() has the programs run that local block devices take", () => {
  const { wish } = permissionsWish(["--filesystems=ext4,xfs"]);
  const found = needs([], { filesystems: wish.filesystems });
  const programs = ["blkid", "fsck", "mkfs.ext4", "mkfs.xfs"];
  assert.deepEqual(values(found, "run"), programs);
});

Deno.test("needsOf() takes what a kubeconfig names: proxy, program, files", () => {
  const all = needs(["--kubeconfig=/k"], {
    servers: [{
      ...BOOTSTRAP,
      flag: "--kubeconfig",
      server: "https://api.example.org",
      proxyUrl: "http://proxy:3128",
      program: "/usr/bin/aws",
    }],
    plugins: ["/opt/ecr"],
  });
  assert.deepEqual(values(all, "run"), ["/opt/ecr", "/usr/bin/aws"]);
  assert.ok(values(all, "net").includes("api.example.org:443"));
  assert.ok(values(all, "net").includes("proxy:3128"));
  const program = all.find(({ value }) => value === "/usr/bin/aws");
  assert.equal(program?.isOptional, undefined, "there is no other identity");
  assert.ok(!values(all, "write").includes("/k"), "nobody writes it");
});

Deno.test("needsOf() knows pods by their ranges, or leaves the net open", () => {
  const wide = permissionSet(needs([])).net;
  assert.deepEqual(wide, { allow: true, deny: ["169.254.169.254"] });
  const sixth = permissionSet(needs([], { podRanges: ["fd00::/8"] })).net;
  assert.ok("allow" in sixth, "no range of IPv6 can be granted");
  const known = permissionSet(needs([], { podRanges: ["10.1.0.0/16"] })).net;
  assert.ok(Array.isArray(known) && known.includes("10.1.0.0/16"));
});

Deno.test("needsText() prints flags, a set and a unit", () => {
  const all = needs(KUBEADM, {
    servers: [BOOTSTRAP],
    podRanges: ["10.1.0.0/16"],
  });
  const flags = needsText(all, "flags", []);
  assert.match(flags, /^--no-prompt\n--allow-read=/);
  assert.doesNotMatch(flags, /--allow-(run|all)|-A|--allow-net$/m);
  const set = JSON.parse(needsText(all, "set", []));
  assert.deepEqual(
    Object.keys(set).toSorted(),
    Object.keys(deno.permissions.node).toSorted(),
  );
  const argv = ["permissions", "--format=unit", ...KUBEADM, "--v=a%b $c"];
  const unit = needsText(all, "unit", argv);
  assert.match(unit, /^ExecStart=\/usr\/bin\/denolet \\\n {2}--bootstrap/m);
  assert.ok(unit.includes(`  "--v=a%%b $$c"\n`), unit);
  assert.match(unit, /^IPAddressAllow=localhost .*10\.0\.0\.1.*10\.1\.0\.0/m);
  assert.doesNotMatch(
    unit,
    /^(ProtectSystem|PrivateTmp|ReadWritePaths|BindPaths|ProtectHome)/m,
    "mounts must reach the host",
  );
});

Deno.test("refusal() names each missing grant and who wants it", () => {
  const wantedBy = "--root-dir";
  const text = refusal([{ kind: "write", value: "/mnt/x", wantedBy }]);
  assert.match(text, /--allow-write=\/mnt\/x {2}wanted by --root-dir/);
  assert.match(text, /denolet permissions --format=set/);
});

Deno.test("permissionsWish() refuses what is no format and no range", () => {
  const rows: [string[], RegExp][] = [
    [["--format=x"], /^--format: value "x" is not allowed: flags, set, unit$/],
    [["--format"], /^--format: value "" is not allowed/],
    [["--image-dir=a/b"], /^--image-dir: value "a\/b" is not allowed/],
    [["--filesystems=/x"], /^--filesystems: value "\/x" is not allowed/],
    [["--filesystems=ext4,"], /^--filesystems: value "" is not allowed/],
    [["--pod-cidr=10.0.0.1"], /^--pod-cidr: value "10.0.0.1" is not allowed/],
    [["--pod-cidr=10.0.0.0/8,", "-v"], /^--pod-cidr: value "" is not allowed/],
  ];
  for (const [words, expected] of rows) {
    assert.match(permissionsWish(words).problem ?? "", expected);
  }
  assert.deepEqual(permissionsWish(["--pod-cidr", "10.0.0.0/8", "-v=2"]), {
    problem: undefined,
    rest: ["-v=2"],
    wish: {
      format: "flags",
      podRanges: ["10.0.0.0/8"],
      imageDir: undefined,
      filesystems: [],
    },
  });
});

Deno.test("the sets of deno.json differ in places only", () => {
  const { node, standalone, scratch } = deno.permissions;
  for (const set of [node, standalone, scratch]) {
    assert.deepEqual([...set.env], [...ENV_NAMES]);
    assert.deepEqual(set.ffi, node.ffi);
    assert.deepEqual(set.sys, node.sys);
    assert.equal(set.run, false);
    assert.equal(set.import, false);
    assert.ok(!JSON.stringify(set.read).includes('"/"'));
  }
});
