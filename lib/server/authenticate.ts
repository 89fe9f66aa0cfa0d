/**
 * Who calls the node's API: by client certificate, by bearer token, or nobody
 * in particular where that is allowed. Undefined: 401. It decides nothing
 * about what the caller may do.
 * Compat: kubelet 1.36 BuildAuthn (x509, TokenReview, anonymous, in this order)
 */
import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { NodeRequest } from "../port/node_server.ts";
import type { ClusterReviews, User } from "../port/reviews.ts";
import { ReviewCache } from "./review_cache.ts";
import { patiently } from "./review_retry.ts";
import { subjectOf } from "./subject.ts";

const AUTHENTICATED = "system:authenticated";
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

export interface AuthenticatorParts {
  /** Undefined: tokens are not taken. */
  readonly reviews: Pick<ClusterReviews, "token"> | undefined;
  readonly clock: Clock;
  /** How long an answer about a token is remembered. */
  readonly tokenLifeMs: number;
  readonly isAnonymousAllowed: boolean;
}

export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #tokens: ReviewCache<User | undefined>;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#tokens = new ReviewCache(parts.clock, () => parts.tokenLifeMs);
  }

  /** `serving` outlives the request: others may wait for the same answer. */
  async user(
    request: Pick<NodeRequest, "certificate" | "headers">,
    serving: AbortSignal,
  ): Promise<User | undefined> {
    const { certificate } = request;
    const proven = certificate && userOfCertificate(certificate);
    if (proven !== undefined) return proven;
    const token = bearerToken(request.headers.get("authorization"));
    if (token !== undefined) return await this.#userOfToken(token, serving);
    return this.#parts.isAnonymousAllowed ? nobody() : undefined;
  }

  /** A wrong token is nobody, even where nobody is welcome. */
  async #userOfToken(
    token: string,
    serving: AbortSignal,
  ): Promise<User | undefined> {
    const { reviews, clock } = this.#parts;
    if (reviews === undefined) {
      return this.#parts.isAnonymousAllowed ? nobody() : undefined;
    }
    const key = createHash("sha256").update(token).digest("base64");
    const user = await this.#tokens.get(
      key,
      () => patiently(clock, serving, (signal) => reviews.token(token, signal)),
    );
    return user && authenticated(user);
  }
}

function userOfCertificate(certificate: Uint8Array): User | undefined {
  const subject = subjectOf(certificate);
  if (subject === undefined || subject.commonName === "") return undefined;
  const id = createHash("sha256").update(certificate).digest("hex");
  return authenticated({
    name: subject.commonName,
    uid: "",
    groups: subject.organizations,
    extra: new Map([[CREDENTIAL_ID, [`X509SHA256=${id}`]]]),
  });
}

function nobody(): User {
  return {
    name: "system:anonymous",
    uid: "",
    groups: ["system:unauthenticated"],
    extra: new Map(),
  };
}

function authenticated(user: User): User {
  const { groups } = user;
  if (groups.includes(AUTHENTICATED)) return user;
  return { ...user, groups: [...groups, AUTHENTICATED] };
}

/** Compat: apiserver 0.36 bearertoken AuthenticateRequest */
function bearerToken(header: string | undefined): string | undefined {
  const [scheme = "", token = ""] = header?.trim().split(" ") ?? [];
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}
