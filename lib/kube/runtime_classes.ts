/** Runtime classes of the cluster: which handler each stands for. */
import { objectIn, textIn } from "../base/json.ts";
import type { ApiObject, ClusterRuntimeClasses } from "../port/cluster.ts";
import { watchObjects, type WatchParts } from "./watch.ts";

export class KubeRuntimeClasses implements ClusterRuntimeClasses {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async *watch(
    signal: AbortSignal,
  ): AsyncGenerator<ReadonlyMap<string, string>> {
    const what = {
      path: "/apis/node.k8s.io/v1/runtimeclasses",
      fieldSelector: "",
      doing: "watch the runtime classes",
    };
    let handlers = new Map<string, string>();
    for await (const news of watchObjects(this.#parts, what, signal)) {
      if (news.kind === "silent" || news.kind === "steady") continue;
      handlers = news.kind === "listed"
        ? new Map(news.objects.map(handlerIn))
        : new Map(handlers);
      if (news.kind === "changed") handlers.set(...handlerIn(news.object));
      if (news.kind === "deleted") handlers.delete(handlerIn(news.object)[0]);
      yield handlers;
    }
  }
}

function handlerIn(object: ApiObject): [name: string, handler: string] {
  const name = textIn(objectIn(object, "metadata"), "name") ?? "";
  return [name, textIn(object, "handler") ?? ""];
}
