import assert from "node:assert/strict";
import { familyText, labelText } from "./exposition.ts";

Deno.test("labelText() escapes what would end a label", () => {
  assert.equal(
    labelText([["a", 'x"y\\z\n'], ["b", ""]]),
    'a="x\\"y\\\\z\\n",b=""',
  );
});

Deno.test("familyText() writes values of every kind", () => {
  const values = [1n << 63n, 0.5, Infinity, -Infinity, NaN];
  const series = values.map((value) => ({ labels: "", value }));
  assert.equal(
    familyText({ name: "a", help: "b", type: "gauge", series }),
    "# HELP a b\n# TYPE a gauge\n" +
      "a 9223372036854775808\na 0.5\na +Inf\na -Inf\na NaN\n",
  );
});

Deno.test("familyText() tells the millisecond, and nothing of nothing", () => {
  const series = [{ labels: 'x="y"', value: 1, atMs: 12.7 }];
  const family = { name: "a", help: "b", type: "counter" } as const;
  assert.match(familyText({ ...family, series }), /\na\{x="y"\} 1 12\n$/);
  assert.equal(familyText({ ...family, series: [] }), "");
});
