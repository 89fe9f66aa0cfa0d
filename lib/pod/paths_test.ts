import { podNameOf } from "../api/pod.ts";
import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS } from "../../tests/build.ts";
import { cgroupParent, logLink, podDirectories } from "./paths.ts";

const UID = "11111111-2222-3333-4444-555555555555";
const ESCAPED = "11111111_2222_3333_4444_555555555555";

const burstable = aPod({
  containers: [aContainer({ resources: { requests: { cpu: "1" } } })],
});
const limits = { cpu: "1", memory: "1Gi" };
const guaranteed = aPod({
  containers: [aContainer({ resources: { limits } })],
});

Deno.test("cgroupParent() names slices as CgroupName.ToSystemd does", () => {
  const of = (pod = aPod(), settings = SETTINGS) => cgroupParent(settings, pod);
  assert.equal(
    of(),
    "/kubepods.slice/kubepods-besteffort.slice/" +
      `kubepods-besteffort-pod${ESCAPED}.slice`,
  );
  assert.equal(
    of(burstable),
    "/kubepods.slice/kubepods-burstable.slice/" +
      `kubepods-burstable-pod${ESCAPED}.slice`,
  );
  assert.equal(
    of(guaranteed),
    `/kubepods.slice/kubepods-pod${ESCAPED}.slice`,
  );
  assert.equal(
    of(guaranteed, { ...SETTINGS, cgroupRoot: "/my-root/sub" }),
    "/my_root.slice/my_root-sub.slice/my_root-sub-kubepods.slice/" +
      `my_root-sub-kubepods-pod${ESCAPED}.slice`,
  );
});

Deno.test("cgroupParent() names directories plainly with cgroupfs", () => {
  const settings = { ...SETTINGS, cgroupDriver: "cgroupfs" } as const;
  assert.equal(
    cgroupParent(settings, burstable),
    `/kubepods/burstable/pod${UID}`,
  );
  assert.equal(cgroupParent(settings, guaranteed), `/kubepods/pod${UID}`);
});

Deno.test("cgroupParent() is empty when the agent keeps no cgroups", () => {
  const settings = { ...SETTINGS, usesQosCgroups: false };
  assert.equal(cgroupParent(settings, aPod()), "");
});

Deno.test("logLink() cuts names to what a file system bears", () => {
  const id = "c".repeat(64);
  assert.equal(logLink("/l/shop_prod_web-", "abc"), "/l/shop_prod_web-abc.log");
  const exact = `/l/${"p".repeat(255 - 64 - 4)}`;
  assert.equal(logLink(exact, id), `${exact}${id}.log`);
  const cut = logLink(`${exact}p`, id);
  assert.equal(cut, `${exact}p${id.slice(1)}.log`);
  assert.equal(cut.length - "/l/".length, 255);
});

Deno.test("podDirectories() lists parents before children", () => {
  const paths = podDirectories(SETTINGS, podNameOf(aPod()))
    .map(({ path, mode }) => `${path} ${mode.toString(8)}`);
  assert.deepEqual(paths, [
    `/var/lib/kubelet/pods/${UID} 750`,
    `/var/lib/kubelet/pods/${UID}/volumes 750`,
    `/var/lib/kubelet/pods/${UID}/plugins 750`,
    `/var/log/pods/prod_shop_${UID} 755`,
  ]);
});
