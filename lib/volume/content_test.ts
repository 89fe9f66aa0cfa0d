import assert from "node:assert/strict";
import type { V1Volume } from "../api/types.ts";
import { type Content, contentOf, type Found } from "./content.ts";
import { API_ACCESS, podWith, SETTINGS } from "./fixture_test.ts";
import { planVolumes } from "./plan.ts";

function made(volume: V1Volume, found: Found[], parts = {}) {
  const pod = podWith([volume], parts);
  const [planned] = planVolumes(pod, SETTINGS);
  assert.ok(planned?.kind === "files");
  const allocatable = SETTINGS.allocatable();
  const steps = contentOf({ pod, volume: planned, allocatable }, found);
  for (let count = 0;; count++) {
    const step = steps.next();
    if (step.done !== true) continue;
    return { ...step.value, steps: count };
  }
}

/** Path, text and mode of each file. */
function shown(content: Content): string[] {
  if (content.kind === "refused") return [content.message];
  return [...content.files].map(([path, { bytes, mode, uid }]) =>
    `${path} ${mode.toString(8)} ${uid ?? "-"} ${
      new TextDecoder().decode(bytes)
    }`
  ).sort();
}

const object = (data: object, binaryData?: object): Found => ({
  kind: "object",
  object: { data, ...(binaryData === undefined ? {} : { binaryData }) },
});
const NONE: Found = { kind: "absent" };
const NOTHING: Found = { kind: "nothing-needed" };

Deno.test("contentOf() makes what every pod gets", () => {
  const found: Found[] = [
    { kind: "token", token: "t0" },
    object({ "ca.crt": "PEM", other: "x" }),
    NOTHING,
  ];
  assert.deepEqual(shown(made(API_ACCESS, found)), [
    "ca.crt 644 - PEM",
    "namespace 644 - prod",
    "token 644 - t0",
  ]);
  const spec = { securityContext: { runAsUser: 9, fsGroup: 7 } };
  assert.equal(
    shown(made(API_ACCESS, found, { spec }))[2],
    "token 600 9 t0",
  );
});

Deno.test("contentOf() gives every key, or those that are named", () => {
  const secret = { secretName: "s", defaultMode: 0o400 };
  const data = { a: btoa("1"), ["__proto__"]: btoa("2"), empty: "" };
  assert.deepEqual(shown(made({ name: "v", secret }, [object(data)])), [
    "__proto__ 400 - 2",
    "a 400 - 1",
    "empty 400 - ",
  ]);
  const items = [{ key: "a", path: "./d//e/", mode: 0o777 }];
  assert.deepEqual(
    shown(made({ name: "v", secret: { ...secret, items } }, [object(data)])),
    ["d/e 777 - 1"],
  );
  const maps = made({ name: "v", configMap: { name: "c" } }, [
    object({ a: "text" }, { b: btoa("raw"), a: btoa("loses") }),
  ]);
  assert.deepEqual(shown(maps), ["a 644 - text", "b 644 - raw"]);
});

Deno.test("contentOf() says what is missing in words that people know", () => {
  const items = [{ key: "k", path: "p" }];
  const table: [V1Volume, Found, string[]][] = [
    [{ name: "v", secret: { secretName: "s" } }, NONE, [
      'secret "s" not found',
    ]],
    [{ name: "v", configMap: { name: "c" } }, NONE, [
      'configmap "c" not found',
    ]],
    [{ name: "v", secret: { secretName: "s", optional: true } }, NONE, []],
    [{ name: "v", configMap: { name: "c", optional: true, items } }, NONE, []],
    [{ name: "v", secret: { secretName: "s", items } }, object({}), [
      "references non-existent secret key: k",
    ]],
    [{ name: "v", configMap: { name: "c", items } }, object({}), [
      "configmap references non-existent config key: k",
    ]],
    [
      { name: "v", configMap: { name: "c", items, optional: true } },
      object({ toString: "x" }),
      [],
    ],
    [{ name: "v", secret: { secretName: "s" } }, object({ a: "%%%" }), [
      'secret "s" holds a value that is not base64',
    ]],
    [
      { name: "v", configMap: { name: "c", optional: true } },
      { kind: "failed", message: "Cannot get it" },
      ["Cannot get it"],
    ],
  ];
  for (const [volume, found, expected] of table) {
    assert.deepEqual(shown(made(volume, [found])), expected);
  }
  assert.deepEqual(
    shown(made(API_ACCESS, [{ kind: "failed", message: "no" }, NONE, NOTHING])),
    ['[no, configmap "kube-root-ca.crt" not found]'],
  );
});

Deno.test("contentOf() refuses paths that lead out or clash", () => {
  const at = (path: string) =>
    shown(made({
      name: "v",
      configMap: { name: "c", items: [{ key: "a", path }] },
    }, [object({ a: "" })]));
  const table: [string, string][] = [
    ["", 'invalid path: must not be empty: ""'],
    ["/a", "invalid path: must be relative path: /a"],
    ["a/../b", "invalid path: must not contain '..': a/../b"],
    ["..data", "invalid path: must not start with '..': ..data"],
    ["./..data/x", "invalid path: must not start with '..': ./..data/x"],
    [".", "invalid path: must name a file: ."],
    ["a\0b", "invalid path: must not contain NUL"],
    [
      "ä".repeat(128),
      "invalid path: filenames must be less than or equal to 255 characters",
    ],
    [
      "a/".repeat(2050),
      "invalid path: must be less than or equal to 4096 characters",
    ],
  ];
  for (const [path, message] of table) assert.deepEqual(at(path), [message]);
  assert.deepEqual(at("a..b/..c"), ["a..b/..c 644 - "]);
  const items = [{ key: "a", path: "x" }, { key: "a", path: "x/y" }];
  assert.deepEqual(
    shown(made({ name: "v", configMap: { name: "c", items } }, [
      object({ a: "" }),
    ])),
    ["path x is to be a file and a directory"],
  );
});

Deno.test("contentOf() refuses more than a pod can sensibly want", () => {
  const source = { configMap: { name: "c" } };
  const big = "x".repeat(1 << 20);
  const sources = Array.from({ length: 65 }, (_, index) => ({
    configMap: { ...source.configMap, items: [{ key: "k", path: `${index}` }] },
  }));
  const volume: V1Volume = { name: "v", projected: { sources } };
  const found = sources.map(() => object({ k: big }));
  const [message = ""] = shown(made(volume, found));
  assert.match(message, /^the files have 68157440 bytes together/);
});

Deno.test("contentOf() of 10,000 files takes many short steps", () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `k${at}`);
  const data = Object.fromEntries(names.map((name) => [name, btoa(name)]));
  for (
    const volume of [
      { name: "v", secret: { secretName: "s" } },
      { name: "v", configMap: { name: "c" } },
    ]
  ) {
    const content = made(volume, [object(data)]);
    assert.equal(content.kind === "ok" && content.files.size, 10_000);
    // To decode and to place them, at most 256 at a time.
    assert.ok(content.steps >= 2 * 39, `${content.steps} steps`);
  }
});
