/**
 * Finds the image of one container's start, or pulls it: what the pull policy
 * says, what earlier pulls have proven, what the pod can show. Keeps no state.
 * Compat: kubelet 1.36 images.EnsureImageExists.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, isAbort } from "../base/errors.ts";
import type { Meters } from "../api/meters.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { printGoDuration } from "../config/go_duration.ts";
import type { Image, Images } from "../port/images.ts";
import type { SandboxSpec } from "../port/runtime_spec.ts";
import { hashOf } from "./credential.ts";
import type { Gathered, PodCredentials } from "./pod_credentials.ts";
import { pullDecision } from "./policy.ts";
import type { PullRecords } from "./pull_records.ts";
import { nameFault, withTag } from "./reference.ts";
import type { Pulled, SharedPulls } from "./shared_pulls.ts";
import type { ImageProgress, PullPolicy } from "./types.ts";
import type { Proofs } from "./verification.ts";

export interface EnsurePorts {
  readonly images: Images;
  readonly clock: Clock;
  readonly pulls: SharedPulls;
  readonly credentials: Pick<PodCredentials, "gather">;
  /** Undefined: any pod may use any image that is there. */
  readonly records: PullRecords | undefined;
  readonly meters?: Pick<Meters, "imagePullSeconds" | "imageRequests">;
}

export interface EnsureAsk {
  readonly image: string;
  readonly policy: PullPolicy;
  /** Undefined when it has gone meanwhile. */
  readonly pod: V1Pod | undefined;
  readonly sandbox: SandboxSpec | undefined;
  /** Tells what happens. */
  readonly say: (step: Omit<Step, "container">) => void;
  readonly queued: () => void;
  readonly pulling: () => void;
}

export async function ensureImage(
  ports: EnsurePorts,
  ask: EnsureAsk,
  signal: AbortSignal,
): Promise<ImageProgress> {
  const name = withTag(ask.image);
  if (name === undefined) {
    throw new AgentError(
      `Failed to apply default image tag "${ask.image}": couldn't parse ` +
        `image name "${ask.image}": ${nameFault(ask.image)}`,
      { next: "give-up", reason: "InvalidImageName" },
    );
  }
  let gathering: Promise<Gathered> | undefined;
  const gather = () =>
    gathering ??= ports.credentials.gather(ask.pod, ask.image, signal);
  const found = ask.policy === "Always"
    ? undefined
    : await look(ports, { name, pod: ask.pod }, signal);
  const decision = pullDecision(ask.policy, found);
  const isPresent = ask.policy === "Always" ? undefined : found !== undefined;
  if (decision === "refuse") {
    count(ports, ask, { isPresent, isNeeded: undefined });
    throw neverPulled(ask);
  }
  if (found !== undefined) {
    const proofs = async () => proofsOf(await gather());
    const isClosed = await ports.records?.needsPull(
      ask.image,
      found.id,
      proofs,
    ) ?? false;
    count(ports, ask, { isPresent, isNeeded: isClosed });
    if (!isClosed) return usePresent(ports, ask, found);
    // As if it were not there: a tenant must not learn what others pulled.
    if (ask.policy === "Never") throw neverPulled(ask);
  }
  if (found === undefined) count(ports, ask, { isPresent, isNeeded: true });
  return await pull(ports, { ...ask, name, gathered: await gather() }, signal);
}

/** Compat: kubelet 1.36 recordEnsureImageRequest. */
function count(
  { meters }: EnsurePorts,
  { policy }: EnsureAsk,
  known: {
    readonly isPresent: boolean | undefined;
    readonly isNeeded: boolean | undefined;
  },
): void {
  meters?.imageRequests.add({
    pull_policy: policy.toLowerCase(),
    present_locally: String(known.isPresent ?? "unknown"),
    pull_required: String(known.isNeeded ?? "unknown"),
  });
}

const GIB = 1024 ** 3;
/** Compat: kubelet 1.36 imageSizeBuckets. */
const SIZES: readonly (readonly [number, string])[] = [
  [100 * GIB, "GT100GB"],
  [60 * GIB, "60GB-100GB"],
  [40 * GIB, "40GB-60GB"],
  [30 * GIB, "30GB-40GB"],
  [20 * GIB, "20GB-30GB"],
  [10 * GIB, "10GB-20GB"],
  [5 * GIB, "5GB-10GB"],
  [GIB, "1GB-5GB"],
  [500 * 1024 ** 2, "500MB-1GB"],
  [100 * 1024 ** 2, "100MB-500MB"],
  [10 * 1024 ** 2, "10MB-100MB"],
  [0, "0-10MB"],
];

function sizeBucket(bytes: number): string {
  return SIZES.find(([limit]) => bytes > limit)?.[1] ?? "N/A";
}

function usePresent(
  { records }: EnsurePorts,
  ask: EnsureAsk,
  found: Image,
): ImageProgress {
  ask.say({
    type: "Normal",
    reason: "Pulled",
    message: `Container image "${ask.image}" already present on machine` +
      (records === undefined ? "" : " and can be accessed by the pod"),
  });
  return present(found, found.id);
}

async function pull(
  ports: EnsurePorts,
  ask: EnsureAsk & { readonly name: string; readonly gathered: Gathered },
  signal: AbortSignal,
): Promise<ImageProgress> {
  const { clock, records } = ports;
  const askedAtMs = clock.monotonicMs();
  await records?.begin(ask.image);
  const pulled = await pullRecorded(ports, ask, signal);
  const image = await look(ports, ask, signal);
  ports.meters?.imagePullSeconds.observe(
    { image_size_in_bytes: sizeBucket(Number(image?.sizeBytes ?? 0)) },
    pulled.pullMs / 1000,
  );
  ask.say({
    type: "Normal",
    reason: "Pulled",
    message: `Successfully pulled image "${ask.image}" in ` +
      `${printGoDuration(Math.floor(pulled.pullMs))} ` +
      `(${printGoDuration(Math.floor(clock.monotonicMs() - askedAtMs))} ` +
      `including waiting). Image size: ${image?.sizeBytes ?? 0} bytes.`,
  });
  return image === undefined
    ? { kind: "present", ref: pulled.ref, userName: "" }
    : present(image, pulled.ref);
}

async function pullRecorded(
  { pulls, records }: EnsurePorts,
  ask: EnsureAsk & { readonly name: string; readonly gathered: Gathered },
  signal: AbortSignal,
): Promise<Pulled> {
  const { credentials, complaints } = ask.gathered;
  ask.queued();
  try {
    const pulled = await pulls.pull({
      image: ask.name,
      credentials,
      annotations: annotationsOf(ask.pod),
      sandbox: ask.sandbox,
      priority: ask.pod?.spec?.priority ?? 0,
      started: () => {
        ask.pulling();
        ask.say({
          type: "Normal",
          reason: "Pulling",
          message: `Pulling image "${ask.image}"`,
        });
      },
    }, signal);
    await records?.succeeded(ask.image, pulled.ref, pulled.credential);
    return pulled;
  } catch (error) {
    // The runtime may have the image all the same.
    if (isAbort(error, signal)) records?.abandoned(ask.image);
    else await records?.failed(ask.image);
    throw withComplaints(error, complaints);
  }
}

/** Compat: kubelet 1.36 EnsureImageExists tells the runtime the pod's. */
function annotationsOf(pod: V1Pod | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(pod?.metadata?.annotations ?? {}));
}

function withComplaints(
  error: unknown,
  complaints: readonly string[],
): unknown {
  if (!(error instanceof AgentError) || complaints.length === 0) return error;
  const { message, next, reason, cause } = error;
  return new AgentError(`${message} (${complaints.join("; ")})`, {
    next,
    ...reason === undefined ? {} : { reason },
    cause,
  });
}

function neverPulled({ image }: EnsureAsk): AgentError {
  return new AgentError(
    `Container image "${image}" is not present with pull policy of Never`,
    { next: "give-up", reason: "ErrImageNeverPull" },
  );
}

async function look(
  { images }: EnsurePorts,
  { name: image, pod }: {
    readonly name: string;
    readonly pod: V1Pod | undefined;
  },
  signal: AbortSignal,
): Promise<Image | undefined> {
  const annotations = annotationsOf(pod);
  try {
    return await images.status(
      { image, annotations, runtimeHandler: "" },
      signal,
    );
  } catch (cause) {
    if (isAbort(cause, signal)) throw cause;
    throw new AgentError(`Failed to inspect image "${image}"`, {
      next: "retry",
      reason: "ImageInspectError",
      cause,
    });
  }
}

function proofsOf({ credentials }: Gathered): Proofs {
  const secrets = credentials.flatMap(({ login, source }) =>
    source.kind === "secret" ? [{ at: source.at, hash: hashOf(login) }] : []
  );
  const [serviceAccount] = credentials.flatMap(({ source }) =>
    source.kind === "service-account" ? [source.at] : []
  );
  return { secrets, serviceAccount };
}

function present(image: Image, ref: string): ImageProgress {
  return {
    kind: "present",
    ref,
    userName: image.userName,
    ...image.uid === undefined ? {} : { uid: image.uid },
  };
}
