/**
 * A lifecycle hook as plain data, fit to be run by `sync/hooks.ts`: ports by
 * their numbers, the pod's address filled in, and the words under which its
 * failure is told. Of what cannot be run only those words are left.
 * Compat: kubelet 1.36 lifecycle handlerRunner.
 */
import { type HttpGet, httpGetOf } from "../api/http_get.ts";
import type { PodName } from "../api/pod.ts";
import type {
  V1ContainerPort,
  V1HTTPGetAction,
  V1LifecycleHandler,
} from "../api/types.ts";

export type Hook =
  | {
    readonly kind: "exec";
    readonly command: readonly string[];
    /** `Exec lifecycle hook ([sh]) for Container "web" in Pod "…"`. */
    readonly title: string;
  }
  | (HttpGet & { readonly kind: "http-get"; readonly title: string })
  | {
    readonly kind: "sleep";
    readonly seconds: number;
    readonly title: string;
  }
  /** Fails at once, with these words. */
  | { readonly kind: "impossible"; readonly message: string };

/** Whose hook it is. */
export interface HookOwner {
  readonly pod: PodName;
  readonly container: string;
  readonly ports: V1ContainerPort[];
  /** The pod's first address; undefined when it has none. */
  readonly podIp: string | undefined;
}

/** Compat: kubelet 1.36 userAgent("lifecycle"). */
const userAgent = "kube-lifecycle/1.36";

export function hookOf(handler: V1LifecycleHandler, owner: HookOwner): Hook {
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    return {
      kind: "exec",
      command,
      title: titleOf("Exec", `[${command.join(" ")}]`, owner),
    };
  }
  if (handler.httpGet) return httpGet(handler.httpGet, owner);
  if (handler.sleep) {
    const { seconds } = handler.sleep;
    return { kind: "sleep", seconds, title: titleOf("Sleep", seconds, owner) };
  }
  return {
    kind: "impossible",
    message: `Cannot run handler: invalid handler: ${goText(handler)}`,
  };
}

function titleOf(
  kind: "Exec" | "HTTP" | "Sleep",
  what: string | number,
  { pod, container }: HookOwner,
): string {
  return `${kind} lifecycle hook (${what}) for Container "${container}" in ` +
    `Pod "${pod.name}_${pod.namespace}(${pod.uid})"`;
}

function httpGet(action: V1HTTPGetAction, owner: HookOwner): Hook {
  const title = titleOf("HTTP", action.path ?? "", owner);
  const { podIp = "" } = owner;
  if (podIp === "" && !action.host) {
    return impossible(title, "failed to find networking container");
  }
  const found = httpGetOf(action, owner, { podIp, userAgent });
  if (found.kind === "invalid") return impossible(title, found.message);
  return { ...found, kind: "http-get", title };
}

function impossible(title: string, why: string): Hook {
  return { kind: "impossible", message: `${title} failed - error: ${why}` };
}

/** The handler as Go prints it, which is what people search for. */
function goText({ tcpSocket }: V1LifecycleHandler): string {
  const socket = tcpSocket
    ? `&TCPSocketAction{Port:${goPort(tcpSocket.port)},Host:${
      tcpSocket.host ?? ""
    },}`
    : "nil";
  return `&LifecycleHandler{Exec:nil,HTTPGet:nil,TCPSocket:${socket},` +
    "Sleep:nil,}";
}

function goPort(port: unknown): string {
  return typeof port === "number" ? `{0 ${port} }` : `{1 0 ${port}}`;
}
