import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1Container, V1PodSpec } from "../api/types.ts";
import {
  appArmorProfile,
  profileFault,
  refuseAppArmor,
  seccompProfile,
} from "./security_profile.ts";

const PREFIX = "container.apparmor.security.beta.kubernetes.io/";
const NODE = { isSeccompDefault: false, seccompDir: "/seccomp" };

interface Wish {
  readonly own?: V1Container["securityContext"];
  readonly pods?: V1PodSpec["securityContext"];
  readonly annotation?: string;
}

function of({ own = {}, pods = {}, annotation }: Wish) {
  const container = aContainer({ securityContext: own });
  const pod = aPod({
    containers: [container],
    spec: { securityContext: pods },
    annotations: {
      [`${PREFIX}other`]: "unconfined",
      ...annotation === undefined ? {} : { [`${PREFIX}web`]: annotation },
    },
  });
  return { pod, container };
}

Deno.test("seccompProfile() prefers the container's word, then the node's", () => {
  const local = { type: "Localhost", localhostProfile: "a/b.json" };
  const table: [Wish, boolean, unknown][] = [
    [{}, false, { kind: "unconfined" }],
    [{}, true, { kind: "runtime-default" }],
    [{ pods: { seccompProfile: local } }, true, {
      kind: "localhost",
      ref: "/seccomp/a/b.json",
    }],
    [
      {
        own: { seccompProfile: { type: "Unconfined" } },
        pods: { seccompProfile: local },
      },
      true,
      { kind: "unconfined" },
    ],
  ];
  for (const [wish, isSeccompDefault, expected] of table) {
    const { pod, container } = of(wish);
    const found = seccompProfile(pod, container, { ...NODE, isSeccompDefault });
    assert.deepEqual(found, expected, JSON.stringify(wish));
  }
});

Deno.test("profileFault() lets no seccomp profile out of its folder (S15)", () => {
  const table: [string | undefined, RegExp | undefined][] = [
    ["a.json", undefined],
    ["deep/a..json", undefined],
    [undefined, /^localhostProfile must be set if seccompProfile type is Loc/],
    ["", /^localhostProfile must be set/],
    ["../a.json", /must be a relative path without/],
    ["a/../../b", /must be a relative path without/],
    ["/etc/a.json", /must be a relative path without/],
    ["a\0.json", /must be a relative path without/],
  ];
  for (const [localhostProfile, words] of table) {
    const seccompProfile = {
      type: "Localhost",
      ...localhostProfile === undefined ? {} : { localhostProfile },
    };
    const { pod, container } = of({ own: { seccompProfile } });
    const fault = profileFault(pod, container);
    if (words === undefined) {
      assert.equal(fault, undefined, String(localhostProfile));
    } else assert.match(fault ?? "", words, String(localhostProfile));
  }
});

Deno.test("appArmorProfile() looks at field, annotation and pod in this order", () => {
  const local = { type: "Localhost", localhostProfile: "test" };
  const asDefault = { type: "RuntimeDefault" };
  const free = { type: "Unconfined" };
  const table: [Wish, unknown][] = [
    [{}, undefined],
    [{ pods: { appArmorProfile: asDefault } }, { kind: "runtime-default" }],
    [{ own: { appArmorProfile: free } }, { kind: "unconfined" }],
    [{ annotation: "localhost/test" }, { kind: "localhost", ref: "test" }],
    [{ annotation: "invalid" }, undefined],
    [
      { annotation: "invalid", pods: { appArmorProfile: asDefault } },
      { kind: "runtime-default" },
    ],
    [
      { annotation: "unconfined", own: { appArmorProfile: asDefault } },
      { kind: "runtime-default" },
    ],
    [
      { annotation: "unconfined", pods: { appArmorProfile: asDefault } },
      { kind: "unconfined" },
    ],
    [
      {
        annotation: "runtime/default",
        own: { appArmorProfile: local },
        pods: { appArmorProfile: free },
      },
      { kind: "localhost", ref: "test" },
    ],
  ];
  for (const [wish, expected] of table) {
    const { pod, container } = of(wish);
    assert.deepEqual(
      appArmorProfile(pod, container),
      expected,
      JSON.stringify(wish),
    );
  }
});

Deno.test("profileFault() takes no odd name for an AppArmor profile (S16)", () => {
  const names: [string | undefined, boolean][] = [
    ["k8s-nginx", true],
    ["/usr/bin/x//y", true],
    [undefined, false],
    ["", false],
    [" ", false],
    ["a\nb", false],
    ["a\0", false],
    [" a", false],
  ];
  for (const [localhostProfile, isFine] of names) {
    const appArmorProfile = {
      type: "Localhost",
      ...localhostProfile === undefined ? {} : { localhostProfile },
    };
    const { pod, container } = of({ own: { appArmorProfile } });
    assert.equal(
      profileFault(pod, container) === undefined,
      isFine,
      JSON.stringify(localhostProfile),
    );
  }
});

Deno.test("refuseAppArmor() refuses confinement that cannot be had", () => {
  const table: [Wish, boolean, string | undefined][] = [
    [{}, false, undefined],
    [{ own: { appArmorProfile: { type: "Unconfined" } } }, false, undefined],
    [
      { own: { appArmorProfile: { type: "RuntimeDefault" } } },
      false,
      "AppArmor is not enabled on the host",
    ],
    [
      { annotation: "runtime/default" },
      false,
      "AppArmor is not enabled on the host",
    ],
    [{ annotation: "runtime/default" }, true, undefined],
    [
      { annotation: "localhost/" },
      true,
      'invalid empty AppArmor profile name: ""',
    ],
  ];
  for (const [wish, hasAppArmor, why] of table) {
    const found = refuseAppArmor(of(wish).pod, { hasAppArmor });
    const expected = why && {
      reason: "AppArmor",
      message: `Cannot enforce AppArmor: ${why}`,
    };
    assert.deepEqual(found, expected, JSON.stringify(wish));
  }
});
