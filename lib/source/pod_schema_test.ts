import assert from "node:assert/strict";
import { POD_SCHEMA } from "./pod_schema.ts";

const SIMPLE = ["any", "bool", "int32", "int64", "intOrString", "quantity"];

Deno.test("POD_SCHEMA knows every type it names", () => {
  for (const [type, fields] of POD_SCHEMA) {
    assert.ok(fields.size > 0, type);
    for (const [field, name] of fields) {
      const inner = name.replace(/^(\[\]|\{\})/, "");
      const isKnown = inner === "string" || SIMPLE.includes(inner) ||
        POD_SCHEMA.has(inner);
      assert.ok(isKnown, `${type}.${field}: ${name}`);
    }
  }
});

Deno.test("POD_SCHEMA has no field with a meaning to the language", () => {
  for (const [type, fields] of POD_SCHEMA) {
    for (const field of fields.keys()) {
      assert.equal(field in {}, false, `${type}.${field}`);
    }
  }
});
