/**
 * May a pod that runs have what it asks for by now, and who comes first when
 * several do? Asked by `sync/resizes.ts`, for all that wait, one after the
 * other. For a critical one others have to go, and it waits for their end.
 * Compat: kubelet 1.36 podResizesAdmitHandler, canAdmitPod,
 * sortPendingResizes. More than the whole node has is no case of its own: it
 * is deferred like any other, as the API server refuses most of them.
 */
import { plannedContainersOf } from "../api/pod.ts";
import { isCritical } from "../api/priority.ts";
import { amountOf, qosClass } from "../api/qos.ts";
import { requestsOf } from "../api/requests.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { resizable } from "./allocation.ts";
import type { Action } from "./action.ts";
import type { PodSettings } from "./facts.ts";
import { shortOf } from "./admit.ts";
import { missing, type Shortage, shortages } from "./fit.ts";
import { type RefusalFacts, refusalOf } from "./refuse.ts";
import { type RoomFacts, roomFor } from "./room.ts";
import { mayUseSwap } from "./runtime_resources.ts";
import { type Resizable, RESOURCES } from "./size.ts";

/** A pod as it is given, and as it is wanted. */
export interface ResizeAsk {
  readonly given: V1Pod;
  readonly wish: V1Pod;
}

type Preempt = Extract<Action, { readonly kind: "preempt" }>;

export type ResizeVerdict =
  | { readonly kind: "fits" }
  /** It will be asked again when there may be room. */
  | {
    readonly kind: "deferred";
    readonly message: string;
    readonly words: string;
    /** Who has to go first, as the pod is critical. */
    readonly preempts: readonly Preempt[];
  }
  /** Never, unless the pod asks for something else. */
  | {
    readonly kind: "infeasible";
    readonly message: string;
    /** By which it is counted. */
    readonly detail: string;
  };

/** `nowMs`: epoch milliseconds. */
export function weighResize(
  at: RefusalFacts & RoomFacts,
  ask: ResizeAsk,
  nowMs: number,
): ResizeVerdict {
  const never = infeasible(at.settings, ask);
  if (never !== undefined) return { kind: "infeasible", ...never };
  const { node } = at;
  const pod = ask.wish;
  const lacking = node === undefined
    ? []
    : shortages(pod, node.allocatable, at.others);
  const [first] = lacking;
  const refusal = refusalOf(at, pod);
  const deferred = (message: string, preempts: readonly Preempt[] = []) => {
    const words = wordsFor(message, lacking);
    return { kind: "deferred", message, words, preempts } as const;
  };
  if (refusal !== undefined) return deferred(refusal.message);
  if (first === undefined || node === undefined) return { kind: "fits" };
  const { message } = shortOf(first);
  if (!isCritical(pod)) return deferred(message);
  const room = roomFor(at, { pod, node }, nowMs);
  if (room.kind === "enough") return { kind: "fits" };
  if (room.kind === "none") return deferred(room.refusal.message);
  return deferred(
    message,
    room.plan.actions.filter((each) => each.kind === "preempt"),
  );
}

type Infeasible = { readonly message: string; readonly detail: string };

function infeasible(
  settings: PodSettings,
  ask: ResizeAsk,
): Infeasible | undefined {
  if (swaps(settings, ask)) {
    const message = "In-place resize of containers with swap is not supported.";
    return { message, detail: "swap_limitation" };
  }
  if (!settings.gates.mayResizePods && asksForPod(ask)) {
    const message = "InPlacePodLevelResourcesVerticalScaling is disabled";
    return { message, detail: "plr_feature_gate_off" };
  }
  if (qosClass(ask.wish) !== "Guaranteed") return undefined;
  if (settings.fixesCpus && requestsDiffer(settings, ask, "cpu")) {
    return {
      message: "Resize is infeasible for Guaranteed Pods alongside CPU " +
        'Manager policy "static"',
      detail: "guaranteed_pod_cpu_manager_static_policy",
    };
  }
  if (!settings.fixesMemory || !requestsDiffer(settings, ask, "memory")) {
    return undefined;
  }
  return {
    message: "Resize is infeasible for Guaranteed Pods alongside Memory " +
      'Manager policy "Static"',
    detail: "guaranteed_pod_memory_manager_static_policy",
  };
}

/** Compat: kubelet 1.36 disallowResizeForSwappableContainers. */
function swaps(settings: PodSettings, { given, wish }: ResizeAsk): boolean {
  const before = byName(plannedContainersOf(given));
  return plannedContainersOf(wish).some((container) => {
    const old = before.get(container.name);
    if (old === undefined) return false;
    const restarts = old.resizePolicy?.find(({ resourceName }) =>
      resourceName === "memory"
    )?.restartPolicy === "RestartContainer";
    const isSame = requestOf(container, "memory") === requestOf(old, "memory");
    return !isSame && !restarts &&
      (mayUseSwap(settings, wish, container) ||
        mayUseSwap(settings, given, old));
  });
}

function asksForPod({ given, wish }: ResizeAsk): boolean {
  const [old, now] = [given, wish].map(({ spec }) => spec?.resources ?? {});
  return (["requests", "limits"] as const).some((list) =>
    RESOURCES.some((name) =>
      amountOf(old?.[list], name) !== amountOf(now?.[list], name)
    )
  );
}

function requestsDiffer(
  { gates }: PodSettings,
  { given, wish }: ResizeAsk,
  resource: Resizable,
): boolean {
  const before = byName(resizable(given, gates));
  return resizable(wish, gates).some((container) => {
    const old = before.get(container.name);
    return old === undefined ||
      requestOf(container, resource) !== requestOf(old, resource);
  });
}

function byName(containers: readonly V1Container[]) {
  return new Map(containers.map((each) => [each.name, each]));
}

function requestOf({ resources }: V1Container, resource: Resizable): bigint {
  return amountOf(resources?.requests, resource) ?? 0n;
}

/** With the sum that does not work out, for `denolet explain`. */
function wordsFor(message: string, lacking: readonly Shortage[]): string {
  if (lacking.length === 0) return `Resize deferred: ${message}`;
  const sums = lacking.map((each) => {
    const { resource, requested, used, capacity } = each;
    const unit = resource === "cpu" ? "m" : "";
    return `asks for ${requested}${unit} ${resource}, others hold ` +
      `${used}${unit} of ${capacity}${unit}, ${missing(each)}${unit} too few`;
  });
  return `Resize deferred: ${sums.join("; ")}; it is tried again when pods ` +
    "leave or shrink";
}

/** A resize that waits, and since when, epoch milliseconds. */
export interface WaitingResize extends ResizeAsk {
  readonly sinceMs: number | undefined;
}

/** Who is asked first: those that take no more, then by rank. */
export function resizeOrder<T extends WaitingResize>(
  waiting: readonly T[],
): readonly T[] {
  const ranks = waiting.map((each) => ({ each, rank: rankOf(each) }));
  return ranks.toSorted((a, b) => {
    const index = a.rank.findIndex((value, at) => value !== b.rank[at]);
    return index < 0 ? 0 : (a.rank[index] ?? 0) - (b.rank[index] ?? 0);
  }).map(({ each }) => each);
}

/** The lower the sooner; compared from left to right. */
function rankOf({ given, wish, sinceMs }: WaitingResize): readonly number[] {
  return [
    takesMore({ given, wish }) ? 1 : 0,
    -(wish.spec?.priority ?? 0),
    qosClass(wish) === "Guaranteed" ? 0 : 1,
    sinceMs ?? Number.MAX_SAFE_INTEGER,
  ];
}

function takesMore({ given, wish }: ResizeAsk): boolean {
  const [old, now] = [requestsOf(given), requestsOf(wish)];
  return RESOURCES.some((name) =>
    (now.get(name) ?? 0n) > (old.get(name) ?? 0n)
  );
}

export interface ResizeOperation {
  readonly resource: Resizable;
  readonly requirement: "requests" | "limits";
  readonly operation: "add" | "remove" | "increase" | "decrease";
}

/** What a new version of a pod asks for otherwise than the one before. */
export function resizeOperations(
  old: V1Pod,
  now: V1Pod,
  { gates }: Pick<PodSettings, "gates">,
): readonly ResizeOperation[] {
  const before = byName(resizable(old, gates));
  return resizable(now, gates).flatMap((container) => {
    const known = before.get(container.name);
    if (known === undefined) return [];
    return RESOURCES.flatMap((resource) =>
      (["requests", "limits"] as const).flatMap((requirement) => {
        const operation = operationOf(
          amountOf(known.resources?.[requirement], resource) ?? 0n,
          amountOf(container.resources?.[requirement], resource) ?? 0n,
        );
        return operation === undefined
          ? []
          : [{ resource, requirement, operation }];
      })
    );
  });
}

/** Compat: kubelet 1.36 resizeOperationForResources. */
function operationOf(
  old: bigint,
  now: bigint,
): ResizeOperation["operation"] | undefined {
  if (old === now) return undefined;
  if (now === 0n) return "remove";
  if (old === 0n) return "add";
  return now < old ? "decrease" : "increase";
}
