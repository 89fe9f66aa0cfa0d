/**
 * Each of the CRI's RPCs, called once on a real runtime by its typed name:
 * whatever it answers, it must know the RPC. Wants DENOLET_TEST_SOCKET.
 */
import assert from "node:assert/strict";
import { AgentError } from "../../lib/base/errors.ts";
import { type Channel, openChannel } from "../../lib/cri/channel.ts";
import { RpcError } from "../../lib/cri/errors.ts";
import type { Method, StreamMethod } from "../../lib/cri/methods.ts";
import { int64Of } from "../../lib/cri/translate.ts";
import {
  containerConfig,
  imageSpec,
  linuxResources,
  sandboxConfig,
} from "../../lib/cri/translate_spec.ts";
import { podUid } from "../../lib/api/id.ts";
import { aContainerSpec, aSandboxSpec, NO_LIMITS } from "./runtime_specs.ts";

const socket = Deno.env.get("DENOLET_TEST_SOCKET") ?? "";
if (socket === "") {
  console.warn(
    "SKIPPED: the RPCs are not called on a real runtime, because " +
      "DENOLET_TEST_SOCKET is not set",
  );
}

const ABSENT = "0".repeat(64);
const container = { containerId: ABSENT };
const sandbox = { podSandboxId: ABSENT };
const streams = {
  ...container,
  stdin: false,
  stdout: true,
  stderr: true,
  tty: false,
};
const uid = podUid("rpcs");
const resources = linuxResources(NO_LIMITS);
const image = imageSpec({
  image: "127.0.0.1:1/nobody/home:1",
  runtimeHandler: "",
});
const R = "runtime.v1.RuntimeService";
const I = "runtime.v1.ImageService";

type Calls = Record<
  Exclude<Method, StreamMethod>,
  (channel: Channel, options: { signal: AbortSignal }) => Promise<unknown>
>;

/** Nothing here changes the runtime: the objects named do not exist. */
const CALLS: Calls = {
  [`${R}/Version`]: (c, o) => c.unary(`${R}/Version`, { version: "" }, o),
  [`${R}/Status`]: (c, o) => c.unary(`${R}/Status`, { verbose: true }, o),
  [`${R}/RuntimeConfig`]: (c, o) => c.unary(`${R}/RuntimeConfig`, {}, o),
  [`${R}/UpdateRuntimeConfig`]: (c, o) =>
    c.unary(`${R}/UpdateRuntimeConfig`, {
      runtimeConfig: { networkConfig: { podCidr: "" } },
    }, o),
  [`${R}/RunPodSandbox`]: (c, o) =>
    c.unary(`${R}/RunPodSandbox`, {
      config: sandboxConfig(aSandboxSpec(uid)),
      runtimeHandler: "no-such-handler",
    }, o),
  [`${R}/StopPodSandbox`]: (c, o) => c.unary(`${R}/StopPodSandbox`, sandbox, o),
  [`${R}/RemovePodSandbox`]: (c, o) =>
    c.unary(`${R}/RemovePodSandbox`, sandbox, o),
  [`${R}/PodSandboxStatus`]: (c, o) =>
    c.unary(`${R}/PodSandboxStatus`, { ...sandbox, verbose: true }, o),
  [`${R}/ListPodSandbox`]: (c, o) =>
    c.unary(`${R}/ListPodSandbox`, { filter: { state: { state: 1 } } }, o),
  [`${R}/UpdatePodSandboxResources`]: (c, o) =>
    c.unary(`${R}/UpdatePodSandboxResources`, {
      ...sandbox,
      overhead: null,
      resources,
    }, o),
  [`${R}/PortForward`]: (c, o) =>
    c.unary(`${R}/PortForward`, { ...sandbox, port: [80] }, o),
  [`${R}/CreateContainer`]: (c, o) =>
    c.unary(`${R}/CreateContainer`, {
      ...sandbox,
      config: containerConfig(aContainerSpec(uid, { imageRef: "none" })),
      sandboxConfig: sandboxConfig(aSandboxSpec(uid)),
    }, o),
  [`${R}/StartContainer`]: (c, o) =>
    c.unary(`${R}/StartContainer`, container, o),
  [`${R}/StopContainer`]: (c, o) =>
    c.unary(`${R}/StopContainer`, { ...container, timeout: int64Of(1n) }, o),
  [`${R}/RemoveContainer`]: (c, o) =>
    c.unary(`${R}/RemoveContainer`, container, o),
  [`${R}/ContainerStatus`]: (c, o) =>
    c.unary(`${R}/ContainerStatus`, container, o),
  [`${R}/ListContainers`]: (c, o) =>
    c.unary(`${R}/ListContainers`, { filter: { id: ABSENT } }, o),
  [`${R}/UpdateContainerResources`]: (c, o) =>
    c.unary(`${R}/UpdateContainerResources`, {
      ...container,
      linux: resources,
      annotations: {},
    }, o),
  [`${R}/ReopenContainerLog`]: (c, o) =>
    c.unary(`${R}/ReopenContainerLog`, container, o),
  [`${R}/CheckpointContainer`]: (c, o) =>
    c.unary(`${R}/CheckpointContainer`, {
      ...container,
      location: "/dev/null/nowhere",
      timeout: int64Of(1n),
    }, o),
  [`${R}/ExecSync`]: (c, o) =>
    c.unary(`${R}/ExecSync`, {
      ...container,
      cmd: ["true"],
      timeout: int64Of(1n),
    }, o),
  [`${R}/Exec`]: (c, o) =>
    c.unary(`${R}/Exec`, { ...streams, cmd: ["true"] }, o),
  [`${R}/Attach`]: (c, o) => c.unary(`${R}/Attach`, streams, o),
  [`${R}/ContainerStats`]: (c, o) =>
    c.unary(`${R}/ContainerStats`, container, o),
  [`${R}/ListContainerStats`]: (c, o) =>
    c.unary(`${R}/ListContainerStats`, { filter: { id: ABSENT } }, o),
  [`${R}/PodSandboxStats`]: (c, o) =>
    c.unary(`${R}/PodSandboxStats`, sandbox, o),
  [`${R}/ListPodSandboxStats`]: (c, o) =>
    c.unary(`${R}/ListPodSandboxStats`, { filter: { id: ABSENT } }, o),
  [`${R}/ListMetricDescriptors`]: (c, o) =>
    c.unary(`${R}/ListMetricDescriptors`, {}, o),
  [`${R}/ListPodSandboxMetrics`]: (c, o) =>
    c.unary(`${R}/ListPodSandboxMetrics`, {}, o),
  [`${I}/ListImages`]: (c, o) => c.unary(`${I}/ListImages`, {}, o),
  [`${I}/ImageStatus`]: (c, o) =>
    c.unary(`${I}/ImageStatus`, { image, verbose: true }, o),
  [`${I}/PullImage`]: (c, o) =>
    c.unary(`${I}/PullImage`, { image, auth: null, sandboxConfig: null }, o),
  [`${I}/RemoveImage`]: (c, o) => c.unary(`${I}/RemoveImage`, { image }, o),
  [`${I}/ImageFsInfo`]: (c, o) => c.unary(`${I}/ImageFsInfo`, {}, o),
};

const STREAMS: Record<StreamMethod, true> = {
  [`${R}/GetContainerEvents`]: true,
  [`${R}/StreamPodSandboxes`]: true,
  [`${R}/StreamContainers`]: true,
  [`${R}/StreamContainerStats`]: true,
  [`${R}/StreamPodSandboxStats`]: true,
  [`${R}/StreamPodSandboxMetrics`]: true,
  [`${I}/StreamImages`]: true,
};

Deno.test({
  name: "a real runtime knows every RPC by the name we use",
  ignore: socket === "",
  fn: async () => {
    const channel = openChannel({ endpoint: socket });
    const signal = AbortSignal.timeout(60_000);
    const lacking: string[] = [];
    try {
      for (const [name, call] of Object.entries(CALLS)) {
        if (await lacks(call(channel, { signal }))) lacking.push(name);
      }
      for (const name of Object.keys(STREAMS)) {
        if (isStream(name) && await lacks(drain(channel, name))) {
          lacking.push(name);
        }
      }
    } finally {
      channel.close();
    }
    console.info(`RPCs this runtime lacks: ${lacking.join(", ") || "none"}`);
  },
});

function isStream(name: string): name is StreamMethod {
  return Object.hasOwn(STREAMS, name);
}

/** Reads a stream for a moment; one that stays open is known. */
async function drain(channel: Channel, name: StreamMethod): Promise<void> {
  const signal = AbortSignal.timeout(300);
  try {
    for await (const message of channel.stream(name, {}, { signal })) {
      assert.ok(message);
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
}

/** True when the runtime has the RPC's name but does nothing for it. */
async function lacks(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    assert.ok(error instanceof AgentError, String(error));
    assert.ok(error.cause instanceof RpcError, error.message);
    assert.doesNotMatch(error.message, /unknown (method|service)/);
    assert.notEqual(error.cause.code, "UNAVAILABLE", error.message);
    return error.cause.code === "UNIMPLEMENTED";
  }
}
