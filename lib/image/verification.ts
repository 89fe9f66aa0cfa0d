/**
 * May a pod use an image that is on the node already, or has it to prove that
 * it may pull it? Pure: what is recorded of earlier pulls and what the pod can
 * show go in, the verdict comes out.
 * Compat: kubelet 1.36 pullmanager.MustAttemptImagePull and its policies.
 */
import { type Coordinates, isSame } from "./credential.ts";
import type { ProvenSecret, PulledRecord } from "./pull_record.ts";
import { withoutTag } from "./reference.ts";

export interface VerificationSettings {
  readonly policy:
    | "NeverVerify"
    | "NeverVerifyPreloadedImages"
    | "NeverVerifyAllowlistedImages"
    | "AlwaysVerify";
  /** Repositories, or prefixes that end in slash and star. */
  readonly allowlist: readonly string[];
}

/** What a pod can show. */
export interface Proofs {
  readonly secrets: readonly ProvenSecret[];
  readonly serviceAccount: Coordinates | undefined;
}

/** What of the earlier pulls matters for one image. */
export type Standing =
  | { readonly kind: "open" }
  | { readonly kind: "closed" }
  /** The pod's proofs decide. */
  | {
    readonly kind: "guarded";
    readonly secrets: readonly ProvenSecret[];
    readonly serviceAccounts: readonly Coordinates[];
  };

export type Verdict =
  | {
    readonly kind: "use";
    /** To be recorded, so that it is known the next time. */
    readonly remember?: ProvenSecret;
  }
  | { readonly kind: "pull" };

/** Beyond so many, what is only matched is not recorded besides. */
const LONGEST_LIST = 100;

/** True when the policy asks for a proof. */
export function needsProof(
  { policy, allowlist }: VerificationSettings,
  { image, isPulledHere }: {
    readonly image: string;
    /** By an agent, as the records say; else it was there before. */
    readonly isPulledHere: boolean;
  },
): boolean {
  switch (policy) {
    case "NeverVerify":
      return false;
    case "NeverVerifyPreloadedImages":
      return isPulledHere;
    case "NeverVerifyAllowlistedImages":
      return !isListed(allowlist, withoutTag(image) ?? image);
    case "AlwaysVerify":
      return true;
  }
}

function isListed(allowlist: readonly string[], path: string): boolean {
  return allowlist.some((pattern) =>
    pattern.endsWith("/*")
      ? path.startsWith(pattern.slice(0, -1))
      : path === pattern
  );
}

/** What the record of an image says about one of its names. */
export function standingOf(
  record: PulledRecord | undefined,
  image: string,
): Standing {
  const path = withoutTag(image);
  const known = path === undefined ? undefined : record?.credentials.get(path);
  if (known === undefined) return { kind: "closed" };
  if (known.isForAll) return { kind: "open" };
  const { secrets, serviceAccounts } = known;
  return secrets.length + serviceAccounts.length === 0
    ? { kind: "closed" }
    : { kind: "guarded", secrets, serviceAccounts };
}

/**
 * The same secret counts although its content is another by now, and so does
 * the same content in another secret.
 */
export function judge(
  standing: Extract<Standing, { kind: "guarded" }>,
  { secrets, serviceAccount }: Proofs,
): Verdict {
  const mayRemember = standing.secrets.length < LONGEST_LIST;
  for (const secret of secrets) {
    for (const known of standing.secrets) {
      const isContent = known.hash !== "" && known.hash === secret.hash;
      const isObject = isSame(known.at, secret.at);
      if (isContent && (isObject || !mayRemember)) return { kind: "use" };
      if (isContent || isObject && mayRemember) {
        return { kind: "use", remember: secret };
      }
    }
  }
  const isKnown = serviceAccount !== undefined &&
    standing.serviceAccounts.some((known) => isSame(known, serviceAccount));
  return { kind: isKnown ? "use" : "pull" };
}
