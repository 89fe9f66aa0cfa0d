/**
 * The API's JSON ⇄ our types, pure. The one place that claims what an object
 * of the API is; the server has checked them against its own schema.
 */
import { objectIn, textIn } from "../base/json.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
} from "../api/types.ts";
import type { PodStatusChange } from "../api/status.ts";
import type { ApiObject, CsrState, PodNews, PodRef } from "../port/cluster.ts";
import { objectsIn } from "./json.ts";
import type { ObjectNews } from "./watch.ts";

export function podFrom(object: ApiObject): V1Pod {
  return object as V1Pod;
}

export function claimFrom(object: ApiObject): V1PersistentVolumeClaim {
  return object as V1PersistentVolumeClaim;
}

export function persistentVolumeFrom(object: ApiObject): V1PersistentVolume {
  return object as V1PersistentVolume;
}

export function podBody(pod: V1Pod): ApiObject {
  return { ...pod, apiVersion: "v1", kind: "Pod" } as ApiObject;
}

export function podNews(news: ObjectNews): PodNews {
  switch (news.kind) {
    case "listed":
      return { kind: "listed", pods: news.objects.map(podFrom) };
    case "changed":
      return { kind: "changed", pod: podFrom(news.object) };
    case "deleted":
      return { kind: "deleted", pod: podFrom(news.object) };
    case "silent":
    case "steady":
      return news;
  }
}

/** Lists that the server would merge by address: an old one would stay. */
const WHOLE_LISTS = ["podIPs", "hostIPs"];
/**
 * Conditions are merged by type, so that those of others stay; the uid makes
 * the server refuse a pod of the same name that is another. Null takes a field
 * away, the server sees to that.
 */
export function podStatusPatch(
  pod: PodRef,
  change: PodStatusChange,
): ApiObject {
  const { conditions = [], conditionsGone = [], ...fields } = change;
  const entries = Object.entries(fields).map(([key, value]) =>
    [
      key,
      WHOLE_LISTS.includes(key) && Array.isArray(value)
        ? [{ $patch: "replace" }, ...value]
        : value,
    ] as const
  );
  const gone = conditionsGone.map((type) => ({ type, $patch: "delete" }));
  const merged = [...conditions, ...gone];
  return {
    metadata: { uid: pod.uid },
    status: {
      ...Object.fromEntries(entries),
      ...merged.length === 0 ? {} : { conditions: merged },
    },
  };
}

export function csrState(object: ApiObject): CsrState {
  const status = objectIn(object, "status");
  const conditions = objectsIn(status, "conditions");
  const refused = conditions.find(({ type }) =>
    type === "Denied" || type === "Failed"
  );
  const certificate = textIn(status, "certificate");
  return {
    name: textIn(objectIn(object, "metadata"), "name") ?? "",
    isApproved: conditions.some(({ type, status }) =>
      type === "Approved" && status !== "False"
    ),
    refusal: refused === undefined ? undefined : [
      textIn(refused, "type"),
      textIn(refused, "reason"),
      textIn(refused, "message"),
    ].filter((each) => each !== undefined && each !== "").join(": "),
    certificate: certificate === undefined || certificate === ""
      ? undefined
      : new TextDecoder().decode(Uint8Array.fromBase64(certificate)),
  };
}
