import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { refuseSysctls } from "./sysctl.ts";

const ALLOWED = [
  "net.ipv4.tcp_syncookies",
  "kernel.shm_rmid_forced",
  "net/ipv4/conf/*",
  "kernel.msg*",
];
const RULES = { unsafe: ALLOWED, kernelVersion: "6.12.0" };

Deno.test("refuseSysctls() allows what is listed, in its own namespace", () => {
  const table: [string, Partial<V1PodSpec>, string | undefined][] = [
    ["net.ipv4.tcp_syncookies", {}, undefined],
    ["net/ipv4/tcp_syncookies", {}, undefined],
    ["net.ipv4.conf.all.forwarding", {}, undefined],
    ["net/ipv4/conf/eth0.1/forwarding", {}, undefined],
    ["kernel.msgmax", {}, undefined],
    ["net.ipv4.tcp_wmem", {}, undefined],
    ["net.core.somaxconn", {}, '"net.core.somaxconn" not allowlisted'],
    ["vm/swappiness", {}, '"vm.swappiness" not allowlisted'],
    ["a/eth0.1", {}, '"a.eth0/1" not allowlisted'],
    [
      "net.ipv4.tcp_syncookies",
      { hostNetwork: true },
      '"net.ipv4.tcp_syncookies" not allowed with host Net enabled',
    ],
    ["net.ipv4.tcp_syncookies", { hostIPC: true }, undefined],
    [
      "kernel.msgmax",
      { hostIPC: true },
      '"kernel.msgmax" not allowed with host IPC enabled',
    ],
    ["kernel.shm_rmid_forced", { hostNetwork: true }, undefined],
  ];
  for (const [name, spec, complaint] of table) {
    const securityContext = { sysctls: [{ name, value: "1" }] };
    const found = refuseSysctls(
      aPod({ spec: { ...spec, securityContext } }),
      RULES,
    );
    const expected = complaint && {
      reason: "SysctlForbidden",
      message: `forbidden sysctl: ${complaint}`,
    };
    assert.deepEqual(found, expected, name);
  }
  assert.equal(refuseSysctls(aPod(), RULES), undefined);
});

Deno.test("refuseSysctls() knows since when a parameter is a pod's own", () => {
  const table: [string, string, boolean][] = [
    ["net.ipv4.tcp_rmem", "4.14.0", false],
    ["net.ipv4.tcp_rmem", "4.15.0-generic", true],
    ["net.ipv4.tcp_fin_timeout", "4.5.9", false],
    ["net.ipv4.tcp_fin_timeout", "10.0", true],
    ["net.ipv4.ip_local_reserved_ports", "3.15", false],
    ["net.ipv4.tcp_syncookies", "2.6.32", true],
    ["net.ipv4.tcp_keepalive_time", "unknown", false],
  ];
  for (const [name, kernelVersion, isSafe] of table) {
    const securityContext = { sysctls: [{ name, value: "1" }] };
    const found = refuseSysctls(aPod({ spec: { securityContext } }), {
      unsafe: [],
      kernelVersion,
    });
    assert.equal(found === undefined, isSafe, `${name} on ${kernelVersion}`);
  }
});

Deno.test("refuseSysctls() refuses what is no name or no value (S36)", () => {
  const values = [
    "1024 65000+kernel.core_pattern=|/evil",
    "1\n2",
    "1\u0000",
    "é",
  ];
  const names = ["net.ipv4.conf.A", "net.ipv4.conf.", "net.ipv4.conf.a+b"];
  const sysctls = [
    ...values.map((value) => ({ name: "net.ipv4.conf.all.x", value })),
    ...names.map((name) => ({ name, value: "1" })),
  ];
  for (const sysctl of sysctls) {
    const securityContext = { sysctls: [sysctl] };
    const pod = aPod({ spec: { securityContext } });
    assert.equal(
      refuseSysctls(pod, RULES)?.reason,
      "SysctlForbidden",
      JSON.stringify(sysctl),
    );
  }
  const fine = { name: "net.ipv4.conf.all.x", value: "1024 65000" };
  const pod = aPod({ spec: { securityContext: { sysctls: [fine] } } });
  assert.equal(refuseSysctls(pod, RULES), undefined);
});
