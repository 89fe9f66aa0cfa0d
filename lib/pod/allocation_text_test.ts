import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { allocationsText, parseAllocations } from "./allocation_text.ts";

/** Compat: kubelet 1.36 state_checkpoint_test.go. */
const OF_THE_KUBELET = '{"data":"{\\"entries\\":{\\"pod1\\":{\\"' +
  'ContainerResources\\":{\\"container1\\":{\\"requests\\":{\\"cpu\\":\\"1Ki' +
  '\\",\\"memory\\":\\"1Ki\\"}}}}}}","checksum":1178570812}';

Deno.test("parseAllocations() reads what a kubelet wrote", () => {
  const found = parseAllocations(OF_THE_KUBELET);
  assert.ok(found.kind === "ok");
  assert.deepEqual(
    [...found.entries].map(([uid, { containers, pod }]) => [
      uid,
      [...containers],
      pod,
    ]),
    [["pod1", [[
      "container1",
      { requests: { cpu: "1Ki", memory: "1Ki" } },
    ]], undefined]],
  );
});

Deno.test("parseAllocations() reads back what allocationsText() wrote", () => {
  const entries = new Map([
    [podUid("b"), {
      containers: new Map([["z", { limits: { cpu: "1" } }], ["a", {}]]),
      pod: { requests: { memory: "1Gi", cpu: "2" } },
    }],
    [podUid("a"), { containers: new Map() }],
  ]);
  const text = allocationsText(entries);
  const found = parseAllocations(text);
  assert.ok(found.kind === "ok");
  assert.deepEqual(
    [...found.entries].toSorted(([one], [other]) => one < other ? 1 : -1),
    [...entries],
  );
  assert.match(text, /^\{"data":"\{\\"entries\\":\{\\"a\\":\{\\"Container/);
  // In the order of Go, so that the checksum is that of a kubelet, too.
  assert.ok(text.indexOf('\\"a\\":{}') < text.indexOf('\\"z\\"'));
  assert.ok(text.indexOf('\\"cpu\\":\\"2\\"') < text.indexOf("1Gi"));
});

Deno.test("parseAllocations() says what is wrong with a file", () => {
  const message = (text: string) => {
    const found = parseAllocations(text);
    return found.kind === "broken" ? found.message : "fine";
  };
  assert.match(message("{"), /JSON/);
  assert.equal(message("[]"), "data must be a text");
  assert.equal(
    message(OF_THE_KUBELET.replace("1178570812", "7")),
    "checksum must be 1178570812, not 7",
  );
  const cut = allocationsText(new Map()).replace("entries", "entrieS");
  assert.match(message(cut), /^checksum must be/);
});
