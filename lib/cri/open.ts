/**
 * Opens the runtime and the image service, which may share an endpoint, and
 * adds what only gRPC can ask to what the host can ask containers.
 */
import type { Checkpoints } from "../port/checkpoints.ts";
import type { Images } from "../port/images.ts";
import type { PodNet } from "../port/net.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { checkpoints } from "./checkpoints.ts";
import { type OnCall, openChannel } from "./channel.ts";
import { openHealth } from "./health.ts";
import { CriImages } from "./images.ts";
import { CriRuntime } from "./runtime.ts";

export interface RuntimePorts {
  readonly runtime: ContainerRuntime;
  readonly images: Images;
  readonly podNet: PodNet;
  readonly checkpoints: Checkpoints;
}

/** Nothing is connected before the first call. */
export function openRuntime(
  config: {
    readonly containerRuntimeEndpoint: string;
    /** Empty: the same as the runtime's. */
    readonly imageServiceEndpoint: string;
    /** Milliseconds. */
    readonly runtimeRequestTimeout: number;
  },
  host: {
    readonly podNet: Omit<PodNet, "health">;
    readonly onCall?: OnCall;
  },
): RuntimePorts {
  const endpoint = config.containerRuntimeEndpoint;
  const requestTimeoutMs = config.runtimeRequestTimeout;
  const { onCall } = host;
  const options = {
    requestTimeoutMs,
    ...onCall === undefined ? {} : { onCall },
  };
  const channel = openChannel({ endpoint, ...options });
  const own = config.imageServiceEndpoint;
  const images = own === "" || own === endpoint
    ? channel
    : openChannel({ endpoint: own, ...options });
  return {
    runtime: new CriRuntime(channel),
    images: new CriImages(images),
    checkpoints: checkpoints(channel),
    podNet: { ...host.podNet, ...openHealth() },
  };
}
