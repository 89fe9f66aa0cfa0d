import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import type { PodState } from "../pod/state.ts";
import { anInstance, aPod, SETTINGS } from "../../tests/build.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import {
  limitDeadContainers,
  removeDeadContainers,
} from "./dead_containers.ts";
import { EMPTY_MEMORY, type Pods } from "./store.ts";

const LOG = "/var/log/pods/prod_shop_" +
  "11111111-2222-3333-4444-555555555555/web/0.log";

async function leftAfter(state: PodState): Promise<string[]> {
  const here = new Set(["dead", "alive"]);
  const files = new FakeFiles();
  files.put(LOG, "last words");
  const pods: Pods = new Map([[podUid("p"), {
    ...EMPTY_MEMORY,
    state,
    pod: aPod(),
    observed: {
      sandboxes: [],
      containers: [
        anInstance({ id: "dead", state: "exited" }),
        anInstance({ id: "alive", name: "log", state: "running" }),
      ],
      atMs: 0,
    },
  }]]);
  await removeDeadContainers({
    runtime: {
      removeContainer: (id) => Promise.resolve(void here.delete(id)),
    },
    files,
    pods,
    settings: SETTINGS,
  }, new AbortController().signal);
  const log = await files.stat(LOG) === undefined ? [] : ["its log"];
  return [...here, ...log];
}

Deno.test("removeDeadContainers() takes the dead of ended pods, with logs", async () => {
  assert.deepEqual(await leftAfter({ kind: "done" }), ["alive"]);
});

Deno.test("removeDeadContainers() leaves pods that live alone", async () => {
  for (
    const state of [
      { kind: "waiting", for: "sandbox" },
      { kind: "cleaning" },
    ] as const
  ) {
    assert.deepEqual(await leftAfter(state), ["dead", "alive", "its log"]);
  }
});

Deno.test("limitDeadContainers() removes beyond the limits, of living pods too", async () => {
  const leftBy = async (limits: Partial<typeof SETTINGS.deadLimits>) => {
    const here = new Set(["old", "new", "alive"]);
    const pods: Pods = new Map([[podUid("p"), {
      ...EMPTY_MEMORY,
      pod: aPod(),
      observed: {
        sandboxes: [],
        containers: [
          anInstance({ id: "new", state: "exited", createdAtMs: 20 }),
          anInstance({ id: "old", state: "exited", createdAtMs: 10 }),
          anInstance({ id: "alive", name: "log", state: "running" }),
        ],
        atMs: 0,
      },
    }]]);
    const ports = {
      runtime: {
        removeContainer: (id: string) => Promise.resolve(void here.delete(id)),
      },
      files: new FakeFiles(),
      pods,
      settings: {
        ...SETTINGS,
        deadLimits: { ...SETTINGS.deadLimits, ...limits },
      },
    };
    await limitDeadContainers(ports, 100, new AbortController().signal);
    return [...here];
  };
  assert.deepEqual(await leftBy({}), ["old", "new", "alive"]);
  assert.deepEqual(await leftBy({ total: 1 }), ["new", "alive"]);
  assert.deepEqual(await leftBy({ perContainer: 0 }), ["alive"]);
});
