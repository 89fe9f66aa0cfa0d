/**
 * The promises of `port/runtime.ts`, each of them tried on every
 * implementation: the fake always, a real containerd when there is one. Lives
 * of sandboxes and containers are here, the use of them is in
 * `runtime_use_promises.ts`.
 */
import assert from "node:assert/strict";
import { containerId, podUid, sandboxId } from "../../lib/api/id.ts";
import {
  failure,
  type RuntimeHarness,
  type RuntimePromise,
  TestPod,
} from "./harness.ts";
import { USE_PROMISES } from "./runtime_use_promises.ts";

/** Registers the contract for one implementation. */
export function runtimeContract(
  label: string,
  open: () => Promise<RuntimeHarness>,
  options: { readonly ignore: boolean; readonly mayRestart: boolean },
): void {
  for (const promise of [...LIFE_PROMISES, ...USE_PROMISES]) {
    Deno.test({
      name: `runtime contract on ${label}: ${promise.name}`,
      ignore: options.ignore ||
        (promise.restarts === true && !options.mayRestart),
      fn: async () => {
        const harness = await open();
        const pod = new TestPod(harness, AbortSignal.timeout(60_000));
        try {
          await promise.check(pod);
        } finally {
          await pod.close();
          await harness.close();
        }
      },
    });
  }
}

const NOWHERE = "0".repeat(64);

const LIFE_PROMISES: readonly RuntimePromise[] = [
  {
    name: "it says who it is and that it is ready",
    check: async ({ runtime, signal }) => {
      const version = await runtime.version(signal);
      assert.notEqual(version.name, "");
      assert.equal(version.apiVersion, "v1");
      const status = await runtime.status(signal);
      assert.equal(status.runtime.isMet, true);
      assert.equal(status.network.isMet, true);
      assert.ok(status.handlers.some(({ name }) => name === ""));
      const driver = await runtime.cgroupDriver(signal);
      assert.ok([undefined, "systemd", "cgroupfs"].includes(driver));
      await runtime.setPodCidr("10.99.0.0/24", signal);
    },
  },
  {
    name: "a sandbox lives: run, ready with an address, stop, remove",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const id = await pod.run();
      const status = await runtime.sandboxStatus(id, signal);
      assert.equal(status?.isReady, true);
      assert.equal(status.ips.length, 1);
      assert.equal(status.network, "pod");
      assert.equal(status.podUid, pod.uid);
      assert.deepEqual(status.labels, pod.sandbox.labels);
      assert.deepEqual(status.annotations, pod.sandbox.annotations);
      assert.ok(status.createdAtMs > 1_600_000_000_000);
      await runtime.stopSandbox(id, signal);
      const stopped = await runtime.sandboxStatus(id, signal);
      assert.equal(stopped?.isReady, false);
      await runtime.removeSandbox(id, signal);
      assert.equal(await runtime.sandboxStatus(id, signal), undefined);
    },
  },
  {
    name: "a container lives: created, running, exited, gone",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const sandboxId = await pod.run();
      const id = await pod.create(sandboxId);
      const created = await pod.status(id);
      assert.equal(created.state, "created");
      assert.equal(created.startedAtMs, 0);
      assert.equal(created.finishedAtMs, 0);
      await runtime.startContainer(id, signal);
      const running = await pod.status(id);
      assert.equal(running.state, "running");
      assert.ok(running.startedAtMs >= created.createdAtMs);
      assert.equal(running.name, "app");
      assert.deepEqual(running.annotations, new Map([["note/container", "1"]]));
      assert.equal(running.labels.get("app"), "contract");
      await runtime.stopContainer(id, 10, signal);
      const exited = await pod.status(id);
      assert.equal(exited.state, "exited");
      assert.equal(exited.exitCode, 143);
      assert.equal(exited.reason, "Error");
      assert.ok(exited.finishedAtMs >= running.startedAtMs);
      await runtime.removeContainer(id, signal);
      assert.equal(await runtime.containerStatus(id, signal), undefined);
    },
  },
  {
    name: "stop and remove may be repeated, and suit what never was",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { sandboxId: sandbox, id } = await pod.start();
      await runtime.stopContainer(id, 0, signal);
      await runtime.stopContainer(id, 0, signal);
      await runtime.removeContainer(id, signal);
      await runtime.removeContainer(id, signal);
      await runtime.stopContainer(id, 0, signal);
      await runtime.stopSandbox(sandbox, signal);
      await runtime.stopSandbox(sandbox, signal);
      await runtime.removeSandbox(sandbox, signal);
      await runtime.removeSandbox(sandbox, signal);
      await runtime.stopSandbox(sandbox, signal);
      await runtime.stopContainer(containerId(NOWHERE), 0, signal);
      await runtime.removeContainer(containerId(NOWHERE), signal);
      await runtime.removeSandbox(sandboxId(NOWHERE), signal);
    },
  },
  {
    name: "the status of what is absent is undefined",
    check: async ({ runtime, signal }) => {
      assert.equal(
        await runtime.containerStatus(containerId(NOWHERE), signal),
        undefined,
      );
      assert.equal(
        await runtime.sandboxStatus(sandboxId(NOWHERE), signal),
        undefined,
      );
    },
  },
  {
    name: "starting or entering what is absent is no use",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const id = containerId(NOWHERE);
      await failure(runtime.startContainer(id, signal), "give-up");
      const echo = { id, command: ["echo"], timeoutSeconds: 5 };
      await failure(runtime.execSync(echo, signal), "give-up");
      await failure(pod.create(sandboxId(NOWHERE)), "give-up");
    },
  },
  {
    name: "exit codes and reasons are kept",
    check: async (pod) => {
      const { harness, runtime, signal } = pod;
      const sandbox = await pod.run();
      for (const [code, reason] of [[0, "Completed"], [3, "Error"]] as const) {
        const name = `exits-${code}`;
        const id = await pod.create(sandbox, {
          name,
          command: harness.programs.exits(code),
        });
        await runtime.startContainer(id, signal);
        const status = await pod.ended(id);
        assert.equal(status.exitCode, code);
        assert.equal(status.reason, reason);
      }
      const id = await pod.create(sandbox);
      await runtime.startContainer(id, signal);
      await harness.exit(id, 7);
      assert.equal((await pod.ended(id)).exitCode, 7);
    },
  },
  {
    name: "a program that ignores the signal is killed after the grace",
    check: async (pod) => {
      const { harness, runtime, signal } = pod;
      const { id } = await pod.start({ command: harness.programs.stubborn });
      const stopping = runtime.stopContainer(id, 1, signal);
      await harness.pass(1500);
      await stopping;
      const status = await pod.status(id);
      assert.equal(status.state, "exited");
      assert.equal(status.exitCode, 137);
      assert.ok(status.finishedAtMs - status.startedAtMs >= 1000);
    },
  },
  {
    name: "a program that is not there fails the start and is told",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const id = await pod.create(await pod.run(), {
        command: ["/no/such/program"],
      });
      const error = await failure(runtime.startContainer(id, signal), "retry");
      assert.match(error.message, /^Cannot start container .*no such file/s);
      const status = await pod.status(id);
      assert.equal(status.state, "exited");
      assert.equal(status.exitCode, 128);
      assert.equal(status.reason, "StartError");
      assert.match(status.message, /no such file/);
    },
  },
  {
    name: "a name and attempt are taken once in a sandbox",
    check: async (pod) => {
      const sandbox = await pod.run();
      await pod.create(sandbox);
      await failure(pod.create(sandbox), "retry");
      await pod.create(sandbox, { attempt: 1, logPath: "app/1.log" });
      await failure(pod.run(), "retry");
    },
  },
  {
    name: "listings are restricted by pod, sandbox and state",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { sandboxId: sandbox, id } = await pod.start();
      const other = await pod.create(sandbox, { name: "other" });
      const ids = async (
        filter: Parameters<typeof runtime.listContainers>[0],
      ) => (await runtime.listContainers(filter, signal)).map(({ id }) => id);
      const both = [id, other].sort();
      assert.deepEqual((await ids({ podUid: pod.uid })).sort(), both);
      assert.deepEqual((await ids({ sandboxId: sandbox })).sort(), both);
      const running = { podUid: pod.uid, state: "running" } as const;
      assert.deepEqual(await ids(running), [id]);
      assert.deepEqual(await ids({ podUid: podUid("nobody") }), []);
      assert.ok((await ids({})).includes(id));
      const [found] = await runtime.listSandboxes({ podUid: pod.uid }, signal);
      assert.equal(found?.id, sandbox);
      assert.equal(found.podName, pod.sandbox.podName);
      const nobody = { podUid: podUid("nobody") };
      assert.deepEqual(await runtime.listSandboxes(nobody, signal), []);
      const [summary] = await runtime.listContainers(running, signal);
      assert.equal(summary?.sandboxId, sandbox);
      assert.equal(summary.labels.get("app"), "contract");
    },
  },
  {
    name: "stopping a sandbox kills what runs in it, removing takes all",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { sandboxId: sandbox, id } = await pod.start();
      await runtime.stopSandbox(sandbox, signal);
      assert.equal((await pod.status(id)).state, "exited");
      await runtime.removeSandbox(sandbox, signal);
      assert.equal(await runtime.containerStatus(id, signal), undefined);
    },
  },
  {
    name: "a runtime that is down is worth a retry, and is found again",
    restarts: true,
    check: async (pod) => {
      const { runtime, harness, signal } = pod;
      assert.ok(harness.restart);
      const { id } = await pod.start();
      const events = runtime.events(signal)[Symbol.asyncIterator]();
      const drained = (async () => {
        while ((await events.next()).done !== true);
      })();
      const broken = failure(drained, "retry");
      await harness.pass(100);
      await harness.restart.down();
      await broken;
      await failure(runtime.version(signal), "retry");
      await harness.restart.up();
      assert.notEqual((await runtime.version(signal)).name, "");
      assert.equal((await pod.status(id)).state, "running");
    },
  },
];
