import assert from "node:assert/strict";
import {
  isCidr,
  isCleanAbsolutePath,
  isCpuSet,
  isDnsSubdomain,
  isIp,
  isLabelValue,
  isQualifiedName,
  percentage,
  quantitySign,
  resolvePath,
} from "./text_rules.ts";

const CASES: readonly (readonly [
  (text: string) => boolean,
  yes: readonly string[],
  no: readonly string[],
])[] = [
  [
    isIp,
    [
      "0.0.0.0",
      "10.0.0.255",
      "010.1.1.1",
      "::",
      "::1",
      "fd00::1:2",
      "1:2:3:4:5:6:7:8",
      "::ffff:1.2.3.4",
    ],
    [
      "",
      "1.2.3",
      "1.2.3.256",
      "a",
      "1:2",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7:8:9",
      "::1.2.3",
      "host",
      "10.0.0.1:80",
    ],
  ],
  [isCidr, ["10.0.0.0/8", "fd00::/64"], [
    "10.0.0.0",
    "10.0.0.0/33",
    "x/8",
    "fd00::/129",
    "1.2.3.4/8/8",
  ]],
  [isDnsSubdomain, ["a", "node-1", "ip-10-0-0-1.ec2.internal", "1.2"], [
    "",
    "A",
    "-a",
    "a-",
    "a..b",
    "a_b",
    "a".repeat(254),
  ]],
  [isLabelValue, ["", "a", "A_b.c-1"], ["-a", "a-", "a b", "a".repeat(64)]],
  [isQualifiedName, ["a", "example.com/a", "A.b"], [
    "",
    "/a",
    "a/",
    "a/b/c",
    "Ex/a",
    "-a",
  ]],
  [isCpuSet, ["0", "0-3,7", "1-1"], ["a", "3-1", "1,", "1-2-3"]],
  [isCleanAbsolutePath, ["/", "/var/log/pods"], [
    "",
    "a",
    "./a",
    "/a/",
    "/a//b",
    "/a/../b",
    "/a/.",
  ]],
];

Deno.test("text rules tell good from bad", () => {
  for (const [rule, yes, no] of CASES) {
    for (const text of yes) {
      assert.equal(rule(text), true, `${rule.name} ${text}`);
    }
    for (const text of no) {
      assert.equal(rule(text), false, `${rule.name} ${text}`);
    }
  }
});

Deno.test("quantitySign() knows quantities and their sign", () => {
  for (
    const text of ["1", "10Mi", "50M", "500m", "1.5Gi", "1e3", "+1", ".5k"]
  ) {
    assert.equal(quantitySign(text), 1, text);
  }
  for (const text of ["0", "0Mi", "-0"]) assert.equal(quantitySign(text), 0);
  assert.equal(quantitySign("-1Gi"), -1);
  for (const text of ["", "Mi", "10mi", "1 Gi", "10%", "abc"]) {
    assert.equal(quantitySign(text), undefined, text);
  }
});

Deno.test("percentage() reads a number before a percent sign", () => {
  assert.equal(percentage("7.5%"), 7.5);
  assert.equal(percentage("-1%"), -1);
  assert.equal(percentage("7"), undefined);
  assert.equal(percentage("%"), undefined);
});

Deno.test("resolvePath() counts relative paths from the directory", () => {
  assert.equal(resolvePath("/etc/node/", "pods"), "/etc/node/pods");
  assert.equal(resolvePath("/etc/node/", "../ca.crt"), "/etc/ca.crt");
  assert.equal(resolvePath("/etc/node/", "/x/../y"), "/x/../y");
});
