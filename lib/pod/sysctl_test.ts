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
      ALLOWED,
    );
    const expected = complaint && {
      reason: "SysctlForbidden",
      message: `forbidden sysctl: ${complaint}`,
    };
    assert.deepEqual(found, expected, name);
  }
  assert.equal(refuseSysctls(aPod(), []), undefined);
});
