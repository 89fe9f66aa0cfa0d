/**
 * Who a static pod is: its name on the cluster, its uid, the annotations that
 * say where it comes from. Pure.
 * Compat: kubelet 1.36 pkg/kubelet/config/common.go applyDefaults.
 */
import { podUid } from "../api/id.ts";
import { CONFIG_HASH, CONFIG_SEEN, CONFIG_SOURCE } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { fnv128a } from "./fnv.ts";
import type { Toleration } from "./parts.ts";
import type { Origin, WantedPod } from "./types.ts";

/** Trailing zeros of a second's fraction, which Go's format leaves out. */
const IDLE_ZEROS = /\.?(?<!0)0+Z$/;

/**
 * The uid of a pod that does not bring its own: a hash of what the manifest
 * says and where it is.
 * Compat: upstream hashes a dump of its Go structs, which nobody else can
 * make. Ours hashes the pod's canonical JSON before defaults, so that it has
 * the same form, changes with the same edits, and survives an upgrade.
 */
export function uidFor(pod: V1Pod, origin: Origin, nodeName: string): string {
  const place = origin.kind === "file"
    ? `host:${nodeName}file:${origin.location}`
    : `url:${origin.location}`;
  return fnv128a(new TextEncoder().encode(canonicalJson(pod) + place));
}

/** JSON with sorted keys: equal for equal values, however they were written. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value) ?? "null";
  }
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([one], [other]) => one < other ? -1 : 1);
  const parts = entries.map(([key, each]) =>
    `${JSON.stringify(key)}:${canonicalJson(each)}`
  );
  return `{${parts.join(",")}}`;
}

/**
 * The pod as this node runs it. `uid` is given, because it is made before the
 * defaults are filled in.
 */
export function withIdentity(
  pod: V1Pod,
  uid: string,
  place: { readonly origin: Origin; readonly nodeName: string },
): WantedPod {
  const { origin, nodeName } = place;
  const metadata = pod.metadata ?? {};
  const spec = pod.spec ?? { containers: [] };
  const annotations = ownMap(metadata.annotations);
  annotations[CONFIG_HASH] = uid;
  annotations[CONFIG_SOURCE] = origin.kind === "file" ? "file" : "http";
  const identified: V1Pod = {
    ...pod,
    metadata: {
      ...metadata,
      name: `${metadata.name ?? ""}-${nodeName.toLowerCase()}`,
      namespace: metadata.namespace || "default",
      uid,
      annotations,
    },
    spec: { ...spec, nodeName },
    status: { phase: "Pending" },
  };
  if (origin.kind === "file" && identified.spec !== undefined) {
    identified.spec.tolerations = tolerant(spec.tolerations ?? []);
  }
  return { pod: identified, uid: podUid(uid), origin };
}

/** The same pod with the time it was first seen. */
export function withSeen(found: WantedPod, seen: string): WantedPod {
  const { pod } = found;
  const annotations = ownMap(pod.metadata?.annotations);
  annotations[CONFIG_SEEN] = seen;
  return {
    ...found,
    pod: { ...pod, metadata: { ...pod.metadata, annotations } },
  };
}

export function seenOf({ pod }: WantedPod): string | undefined {
  return pod.metadata?.annotations?.[CONFIG_SEEN];
}

/** RFC 3339 with as many digits of the second as there are. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(IDLE_ZEROS, "Z");
}

/** A static pod stays, whatever becomes of its node. */
function tolerant(tolerations: readonly Toleration[]): Toleration[] {
  const all: Toleration = { operator: "Exists", effect: "NoExecute" };
  const others = tolerations.filter((each) =>
    each.key || each.value || each.operator !== all.operator ||
    each.effect !== all.effect
  );
  return [...others, all];
}

/** A copy that keeps every key a plain key, `__proto__` too. */
function ownMap(map: Readonly<Record<string, string>> | undefined) {
  const own: Record<string, string> = Object.create(null);
  return Object.assign(own, map);
}
