import assert from "node:assert/strict";
import { aPod, SETTINGS } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { hostnameOf } from "./hostname.ts";

const of = (spec: Partial<V1PodSpec>, name = "shop") =>
  hostnameOf(SETTINGS, aPod({ name, spec }));

Deno.test("hostnameOf() follows the pod's fields", () => {
  const domain = "sub.prod.svc.cluster.local";
  const table: [Partial<V1PodSpec>, string, string, string][] = [
    [{}, "shop", "", "shop"],
    [{ hostname: "till" }, "till", "", "till"],
    [{ subdomain: "sub" }, "shop", domain, "shop"],
    [
      { subdomain: "sub", setHostnameAsFQDN: true },
      "shop",
      domain,
      `shop.${domain}`,
    ],
    [{ setHostnameAsFQDN: true }, "shop", "", "shop"],
    [{ hostNetwork: true }, "shop", "", ""],
    [{ hostnameOverride: "a.example" }, "a.example", "", "a.example"],
    [
      { hostnameOverride: "x", hostname: "till", subdomain: "sub" },
      "x",
      "",
      "x",
    ],
  ];
  for (const [spec, short, domain, kernel] of table) {
    assert.deepEqual(
      of(spec),
      { kind: "ok", short, domain, kernel },
      JSON.stringify(spec),
    );
  }
});

Deno.test("hostnameOf() cuts to what the kernel keeps", () => {
  const table: [string, string][] = [
    ["a".repeat(64), "a".repeat(63)],
    ["a".repeat(62) + "-bcd", "a".repeat(62)],
    ["a".repeat(61) + ".-bcd", "a".repeat(61)],
    ["a".repeat(63), "a".repeat(63)],
  ];
  for (const [name, short] of table) {
    assert.deepEqual(of({}, name), {
      kind: "ok",
      short,
      domain: "",
      kernel: short,
    });
  }
});

Deno.test("hostnameOf() refuses what is no name", () => {
  const table: [Partial<V1PodSpec>, RegExp][] = [
    [{ hostname: "a.b" }, /^pod Hostname "a\.b" is not a valid DNS label: /],
    [{ hostname: "A" }, /not a valid DNS label/],
    [{ subdomain: "-a" }, /^pod Subdomain "-a" is not a valid DNS label: /],
    [
      { hostnameOverride: "a_b" },
      /^pod HostnameOverride "a_b" is not a valid DNS subdomain: /,
    ],
    [
      { hostnameOverride: "a.".repeat(130) + "b" },
      /no more than 253 characters/,
    ],
  ];
  for (const [spec, words] of table) {
    const found = of(spec);
    assert.ok(found.kind === "refused", JSON.stringify(spec));
    assert.match(found.message, words);
  }
});

Deno.test("hostnameOf() bears a whole name of 64 characters", () => {
  const rest = ".sub.prod.svc.cluster.local";
  const spec = { subdomain: "sub", setHostnameAsFQDN: true };
  const fits = of(spec, "a".repeat(64 - rest.length));
  assert.ok(fits.kind === "ok");
  assert.equal(fits.kernel.length, 64);
  assert.equal(of(spec, "a".repeat(65 - rest.length)).kind, "refused");
});
