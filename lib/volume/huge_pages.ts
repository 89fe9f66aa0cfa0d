/**
 * Which size of huge page an empty directory on them has. Pure.
 * Compat: kubelet 1.36 getPageSizeMountOption, with its words.
 */
import { plannedContainersOf } from "../api/pod.ts";
import { parseQuantity, units } from "../api/quantity.ts";
import type { V1Pod } from "../api/types.ts";

const ANY = "HugePages";
const ONE = "HugePages-";
const RESOURCE = "hugepages-";

export type PageResult =
  | { readonly kind: "ok"; readonly bytes: bigint }
  | { readonly kind: "refused"; readonly message: string };

/** `medium` is `HugePages` or names a size: `HugePages-2Mi`. */
export function hugePageBytes(pod: V1Pod, medium: string): PageResult {
  const wanted = medium.startsWith(ONE)
    ? bytesOf(medium.slice(ONE.length))
    : undefined;
  if (medium !== ANY && wanted === undefined) {
    return refused(`unknown storage medium "${medium}"`);
  }
  const requested = new Set(
    requests(pod).filter((name) => name.startsWith(RESOURCE))
      .map((name) => bytesOf(name.slice(RESOURCE.length))),
  );
  if (wanted === undefined && requested.size > 1) {
    return refused(
      `medium: ${medium} can't be used if container requests multiple huge ` +
        "page sizes",
    );
  }
  const [only] = requested;
  const bytes = wanted === undefined || requested.has(wanted)
    ? wanted ?? only
    : undefined;
  return bytes === undefined
    ? refused(
      `medium ${medium}: hugePages storage requested, but there is no ` +
        "resource request for huge pages",
    )
    : { kind: "ok", bytes };
}

function requests(pod: V1Pod): string[] {
  const all = [pod.spec, ...plannedContainersOf(pod)];
  // A limit without a request is the request.
  return all.flatMap((each) =>
    Object.keys({
      ...each?.resources?.limits,
      ...each?.resources?.requests,
    })
  );
}

function bytesOf(text: string): bigint | undefined {
  const quantity = parseQuantity(text);
  return quantity === undefined || quantity <= 0n ? undefined : units(quantity);
}

function refused(message: string): PageResult {
  return { kind: "refused", message };
}
