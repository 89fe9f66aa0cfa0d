import assert from "node:assert/strict";
import {
  canonicalIp,
  isGlobalUnicast,
  isLinkLocal,
  isLoopback,
  isMulticast,
} from "./ip.ts";

Deno.test("canonicalIp() gives each address one spelling", () => {
  const cases: [string, string | undefined][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["010.000.002.001", "10.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::", "::"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["256.1.1.1", undefined],
    ["1.2.3", undefined],
    ["node-1", undefined],
    ["2001:db8::1::2", undefined],
    ["", undefined],
    ["a]:80/[b:", undefined],
  ];
  for (const [text, ip] of cases) assert.equal(canonicalIp(text), ip, text);
});

Deno.test("the kinds of addresses are Go's", () => {
  const kinds: [(ip: string) => boolean, string[], string[]][] = [
    [isLoopback, ["127.0.0.1", "127.9.9.9", "::1"], ["128.0.0.1", "::2"]],
    [isMulticast, ["224.0.0.1", "239.1.1.1", "ff02::1"], ["223.1.1.1", "ff::"]],
    [isLinkLocal, ["169.254.1.1", "fe80::1", "febf::1"], ["fec0::1"]],
    [
      isGlobalUnicast,
      ["10.0.0.1", "192.0.2.1", "fd00::1"],
      ["255.255.255.255", "::", "127.0.0.1", "fe80::1", "ff02::1"],
    ],
  ];
  for (const [is, yes, no] of kinds) {
    for (const ip of yes) assert.ok(is(ip), `${is.name} ${ip}`);
    for (const ip of no) assert.ok(!is(ip), `${is.name} ${ip}`);
  }
});
