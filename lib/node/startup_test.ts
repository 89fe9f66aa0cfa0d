import assert from "node:assert/strict";
import { Startup, startupSeconds } from "./startup.ts";

const MACHINE = { bootedAtMs: 1_000, startedAtMs: 11_000 };
const NOTHING = {
  preKubelet: 0,
  preRegistration: 0,
  registration: 0,
  postRegistration: 0,
  nodeStartup: 0,
};

Deno.test("Startup tells each step of a new node once", () => {
  let nowMs = 12_000;
  const startup = new Startup(() => nowMs);
  const seconds = () => startupSeconds(startup.times, MACHINE);
  startup.attempted();
  assert.deepEqual(seconds(), NOTHING);
  nowMs = 15_000;
  startup.attempted();
  startup.registered();
  const registered = {
    ...NOTHING,
    preKubelet: 10,
    preRegistration: 1,
    registration: 3,
  };
  assert.deepEqual(seconds(), registered);
  nowMs = 21_000;
  startup.ready();
  nowMs = 99_000;
  startup.registered();
  startup.ready();
  assert.deepEqual(seconds(), {
    ...registered,
    postRegistration: 6,
    nodeStartup: 20,
  });
});

Deno.test("Startup tells nothing of a node that was known before", () => {
  const startup = new Startup(() => 5);
  startup.attempted();
  startup.ready();
  assert.deepEqual(startupSeconds(startup.times, MACHINE), NOTHING);
});
