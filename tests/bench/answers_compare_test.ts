import assert from "node:assert/strict";
import {
  EXCEPTIONS,
  familiesIn,
  missingFamilies,
  missingMembers,
  unexpected,
} from "./answers_compare.ts";

const THEIRS = familiesIn([
  "# TYPE a counter",
  'a{x="1",y="2"} 3 4',
  "# TYPE b histogram",
  'b_bucket{x="}",le="1"} 3',
  'b_sum{x=""} 3',
  "# TYPE go_x gauge",
  "go_x 1",
].join("\n"));

Deno.test("missingFamilies() finds names, types and labels that are not there", () => {
  const all = (text: string) =>
    missingFamilies("/metrics", familiesIn(text), THEIRS)
      .map(({ what }) => what);
  assert.deepEqual(all(""), ["metric a", "metric b", "metric go_x"]);
  assert.deepEqual(
    all(
      '# TYPE a gauge\na 1\n# TYPE b histogram\nb_count{y="1"} 1\n' +
        "# TYPE go_x gauge\ngo_x 2\n",
    ),
    ["a is counter, not gauge", "labels of b: x"],
  );
});

Deno.test("missingMembers() goes into lists and tells kinds apart", () => {
  const theirs = { a: [{ b: 1 }, { c: null }], metadata: { x: "y" } };
  const ours = { a: [{ b: "1" }], metadata: { x: "z" } };
  assert.deepEqual(
    missingMembers("/pods", ours, theirs).map(({ what }) => what),
    [".a[].b: number", ".a[].c: null"],
  );
});

Deno.test("unexpected() lets through what is left out knowingly, on its own page", () => {
  const what = "metric go_x";
  assert.deepEqual(unexpected([{ path: "/metrics", what }]), []);
  assert.equal(unexpected([{ path: "/metrics/slis", what }]).length, 1);
  for (const { reason } of EXCEPTIONS) assert.notEqual(reason, "");
});
