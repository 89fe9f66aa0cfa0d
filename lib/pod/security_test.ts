import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec, V1SecurityContext } from "../api/types.ts";
import {
  containerSecurity,
  nonRootViolation,
  podNamespaces,
  sandboxSecurity,
} from "./security.ts";

const NODE = { isSeccompDefault: false, seccompDir: "/seccomp" };
const ROOT = { uid: 0n, userName: "" };

function made(
  own: V1SecurityContext,
  spec: Partial<V1PodSpec> = {},
  image: { uid?: bigint; userName: string } = ROOT,
) {
  const container = aContainer({ securityContext: own });
  const pod = aPod({ spec, containers: [container] });
  return containerSecurity(pod, container, { image, ...NODE });
}

Deno.test("podNamespaces() shares with the host only what is asked for", () => {
  const table: [Partial<V1PodSpec>, string, string, string][] = [
    [{}, "pod", "container", "pod"],
    [{ hostNetwork: true }, "node", "container", "pod"],
    [{ hostPID: true }, "pod", "node", "pod"],
    [{ hostIPC: true }, "pod", "container", "node"],
    [{ shareProcessNamespace: true }, "pod", "pod", "pod"],
  ];
  for (const [spec, network, pid, ipc] of table) {
    assert.deepEqual(podNamespaces(aPod({ spec })), { network, pid, ipc });
  }
});

Deno.test("containerSecurity() prefers the container's word to the pod's", () => {
  const securityContext = {
    runAsUser: 1,
    runAsGroup: 2,
    seLinuxOptions: { level: "s0:c1" },
    seccompProfile: { type: "RuntimeDefault" },
  };
  const inherited = made({}, { securityContext });
  assert.equal(inherited.runAsUser, 1n);
  assert.equal(inherited.runAsGroup, 2n);
  assert.equal(inherited.selinux?.level, "s0:c1");
  assert.deepEqual(inherited.seccomp, { kind: "runtime-default" });
  const own = made({
    runAsUser: 0,
    runAsGroup: 4,
    seLinuxOptions: { level: "s0:c9" },
    seccompProfile: { type: "Unconfined" },
  }, { securityContext });
  assert.equal(own.runAsUser, 0n);
  assert.equal(own.runAsGroup, 4n);
  assert.equal(own.selinux?.level, "s0:c9");
  assert.deepEqual(own.seccomp, { kind: "unconfined" });
});

Deno.test("containerSecurity() takes the user from the image when nobody says", () => {
  assert.equal(made({}, {}, { uid: 65_532n, userName: "" }).runAsUser, 65_532n);
  const named = made({}, {}, { userName: "app" });
  assert.equal(named.runAsUserName, "app");
  assert.equal(named.runAsUser, undefined);
  const said = made({ runAsUser: 7 }, {}, { userName: "app" });
  assert.equal(said.runAsUser, 7n);
  assert.equal(said.runAsUserName, undefined);
});

Deno.test("containerSecurity() adds the file group to the supplemental ones", () => {
  const securityContext = {
    fsGroup: 5,
    supplementalGroups: [6, 7],
    supplementalGroupsPolicy: "Strict",
  };
  const { supplementalGroups, supplementalGroupsPolicy } = made({}, {
    securityContext,
  });
  assert.deepEqual(supplementalGroups, [5n, 6n, 7n]);
  assert.equal(supplementalGroupsPolicy, "strict");
});

Deno.test("containerSecurity() forbids new privileges only when told to", () => {
  assert.equal(made({}).hasNoNewPrivileges, false);
  assert.equal(
    made({ allowPrivilegeEscalation: true }).hasNoNewPrivileges,
    false,
  );
  assert.equal(
    made({ allowPrivilegeEscalation: false }).hasNoNewPrivileges,
    true,
  );
});

Deno.test("containerSecurity() hides parts of /proc unless unmasked", () => {
  assert.ok(made({}).maskedPaths.includes("/proc/kcore"));
  assert.ok(made({}).readonlyPaths.includes("/proc/sys"));
  const open = made({ procMount: "Unmasked" });
  assert.deepEqual([open.maskedPaths, open.readonlyPaths], [[], []]);
});

Deno.test("containerSecurity() finds local seccomp profiles below the node's folder", () => {
  const profile = { type: "Localhost", localhostProfile: "a/b.json" };
  assert.deepEqual(made({ seccompProfile: profile }).seccomp, {
    kind: "localhost",
    ref: "/seccomp/a/b.json",
  });
  const container = aContainer();
  const strict = containerSecurity(aPod(), container, {
    image: ROOT,
    ...NODE,
    isSeccompDefault: true,
  });
  assert.deepEqual(strict.seccomp, { kind: "runtime-default" });
  assert.deepEqual(made({}).seccomp, { kind: "unconfined" });
});

Deno.test("sandboxSecurity() is privileged if any container is", () => {
  const plain = aContainer();
  const privileged = aContainer({
    name: "p",
    securityContext: { privileged: true },
  });
  assert.equal(sandboxSecurity(aPod()).isPrivileged, false);
  const both = aPod({ containers: [plain, privileged] });
  assert.equal(sandboxSecurity(both).isPrivileged, true);
  assert.deepEqual(sandboxSecurity(both).seccomp, { kind: "runtime-default" });
});

Deno.test("nonRootViolation() lets nobody run as root against the pod's word", () => {
  const refused = /breaks non-root|will run as root|non-numeric user \(app\)/;
  const table: [
    V1SecurityContext,
    { uid?: bigint; userName: string },
    boolean,
  ][] = [
    [{}, ROOT, true],
    [{ runAsNonRoot: false }, ROOT, true],
    [{ runAsNonRoot: true }, ROOT, false],
    [{ runAsNonRoot: true }, { uid: 1n, userName: "" }, true],
    [{ runAsNonRoot: true }, { userName: "app" }, false],
    [{ runAsNonRoot: true, runAsUser: 1 }, { userName: "app" }, true],
    [{ runAsNonRoot: true, runAsUser: 0 }, { uid: 1n, userName: "" }, false],
  ];
  for (const [own, image, isAllowed] of table) {
    const container = aContainer({ securityContext: own });
    const why = nonRootViolation(aPod(), container, image);
    const name = JSON.stringify([own, image.userName, String(image.uid)]);
    if (isAllowed) assert.equal(why, undefined, name);
    else assert.match(why ?? "", refused, name);
  }
});

Deno.test("nonRootViolation() takes an image that names no user for root", () => {
  // Compat: kubelet 1.36 getImageUser: "If non of them is set, treat it as root".
  const container = aContainer({ securityContext: { runAsNonRoot: true } });
  assert.match(
    nonRootViolation(aPod(), container, { userName: "" }) ?? "",
    /image will run as root/,
  );
});

Deno.test("nonRootViolation() heeds the pod's wish, the container's own first", () => {
  const pod = aPod({ spec: { securityContext: { runAsNonRoot: true } } });
  assert.notEqual(nonRootViolation(pod, aContainer(), ROOT), undefined);
  const own = aContainer({ securityContext: { runAsNonRoot: false } });
  assert.equal(nonRootViolation(pod, own, ROOT), undefined);
});

Deno.test("nonRootViolation() names the pod as the kubelet does", () => {
  const container = aContainer({ securityContext: { runAsNonRoot: true } });
  assert.equal(
    nonRootViolation(aPod(), container, ROOT),
    "container has runAsNonRoot and image will run as root (pod: " +
      '"shop_prod(11111111-2222-3333-4444-555555555555)", container: web)',
  );
});
