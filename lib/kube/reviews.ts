/** Asks the API server who calls the node, and what they may do. */
import { AgentError } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { AccessQuestion, ClusterReviews, User } from "../port/reviews.ts";
import type { Client } from "./client.ts";

export class KubeReviews implements ClusterReviews {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async token(token: string, signal: AbortSignal): Promise<User | undefined> {
    const answer = await this.#review("review the token of a caller", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token },
    }, signal);
    const status = objectIn(answer, "status");
    if (status.authenticated !== true) {
      const error = textIn(status, "error");
      if (error === undefined || error === "") return undefined;
      // The authenticator's words may quote the token.
      throw new AgentError("Cannot review the token of a caller: refused", {
        next: "give-up",
      });
    }
    const user = objectIn(status, "user");
    const name = textIn(user, "username") ?? "";
    if (name === "") return undefined;
    return {
      name,
      uid: textIn(user, "uid") ?? "",
      groups: textsIn(user, "groups"),
      extra: new Map(
        Object.keys(objectIn(user, "extra"))
          .map((key) => [key, textsIn(objectIn(user, "extra"), key)]),
      ),
    };
  }

  async access(
    question: AccessQuestion,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { user, verb, subresource, node } = question;
    const doing =
      `review whether ${user.name} may ${verb} nodes/${subresource}`;
    const answer = await this.#review(doing, {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: {
        user: user.name,
        ...user.uid === "" ? {} : { uid: user.uid },
        groups: user.groups,
        extra: Object.fromEntries(user.extra),
        resourceAttributes: {
          verb,
          version: "v1",
          resource: "nodes",
          subresource,
          name: node,
        },
      },
    }, signal);
    const status = objectIn(answer, "status");
    const isAllowed = status.allowed === true;
    const isDenied = status.denied === true;
    if (isAllowed && isDenied) {
      // Compat: apiserver 0.36: "both allow and deny is an error".
      throw new AgentError(`Cannot ${doing}: it is both allowed and denied`, {
        next: "give-up",
      });
    }
    return isAllowed;
  }

  async #review(
    doing: string,
    body: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject> {
    const kind = textIn(body, "kind") ?? "";
    const version = textIn(body, "apiVersion") ?? "";
    const path = `/apis/${version}/${kind.toLowerCase()}s`;
    const ask = { doing, method: "POST", path, body } as const;
    try {
      return await this.#client.object(ask, signal);
    } catch (error) {
      if (!(error instanceof AgentError) || error.reason !== "Nonsense") {
        throw error;
      }
      // Words about a broken answer quote it, and the token is in it.
      throw new AgentError(
        `Cannot ${doing}: the API server's answer is not JSON`,
        { next: "retry", reason: "Nonsense" },
      );
    }
  }
}

function textsIn(object: ApiObject, key: string): string[] {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return Array.isArray(value)
    ? value.filter((each) => typeof each === "string")
    : [];
}
