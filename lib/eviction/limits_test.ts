import assert from "node:assert/strict";
import type { V1Container } from "../api/types.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import { aUsePod, MI, type UseParts } from "./fixture_test.ts";
import { hasLimits, passedLimit } from "./limits.ts";

const disk = (mi: bigint) => ({ bytes: mi * MI, inodes: 1n });

function limited(name: string, limit: string): V1Container {
  const resources = { limits: { "ephemeral-storage": limit } };
  return aContainer({ name, resources });
}

/** `data` may take 1 MiB, `a` 4 MiB and `b` 6 MiB. */
const POD = aPod({
  containers: [limited("a", "4Mi"), limited("b", "6Mi")],
  spec: { volumes: [{ name: "data", emptyDir: { sizeLimit: "1Mi" } }] },
});

function passed(own: Partial<UseParts>, layout: "one" | "apart" = "one") {
  const use = aUsePod({ name: "web", pod: POD, ...own });
  const order = passedLimit(use, layout);
  return order && `${order.signal}: ${order.message}`;
}

const container = (name: string, layer: bigint, logs: bigint) => ({
  name,
  memoryBytes: 0n,
  layer: disk(layer),
  logs: disk(logs),
});

Deno.test("passedLimit() is undefined at the limits", () => {
  assert.equal(
    passed({
      containers: [container("a", 3n, 1n), container("b", 5n, 0n)],
      volumes: new Map([["data", { ...disk(1n), isOnDisk: true }]]),
    }),
    undefined,
  );
});

Deno.test("passedLimit() of an emptyDir, in memory too", () => {
  for (const isOnDisk of [true, false]) {
    assert.equal(
      passed({ volumes: new Map([["data", { ...disk(2n), isOnDisk }]]) }),
      "emptydirfs.limit: " +
        'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ',
    );
  }
});

Deno.test("passedLimit() of the pod counts /etc/hosts", () => {
  const containers = [container("a", 4n, 0n), container("b", 6n, 0n)];
  assert.equal(passed({ containers }), undefined);
  assert.equal(
    passed({ containers, hostsBytes: 1n }),
    "ephemeralpodfs.limit: Pod ephemeral local storage usage exceeds the " +
      "total limit of containers 10Mi. ",
  );
});

Deno.test("passedLimit() of a container leaves out a layer that is apart", () => {
  const containers = [container("a", 4n, 1n)];
  assert.equal(
    passed({ containers }),
    "ephemeralcontainerfs.limit: " +
      'Container a exceeded its local ephemeral storage limit "4Mi". ',
  );
  assert.equal(passed({ containers }, "apart"), undefined);
});

Deno.test("passedLimit() gives one second, and is no disruption", () => {
  const volumes = new Map([["data", { ...disk(2n), isOnDisk: true }]]);
  const order = passedLimit(
    aUsePod({ name: "web", pod: POD, volumes }),
    "one",
  );
  assert.equal(order?.graceSeconds, 1);
  assert.equal(order?.isNodeShort, false);
});

Deno.test("hasLimits() tells whose disk has to be watched", () => {
  assert.ok(hasLimits(POD));
  assert.ok(hasLimits(aPod({ containers: [limited("a", "1")] })));
  assert.ok(!hasLimits(aPod()));
  const spec = { ...POD.spec, priority: 2_000_000_000 };
  assert.ok(!hasLimits(aPod({ spec })));
});
