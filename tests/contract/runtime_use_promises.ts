/**
 * The part of the runtime's contract that is about using what runs: logs,
 * commands, resources, streams, statistics, events and aborts.
 */
import assert from "node:assert/strict";
import type { RuntimeEvent } from "../../lib/port/runtime.ts";
import { failure, type RuntimePromise } from "./harness.ts";
import { NO_LIMITS } from "./runtime_specs.ts";

export const USE_PROMISES: readonly RuntimePromise[] = [
  {
    name: "output goes to the log below the sandbox's log directory",
    check: async (pod) => {
      const { id } = await pod.start();
      await pod.harness.print(id, "hello log");
      const { logPath } = await pod.status(id);
      assert.equal(logPath, `${pod.sandbox.logDirectory}/app/0.log`);
      for (let tries = 0; tries < 100; tries++) {
        const text = await pod.harness.readLog(logPath);
        if (/^\S+ stdout F hello log$/m.test(text)) return;
        await pod.harness.pass(25);
      }
      assert.fail("the line does not arrive");
    },
  },
  {
    name: "a command's output and code come back",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { id } = await pod.start();
      const run = (...command: string[]) =>
        runtime.execSync({ id, command, timeoutSeconds: 10 }, signal);
      const hello = await run("echo", "hello", "you");
      assert.equal(new TextDecoder().decode(hello.stdout), "hello you\n");
      assert.equal(hello.stderr.length, 0);
      assert.equal(hello.exitCode, 0);
      assert.equal((await run("false")).exitCode, 1);
      const command = ["echo", "hello", "you"];
      const begun = await runtime.execSync(
        { id, command, timeoutSeconds: 10, outputLimitBytes: 5 },
        signal,
      );
      assert.equal(new TextDecoder().decode(begun.stdout), "hello");
    },
  },
  {
    name: "a command that takes too long fails with a reason of its own",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { id } = await pod.start();
      const request = { id, command: ["sleep", "60"], timeoutSeconds: 1 };
      const late = failure(runtime.execSync(request, signal), "retry");
      await pod.harness.pass(1100);
      assert.equal((await late).reason, "CommandTimedOut");
    },
  },
  {
    name: "64-bit numbers survive exactly",
    check: async (pod) => {
      const memoryLimitBytes = 2n ** 53n + 4097n;
      const resources = { ...NO_LIMITS, memoryLimitBytes, cpuShares: 102n };
      const id = await pod.create(await pod.run(), { resources });
      const status = await pod.status(id);
      assert.equal(status.resources?.memoryLimitBytes, memoryLimitBytes);
      assert.equal(status.resources?.cpuShares, 102n);
    },
  },
  {
    name: "resources of a running container can be changed",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { id } = await pod.start();
      const before = await pod.status(id);
      const resources = {
        ...NO_LIMITS,
        cpuShares: 512n,
        cpuPeriodUs: 100_000n,
        cpuQuotaUs: 20_000n,
        memoryLimitBytes: 64n * 1024n ** 2n,
      };
      await runtime.updateResources(id, resources, signal);
      const { resources: set, startedAtMs, state } = await pod.status(id);
      assert.deepEqual(
        [set?.cpuShares, set?.cpuQuotaUs, set?.memoryLimitBytes],
        [512n, 20_000n, 64n * 1024n ** 2n],
      );
      assert.deepEqual([state, startedAtMs], ["running", before.startedAtMs]);
    },
  },
  {
    name: "a sandbox may be told what its pod is about to have",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { sandboxId: sandbox, id } = await pod.start();
      const resources = { ...NO_LIMITS, cpuShares: 512n };
      await runtime.updateSandbox(sandbox, { resources }, signal);
      assert.equal((await pod.status(id)).state, "running");
    },
  },
  {
    name: "streaming addresses are given for what runs",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { sandboxId: sandbox, id } = await pod.start();
      const streams = {
        containerId: id,
        hasTty: false,
        hasStdin: false,
        hasStdout: true,
        hasStderr: true,
      };
      const exec = { ...streams, command: ["true"] };
      assert.match(await runtime.execUrl(exec, signal), /^http/);
      assert.match(await runtime.attachUrl(streams, signal), /^http/);
      const ports = { id: sandbox, ports: [80] };
      assert.match(await runtime.portForwardUrl(ports, signal), /^http/);
      await runtime.reopenLog(id, signal);
    },
  },
  {
    name: "statistics name the container and its pod",
    check: async (pod) => {
      const { runtime, signal } = pod;
      const { id } = await pod.start();
      const filter = { podUid: pod.uid };
      const [stats] = await runtime.listContainerStats(filter, signal);
      assert.equal(stats?.id, id);
      assert.equal(stats.name, "app");
      assert.equal(stats.podUid, pod.uid);
    },
  },
  {
    name: "events tell of start and stop",
    check: async (pod) => {
      const { runtime, harness, signal } = pod;
      const stop = new AbortController();
      const both = AbortSignal.any([stop.signal, signal]);
      const seen: RuntimeEvent[] = [];
      const following = (async () => {
        for await (const event of runtime.events(both)) seen.push(event);
      })();
      const ended = assert.rejects(following, { name: "AbortError" });
      const { id } = await pod.start();
      await harness.exit(id, 0);
      const kinds = () =>
        seen.filter((event) => event.id === id && event.podUid === pod.uid)
          .map(({ kind }) => kind);
      for (let tries = 0; tries < 200; tries++) {
        if (kinds().includes("stopped")) break;
        await harness.pass(25);
      }
      assert.deepEqual(kinds(), ["created", "started", "stopped"]);
      stop.abort();
      await ended;
    },
  },
  {
    name: "an abort rejects with its reason, before and during a call",
    check: async (pod) => {
      const { runtime } = pod;
      const reason = new Error("enough");
      await assert.rejects(runtime.version(AbortSignal.abort(reason)), reason);
      const { id } = await pod.start();
      const stop = new AbortController();
      const sleep = runtime.execSync(
        { id, command: ["sleep", "3"], timeoutSeconds: 0 },
        stop.signal,
      );
      const rejected = assert.rejects(sleep, reason);
      await pod.harness.pass(100);
      stop.abort(reason);
      await rejected;
    },
  },
];
