import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { allocatedPod, allocationOf, resizable } from "./allocation.ts";

const ALL = { mayResizePods: true, mayResizeInit: true };
const NONE = { mayResizePods: false, mayResizeInit: false };

function pod(cpu: string, whole?: string) {
  const resources = { requests: { cpu }, limits: { cpu, "a.b/c": "1" } };
  return aPod({
    containers: [aContainer({ name: "web", resources })],
    spec: {
      initContainers: [
        aContainer({ name: "first", resources }),
        aContainer({ name: "side", restartPolicy: "Always", resources }),
      ],
      ...whole === undefined ? {} : { resources: { limits: { cpu: whole } } },
    },
  });
}

Deno.test("allocatedPod() gives back what was given, whatever is asked", () => {
  const given = allocationOf(pod("100m", "1"), ALL);
  assert.deepEqual(allocatedPod(pod("2", "3"), given, ALL), pod("100m", "1"));
  assert.deepEqual(allocatedPod(pod("2"), given, ALL), pod("100m", "1"));
  const none = allocationOf(pod("100m"), ALL);
  assert.deepEqual(allocatedPod(pod("2", "3"), none, ALL), pod("100m"));
});

Deno.test("allocatedPod() is the same pod where nothing else is asked for", () => {
  const wish = pod("1", "1");
  const given = allocationOf(pod("1000m", "1000m"), ALL);
  assert.equal(allocatedPod(wish, given, ALL), wish);
  assert.equal(allocatedPod(wish, undefined, ALL), wish);
  const bare = aPod();
  const empty = allocationOf(
    aPod({ containers: [aContainer({ resources: { requests: {} } })] }),
    ALL,
  );
  assert.equal(allocatedPod(bare, empty, ALL), bare);
});

Deno.test("resizable() leaves out what the gates leave out", () => {
  const names = (gates: typeof ALL) =>
    resizable(pod("1"), gates).map(({ name }) => name);
  assert.deepEqual(names(ALL), ["first", "side", "web"]);
  assert.deepEqual(names(NONE), ["side", "web"]);
  const given = allocationOf(pod("1", "1"), NONE);
  assert.equal(given.pod, undefined);
  // What cannot be resized is as it is asked for.
  const now = allocatedPod(pod("2", "3"), given, NONE);
  assert.deepEqual(now.spec?.resources, { limits: { cpu: "3" } });
  const [first, side] = now.spec?.initContainers ?? [];
  assert.equal(first?.resources?.requests?.["cpu"], "2");
  assert.equal(side?.resources?.requests?.["cpu"], "1");
});
