/**
 * What a caller may do with the node's API: everything, or what the API server
 * says. The first sub-resource that is allowed suffices; an error is a no that
 * says so.
 * Compat: kubelet 1.36 BuildAuthz, InstallAuthFilter
 */
import type { Clock } from "../base/clock.ts";
import type { AccessQuestion, ClusterReviews } from "../port/reviews.ts";
import { ReviewCache } from "./review_cache.ts";
import { patiently } from "./review_retry.ts";

export interface AuthorizerParts {
  /** Undefined: everybody who is known may do everything. */
  readonly reviews: Pick<ClusterReviews, "access"> | undefined;
  readonly clock: Clock;
  readonly allowedLifeMs: number;
  readonly deniedLifeMs: number;
}

export type Verdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "denied" }
  | { readonly kind: "failed"; readonly subresource: string; cause: unknown };

/** Longer questions are asked again each time. Compat: shouldCache. */
const LONGEST_KEY = 10_000;

export class Authorizer {
  readonly #parts: AuthorizerParts;
  readonly #answers: ReviewCache<boolean>;

  constructor(parts: AuthorizerParts) {
    this.#parts = parts;
    const { allowedLifeMs, deniedLifeMs } = parts;
    this.#answers = new ReviewCache(
      parts.clock,
      (isAllowed) => isAllowed ? allowedLifeMs : deniedLifeMs,
    );
  }

  async verdict(
    question: Omit<AccessQuestion, "subresource">,
    subresources: readonly string[],
    serving: AbortSignal,
  ): Promise<Verdict> {
    if (this.#parts.reviews === undefined) return { kind: "allowed" };
    for (const subresource of subresources) {
      try {
        const asked = { ...question, subresource };
        if (await this.#isAllowed(asked, serving)) return { kind: "allowed" };
      } catch (cause) {
        return { kind: "failed", subresource, cause };
      }
    }
    return { kind: "denied" };
  }

  async #isAllowed(
    question: AccessQuestion,
    serving: AbortSignal,
  ): Promise<boolean> {
    const { reviews, clock } = this.#parts;
    if (reviews === undefined) return true;
    const ask = () =>
      patiently(clock, serving, (signal) => reviews.access(question, signal));
    const key = keyOf(question);
    return key.length > LONGEST_KEY
      ? await ask()
      : await this.#answers.get(key, ask);
  }
}

function keyOf({ user, verb, subresource, node }: AccessQuestion): string {
  const { name, uid, groups, extra } = user;
  return JSON.stringify([
    [name, uid, groups, [...extra]],
    [verb, subresource, node],
  ]);
}
