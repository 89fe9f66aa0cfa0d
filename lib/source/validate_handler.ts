/**
 * Rules for probes and lifecycle hooks.
 * Compat: kubelet 1.36 validateProbe, validateHandler, validateLifecycle.
 */
import type {
  V1Container,
  V1Lifecycle,
  V1PodSpec,
  V1Probe,
} from "../api/types.ts";
import {
  forbidden,
  invalid,
  invalids,
  notSupported,
  type Path,
  required,
  type Violation,
} from "./field.ts";
import { headerName, portName, portNumber } from "./names.ts";
import { linuxSignals } from "./signals.ts";

const NOT_NEGATIVE = "must be greater than or equal to 0";
const COUNTS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;
const SCHEMES = ["HTTP", "HTTPS"];

type Handler =
  & Pick<V1Probe, "exec" | "httpGet" | "tcpSocket" | "grpc">
  & Pick<NonNullable<V1Lifecycle["preStop"]>, "sleep">;

/** The probes and hooks of a container that keeps running. */
export function* validateHandlers(
  container: V1Container,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = lifecycle?.[hook];
    if (handler === undefined) continue;
    yield* validateHandler(handler, spec, [...path, "lifecycle", hook]);
  }
  if (lifecycle?.stopSignal !== undefined) {
    const at = [...path, "lifecycle", "stopSignal"];
    yield* validateStopSignal(lifecycle.stopSignal, spec, at);
  }
  for (
    const [name, probe] of [
      ["livenessProbe", livenessProbe],
      ["startupProbe", startupProbe],
    ] as const
  ) {
    if (probe === undefined) continue;
    yield* validateProbe(probe, spec, [...path, name]);
    if (probe.successThreshold === 1) continue;
    const at = [...path, name, "successThreshold"];
    yield invalid(at, probe.successThreshold, "must be 1");
  }
  if (readinessProbe !== undefined) {
    const at = [...path, "readinessProbe"];
    yield* validateProbe(readinessProbe, spec, at);
    const seconds = readinessProbe.terminationGracePeriodSeconds;
    if (seconds !== undefined) {
      yield invalid(
        [...at, "terminationGracePeriodSeconds"],
        seconds,
        "must not be set for readinessProbes",
      );
    }
  }
}

/** An init container that ends has nobody to probe. */
export function* refuseHandlers(
  container: V1Container,
  path: Path,
): Generator<Violation> {
  const detail =
    "may not be set for init containers without restartPolicy=Always";
  for (
    const name of [
      "lifecycle",
      "livenessProbe",
      "readinessProbe",
      "startupProbe",
    ] as const
  ) {
    if (container[name] !== undefined) {
      yield forbidden([...path, name], detail);
    }
  }
}

function* validateProbe(
  probe: V1Probe,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  yield* validateHandler(probe, spec, path);
  for (const name of COUNTS) {
    const value = probe[name] ?? 0;
    if (value < 0) yield invalid([...path, name], value, NOT_NEGATIVE);
  }
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) {
    const at = [...path, "terminationGracePeriodSeconds"];
    yield invalid(at, seconds, "must be greater than 0");
  }
}

function* validateHandler(
  handler: Handler,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  const kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
  const [first, ...others] = kinds.filter((kind) => handler[kind]);
  for (const kind of others) {
    const detail = "may not specify more than 1 handler type";
    yield forbidden([...path, kind], detail);
  }
  if (first === undefined) {
    return yield required(path, "must specify a handler type");
  }
  const at = [...path, first];
  if (first === "exec" && !handler.exec?.command?.length) {
    yield required([...at, "command"]);
  }
  if (first === "httpGet" && handler.httpGet !== undefined) {
    yield* validateHttp(handler.httpGet, at);
  }
  if (first === "tcpSocket") {
    yield* validatePort(handler.tcpSocket?.port, [...at, "port"]);
  }
  if (first === "grpc") {
    yield* validatePort(handler.grpc?.port, [...at, "port"]);
  }
  if (first === "sleep") {
    const grace = spec.terminationGracePeriodSeconds ?? 0;
    const seconds = handler.sleep?.seconds ?? 0;
    if (seconds >= 0 && seconds <= grace) return;
    const detail = `must be non-negative and less than ` +
      `terminationGracePeriodSeconds (${grace})`;
    yield invalid(at, seconds, detail);
  }
}

function* validateHttp(
  http: NonNullable<V1Probe["httpGet"]>,
  path: Path,
): Generator<Violation> {
  yield* validatePort(http.port, [...path, "port"]);
  if (!SCHEMES.includes(http.scheme ?? "")) {
    yield notSupported([...path, "scheme"], http.scheme, SCHEMES);
  }
  for (const { name } of http.httpHeaders ?? []) {
    yield* invalids(
      [...path, "httpHeaders"],
      name ?? "",
      headerName(name ?? ""),
    );
  }
}

/** Compat: a port that is left out is the number 0 to Go. */
function* validatePort(
  port: string | number | undefined,
  path: Path,
): Generator<Violation> {
  const value = port ?? 0;
  const wrong = typeof value === "number" ? portNumber(value) : portName(value);
  yield* invalids(path, value, wrong);
}

function* validateStopSignal(
  signal: string,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  if (spec.os === undefined) {
    const detail = "may not be set for containers with empty `spec.os.name`";
    yield forbidden(path, detail);
  } else if (spec.os.name === "linux" && !linuxSignals().includes(signal)) {
    yield notSupported(path, signal, linuxSignals());
  }
}
