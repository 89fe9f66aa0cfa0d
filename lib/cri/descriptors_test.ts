/**
 * Our .proto texts say on the wire exactly what the published ones say. Two
 * checks: against the Go module itself, when `go` can fetch it, and against
 * the list of facts derived from it (`tests/contract/cri_facts.json`), always.
 * To regenerate the list after a new release of the CRI, change MODULE and run
 * `DENOLET_UPDATE=1 deno test -A lib/cri/descriptors_test.ts`.
 */
import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { type Facts, factsOf } from "../../tests/contract/cri_facts.ts";
import { parseSchema } from "./schema.ts";

const MODULE = "k8s.io/cri-api@v0.36.3";
const LIST = new URL("../../tests/contract/cri_facts.json", import.meta.url);

const ours = factsOf(parseSchema({ keepCase: true }));
const published = await fetchPublished();

Deno.test({
  name: `schema has the wire facts published in ${MODULE}`,
  ignore: published.kind === "absent",
  fn: async () => {
    assert(published.kind === "present");
    assert.deepEqual(ours, published.facts);
    if (Deno.env.get("DENOLET_UPDATE") === "1") {
      const text = JSON.stringify(published.facts, null, 1);
      await Deno.writeTextFile(LIST, `${text}\n`);
    }
  },
});

Deno.test("schema has the wire facts of the committed list", async () => {
  const list: Facts = JSON.parse(await Deno.readTextFile(LIST));
  assert.deepEqual(ours, list);
  assert.equal(
    Object.keys(list).filter((name) => name.startsWith("rpc ")).length,
    41,
  );
});

type Published =
  | { readonly kind: "present"; readonly facts: Facts }
  | { readonly kind: "absent" };

async function fetchPublished(): Promise<Published> {
  try {
    const go = await new Deno.Command("go", {
      args: ["mod", "download", "-json", MODULE],
    }).output();
    const answer = JSON.parse(new TextDecoder().decode(go.stdout));
    if (answer.Error !== undefined) throw new Error(answer.Error);
    const text = await Deno.readTextFile(
      `${answer.Dir}/pkg/apis/runtime/v1/api.proto`,
    );
    const root = new protobuf.Root();
    protobuf.parse(text, root, { keepCase: true });
    root.resolveAll();
    return { kind: "present", facts: factsOf(root) };
  } catch (error) {
    console.warn(
      `SKIPPED: cannot compare the CRI schema with ${MODULE} (${error}); ` +
        "the committed list is still checked",
    );
    return { kind: "absent" };
  }
}
