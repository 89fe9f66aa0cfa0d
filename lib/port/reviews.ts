/** Who calls the node and what they may, as the API server says. */

/** Somebody the API server, or a certificate, vouches for. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** May the user do this with a sub-resource of this node? */
export interface AccessQuestion {
  readonly user: User;
  /** `get`, `create`, …; empty for methods that have none. */
  readonly verb: string;
  readonly subresource: string;
  readonly node: string;
}

/** What the API server says of those who call the node. */
export interface ClusterReviews {
  /** Whose token it is; undefined: nobody's. The token is never in an error. */
  token(token: string, signal: AbortSignal): Promise<User | undefined>;
  /** False also when the server could not make up its mind; never both. */
  access(question: AccessQuestion, signal: AbortSignal): Promise<boolean>;
}
