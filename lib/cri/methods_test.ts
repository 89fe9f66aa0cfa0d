import assert from "node:assert/strict";
import type { StreamMethod, UnaryMethod } from "./methods.ts";
import { parseSchema, rpcShapes } from "./schema.ts";

/** The compiler keeps these two complete and free of strangers. */
const UNARY: Record<UnaryMethod, true> = {
  "runtime.v1.RuntimeService/Version": true,
  "runtime.v1.RuntimeService/Status": true,
  "runtime.v1.RuntimeService/RuntimeConfig": true,
  "runtime.v1.RuntimeService/UpdateRuntimeConfig": true,
  "runtime.v1.RuntimeService/RunPodSandbox": true,
  "runtime.v1.RuntimeService/StopPodSandbox": true,
  "runtime.v1.RuntimeService/RemovePodSandbox": true,
  "runtime.v1.RuntimeService/PodSandboxStatus": true,
  "runtime.v1.RuntimeService/ListPodSandbox": true,
  "runtime.v1.RuntimeService/UpdatePodSandboxResources": true,
  "runtime.v1.RuntimeService/PortForward": true,
  "runtime.v1.RuntimeService/CreateContainer": true,
  "runtime.v1.RuntimeService/StartContainer": true,
  "runtime.v1.RuntimeService/StopContainer": true,
  "runtime.v1.RuntimeService/RemoveContainer": true,
  "runtime.v1.RuntimeService/ContainerStatus": true,
  "runtime.v1.RuntimeService/ListContainers": true,
  "runtime.v1.RuntimeService/UpdateContainerResources": true,
  "runtime.v1.RuntimeService/ReopenContainerLog": true,
  "runtime.v1.RuntimeService/CheckpointContainer": true,
  "runtime.v1.RuntimeService/ExecSync": true,
  "runtime.v1.RuntimeService/Exec": true,
  "runtime.v1.RuntimeService/Attach": true,
  "runtime.v1.RuntimeService/ContainerStats": true,
  "runtime.v1.RuntimeService/ListContainerStats": true,
  "runtime.v1.RuntimeService/PodSandboxStats": true,
  "runtime.v1.RuntimeService/ListPodSandboxStats": true,
  "runtime.v1.RuntimeService/ListMetricDescriptors": true,
  "runtime.v1.RuntimeService/ListPodSandboxMetrics": true,
  "runtime.v1.ImageService/ListImages": true,
  "runtime.v1.ImageService/ImageStatus": true,
  "runtime.v1.ImageService/PullImage": true,
  "runtime.v1.ImageService/RemoveImage": true,
  "runtime.v1.ImageService/ImageFsInfo": true,
};

const STREAM: Record<StreamMethod, true> = {
  "runtime.v1.RuntimeService/GetContainerEvents": true,
  "runtime.v1.RuntimeService/StreamPodSandboxes": true,
  "runtime.v1.RuntimeService/StreamContainers": true,
  "runtime.v1.RuntimeService/StreamContainerStats": true,
  "runtime.v1.RuntimeService/StreamPodSandboxStats": true,
  "runtime.v1.RuntimeService/StreamPodSandboxMetrics": true,
  "runtime.v1.ImageService/StreamImages": true,
};

Deno.test("methods name every RPC of the schema, streams apart", () => {
  const shapes = [...rpcShapes(parseSchema())];
  const named = (isStream: boolean) =>
    shapes.filter(([, shape]) => shape.isStream === isStream)
      .map(([name]) => name).sort();
  assert.deepEqual(Object.keys(UNARY).sort(), named(false));
  assert.deepEqual(Object.keys(STREAM).sort(), named(true));
});
