import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { hugePageBytes } from "./huge_pages.ts";

function asked(medium: string, ...requests: Record<string, string>[]) {
  const containers = requests.map((each) =>
    aContainer({ resources: { requests: each } })
  );
  const result = hugePageBytes(aPod({ containers }), medium);
  return result.kind === "ok" ? result.bytes : result.message;
}

Deno.test("hugePageBytes() takes the one size that is requested", () => {
  const small = { "hugepages-2Mi": "4Mi" };
  const large = { "hugepages-1Gi": "1Gi" };
  const none = (medium: string) =>
    `medium ${medium}: hugePages storage requested, but there is no resource ` +
    "request for huge pages";
  assert.equal(asked("HugePages", small, small), 2n << 20n);
  assert.equal(asked("HugePages-1Gi", small, large), 1n << 30n);
  assert.equal(asked("HugePages-2Mi", large), none("HugePages-2Mi"));
  assert.equal(asked("HugePages", { cpu: "1" }), none("HugePages"));
  assert.equal(
    asked("HugePages", small, large),
    "medium: HugePages can't be used if container requests multiple huge " +
      "page sizes",
  );
  assert.equal(asked("Floppy", small), 'unknown storage medium "Floppy"');
  assert.equal(
    asked("HugePages-x", small),
    'unknown storage medium "HugePages-x"',
  );
});
