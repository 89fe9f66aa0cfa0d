import assert from "node:assert/strict";
import {
  architectureOf,
  defaultRoutes4,
  defaultRoutes6,
  hugePageSize,
  prettyName,
} from "./machine_text.ts";

Deno.test("prettyName() is the name for people", () => {
  const cases = [
    [
      'ID=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
      "Debian GNU/Linux 12 (bookworm)",
    ],
    ["PRETTY_NAME=Plain\n", "Plain"],
    ["NAME=x\n", "Linux"],
  ] as const;
  for (const [text, name] of cases) assert.equal(prettyName(text), name);
});

Deno.test("architectureOf() is Kubernetes' word", () => {
  assert.equal(architectureOf("x86_64"), "amd64");
  assert.equal(architectureOf("aarch64"), "arm64");
  assert.equal(architectureOf("riscv64"), "riscv64");
});

Deno.test("hugePageSize() reads the names of directories", () => {
  assert.equal(hugePageSize("hugepages-2048kB"), 2n * 1024n * 1024n);
  assert.equal(hugePageSize("other"), undefined);
});

Deno.test("defaultRoutes4() skips routes that are down or lead somewhere", () => {
  const route = (name: string, to: string, flags: string, mask: string) =>
    [name, to, "010200C0", flags, 0, 0, 0, mask, 0, 0, 0].join("\t");
  const text = [
    "Iface Destination",
    route("eth1", "000200C0", "0001", "00FFFFFF"),
    route("eth2", "00000000", "0002", "00000000"),
    route("eth0", "00000000", "0003", "00000000"),
    "",
  ].join("\n");
  assert.deepEqual(defaultRoutes4(text), [
    { family: "IPv4", interfaceName: "eth0" },
  ]);
  assert.deepEqual(defaultRoutes4("garbage"), []);
});

Deno.test("defaultRoutes6() skips the kernel's own refusal", () => {
  const none = "0".repeat(32);
  const gateway = `fe80${"0".repeat(27)}1`;
  const route = (via: string, name: string) =>
    `${none} 00 ${none} 00 ${via} 00000400 00000001 00000000 00000003 ${name}`;
  const text = `${route(gateway, "    eth0")}\n${route(none, "      lo")}\n`;
  assert.deepEqual(defaultRoutes6(text), [
    { family: "IPv6", interfaceName: "eth0" },
  ]);
  assert.deepEqual(defaultRoutes6(""), []);
});
