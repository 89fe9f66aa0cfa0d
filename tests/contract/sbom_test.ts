/** The list of parts is that of the lock file, with what vouches for each. */
import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { documentOf, partOf, partsOf } from "../../deploy/sbom.ts";

const LOCK = new URL("../../deno.lock", import.meta.url);

Deno.test("the SBOM has every package that deno.json imports, with its hash", async () => {
  const parts = await partsOf();
  const lock = JSON.parse(await Deno.readTextFile(LOCK));
  for (const wanted of Object.values(deno.imports)) {
    const [, name = "", version = ""] = /^npm:(.+)@(.+)$/.exec(wanted) ?? [];
    const found = parts.find((part) =>
      part.name === name && part.version === version
    );
    assert.ok(found !== undefined, wanted);
    const [, base64 = ""] = lock.npm[`${name}@${version}`].integrity.split("-");
    const content = Uint8Array.fromBase64(base64).toHex();
    assert.deepEqual(found.hashes, [{ alg: "SHA-512", content }], wanted);
  }
  const bare = parts.filter(({ hashes }) => hashes === undefined);
  assert.deepEqual(bare.map(({ name }) => name), [], "each is vouched for");
  const purls = parts.map(({ purl }) => purl);
  assert.equal(new Set(purls).size, purls.length);
  const text = JSON.stringify(documentOf(parts));
  assert.equal(text, JSON.stringify(documentOf(await partsOf())));
  assert.doesNotMatch(text, /"\/|localPath/, "no path of the build host");
});

Deno.test("partOf() escapes the scope of a name, and leaves out what is not known", () => {
  assert.deepEqual(
    partOf("@a/b", "1.0.0", {
      ...{ integrity: undefined, licence: undefined },
    }),
    {
      type: "library",
      "bom-ref": "pkg:npm/%40a/b@1.0.0",
      name: "@a/b",
      version: "1.0.0",
      purl: "pkg:npm/%40a/b@1.0.0",
    },
  );
});
