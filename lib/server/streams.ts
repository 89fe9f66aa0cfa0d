/**
 * `/exec`, `/attach` and `/portForward`: the runtime is asked for the address
 * of its streaming server, and the connection handed over to it. Each is
 * written to the log, with a hash of the command and not the command.
 * Compat: kubelet 1.36 getExec, getAttach, getPortForward
 */
import type { ContainerId } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import { fullNameOf, titleOf } from "../api/pod.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Handover, NodeAnswer } from "../port/node_server.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { commandHash } from "./command_hash.ts";
import { text } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import {
  calledPod,
  containerSpec,
  type PodIndex,
  readySandbox,
  runningContainer,
} from "./pod_lookup.ts";
import { portsOf, type StreamOptions, streamOptions } from "./stream_query.ts";
import { streamTarget } from "./stream_target.ts";
import {
  type Spoken,
  spokenCommand,
  spokenTunnel,
  tunnelOf,
} from "./stream_websocket.ts";
import type { PodView } from "./view.ts";

export interface StreamParts {
  readonly runtime: Pick<
    ContainerRuntime,
    | "execUrl"
    | "attachUrl"
    | "portForwardUrl"
    | "listContainers"
    | "listSandboxes"
  >;
  readonly index: PodIndex;
  readonly log: Logger;
  /** Whether newer WebSockets are spoken here: older runtimes have none. */
  readonly speaksWebSocket: boolean;
  readonly meters: Pick<Meters, "webSockets">;
  /** `streamingConnectionIdleTimeout`. */
  readonly idleMs: number;
}

const METHODS = ["GET", "POST"];

export function streamRoutes(parts: StreamParts): Route[] {
  const answers = {
    exec: (call: Call) => exec(parts, call),
    attach: (call: Call) => attach(parts, call),
    portForward: (call: Call) => portForward(parts, call),
  };
  return [
    ...both("/exec", "/:container", answers.exec),
    ...both("/attach", "/:container", answers.attach),
    ...both("/portForward", "", answers.portForward),
  ];
}

function both(start: string, end: string, answer: Route["answer"]): Route[] {
  return [
    `${start}/:namespace/:pod${end}`,
    `${start}/:namespace/:pod/:uid${end}`,
  ]
    .map((path) => ({ path, methods: METHODS, answer }));
}

async function exec(parts: StreamParts, call: Call): Promise<NodeAnswer> {
  const found = await containerOf(parts, call);
  if (found.kind === "refused") return found.answer;
  const { pod, name, id, options } = found;
  if (id === undefined) return text(500, `container not found ("${name}")`);
  const command = call.request.query.get("command") ?? [];
  const request = { containerId: id, command, ...options };
  return await handedOver(parts, call, {
    what: "exec",
    pod,
    fields: { container: name, command: commandHash(command) },
    spoken: spokenCommand(call.request.headers, options),
    url: () => parts.runtime.execUrl(request, call.request.signal),
  });
}

async function attach(parts: StreamParts, call: Call): Promise<NodeAnswer> {
  const found = await containerOf(parts, call);
  if (found.kind === "refused") return found.answer;
  const { pod, name, id, options } = found;
  const spec = containerSpec(pod.pod, name);
  if (id === undefined || spec === undefined) {
    const full = fullNameOf(pod.pod);
    return text(500, `container ${name} not found in pod ${full}`);
  }
  const streams = asStarted(options, spec);
  const request = { containerId: id, ...streams };
  return await handedOver(parts, call, {
    what: "attach",
    pod,
    fields: { container: name },
    spoken: spokenCommand(call.request.headers, streams),
    url: () => parts.runtime.attachUrl(request, call.request.signal),
  });
}

type Found =
  | { readonly kind: "refused"; readonly answer: NodeAnswer }
  | {
    readonly kind: "found";
    readonly pod: PodView;
    readonly name: string;
    /** Undefined: it does not run. */
    readonly id: ContainerId | undefined;
    readonly options: StreamOptions;
  };

/** Which container is meant, and which of its streams. */
async function containerOf(
  { index, runtime }: StreamParts,
  call: Call,
): Promise<Found> {
  const refused = (status: number, why: string): Found => {
    return { kind: "refused", answer: text(status, why) };
  };
  const options = streamOptions(call.request.query);
  if (typeof options === "string") return refused(400, options);
  const pod = calledPod(index, call);
  if (pod === undefined) return refused(404, "pod does not exist");
  const name = call.params.get("container") ?? "";
  const wanted = { podUid: pod.uid, name };
  const id = await runningContainer(runtime, wanted, call.request.signal);
  return { kind: "found", pod, name, id, options };
}

/** A terminal is what the container was started with, not what is asked. */
function asStarted(
  options: StreamOptions,
  { tty = false }: { readonly tty?: boolean },
): StreamOptions {
  return { ...options, hasTty: tty, hasStderr: options.hasStderr && !tty };
}

async function portForward(
  parts: StreamParts,
  call: Call,
): Promise<NodeAnswer> {
  const isTunnel = parts.speaksWebSocket &&
    tunnelOf(call.request.headers) !== undefined;
  const ports = isTunnel ? [] : portsOf(call.request);
  if (typeof ports === "string") return text(400, ports);
  const { runtime, index } = parts;
  const named = new Map(call.params);
  named.delete("uid");
  if (calledPod(index, { params: named }) === undefined) {
    return text(404, "pod does not exist");
  }
  const pod = calledPod(index, call);
  if (pod === undefined) return text(404, "pod not found");
  const { signal } = call.request;
  const id = await readySandbox(runtime, pod.uid, signal);
  if (id === undefined) {
    return text(500, `pod not found ("${titleOf(pod.pod)}")`);
  }
  return await handedOver(parts, call, {
    what: "port-forward",
    pod,
    fields: { ports: ports.join(",") },
    spoken: spokenTunnel(call.request.headers),
    url: () => runtime.portForwardUrl({ id, ports }, signal),
  });
}

interface Stream {
  readonly what: string;
  readonly pod: PodView;
  readonly fields: Readonly<Record<string, string>>;
  /** A WebSocket that is understood here. */
  readonly spoken: Spoken | undefined;
  readonly url: () => Promise<string>;
}

async function handedOver(
  { log, speaksWebSocket, meters, idleMs }: StreamParts,
  { request, user }: Call,
  stream: Stream,
): Promise<NodeAnswer> {
  const pod = titleOf(stream.pod.pod);
  const fields = { pod, user: user.name, remote: request.remote };
  const line = log.with({ ...fields, ...stream.fields });
  line.info(`Stream asked for: ${stream.what}`);
  if (!request.isUpgrade) {
    // Compat: apimachinery 0.36 UpgradeAwareHandler with upgradeRequired
    return text(400, "Upgrade request required");
  }
  try {
    const target = streamTarget(await stream.url());
    if (typeof target === "string") {
      line.error("Refused the runtime's streaming address", { why: target });
      return text(500, target);
    }
    const ended: Handover["ended"] = (counts) =>
      line.info(`Stream ended: ${stream.what}`, counts);
    const shared = { kind: "handover", ...target, idleMs, ended } as const;
    if (speaksWebSocket && stream.spoken !== undefined) {
      const subresource = stream.what.replace("-", "");
      meters.webSockets.add({ subresource });
      return { ...shared, method: "POST", ...stream.spoken };
    }
    const headers = passedOn(request.headers);
    return { ...shared, method: request.method, headers };
  } catch (error) {
    const status = statusOf(error);
    line.warn(`Cannot begin a stream: ${stream.what}`, {
      error: chainOf(error),
    });
    return text(status, chainOf(error));
  }
}

/** Compat: cri-streaming 0.36 WriteError */
function statusOf(error: unknown): number {
  const reason = error instanceof AgentError ? error.reason : undefined;
  if (reason === "NotFound") return 404;
  return reason === "ResourceExhausted" ? 429 : 500;
}

/** Headers that speak of the protocol; a caller's credentials stay here. */
const PASSED_ON = [
  "connection",
  "upgrade",
  "x-stream-protocol-version",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
];

function passedOn(
  headers: ReadonlyMap<string, string>,
): (readonly [string, string])[] {
  return PASSED_ON.flatMap((name) => {
    const value = headers.get(name);
    if (value === undefined) return [];
    // Each version in a line of its own, as SPDY clients send them.
    return name === "x-stream-protocol-version"
      ? value.split(",").map((each) => [name, each.trim()] as const)
      : [[name, value] as const];
  });
}
