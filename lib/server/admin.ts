/**
 * The admin socket's answers: what the command line asks of a running agent.
 * Only root can open the socket, so nothing is hidden here beyond what
 * `explain` leaves out; only reading is possible.
 */
import type { Clock } from "../base/clock.ts";
import type { LogPorts } from "../log/read.ts";
import type {
  Handler,
  IncomingRequest,
  OutgoingResponse,
} from "../port/net.ts";
import { answerLogs } from "./admin_logs.ts";
import { json, problem } from "./answer.ts";
import { explain } from "./explain.ts";
import { explainNode } from "./explain_node.ts";
import { noSuchPod, podsNamed, sortedPods, titlesOf } from "./find_pod.ts";
import { isIn, podJson, podList } from "./pod_list.ts";
import { podTable } from "./table.ts";
import type { AgentView } from "./view.ts";

export interface AdminPorts extends Pick<LogPorts, "files" | "logFiles"> {
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
}

const ROUTES = "/pods, /pods/table, /explain, /explain/<namespace>/<name>, " +
  "/logs/<namespace>/<name>";

export function adminHandler(view: AgentView, ports: AdminPorts): Handler {
  return async (request) => {
    if (request.method !== "GET") {
      return problem(405, `Method ${request.method} is not allowed: only GET`);
    }
    const parts = pathParts(request.path);
    if (parts === undefined) return problem(400, "The path is not well formed");
    const [route = "", namespace, name, ...rest] = parts;
    if (namespace === undefined || name === undefined || rest.length > 0) {
      return answerNode(view, parts.join("/"), {
        namespace: request.query.get("namespace"),
        nowMs: ports.clock.nowMs(),
      });
    }
    if (route !== "explain" && route !== "logs") return notFound();
    return await answerPod(view, { route, namespace, name }, {
      ports,
      request,
    });
  };
}

/** Undefined when an escape is broken. */
function pathParts(path: string): string[] | undefined {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function answerNode(
  view: AgentView,
  path: string,
  at: { readonly namespace: string | undefined; readonly nowMs: number },
): OutgoingResponse {
  const pods = sortedPods(view.pods()).filter(isIn(at.namespace));
  switch (path) {
    case "pods":
      return json(200, podList(pods.map(podJson)));
    case "pods/table":
      return json(200, podTable(view.nodeName, pods, at.nowMs));
    case "explain":
      return json(200, explainNode(view, at.nowMs));
    default:
      return notFound();
  }
}

function notFound(): OutgoingResponse {
  return problem(404, `No such path; there are: ${ROUTES}`);
}

async function answerPod(
  view: AgentView,
  wanted: {
    readonly route: "explain" | "logs";
    readonly namespace: string;
    readonly name: string;
  },
  at: { readonly ports: AdminPorts; readonly request: IncomingRequest },
): Promise<OutgoingResponse> {
  const { namespace, name } = wanted;
  const all = view.pods();
  const [pod, ...others] = podsNamed(all, namespace, name);
  if (pod === undefined) {
    return problem(404, noSuchPod(`${namespace}/${name}`, titlesOf(all)));
  }
  const nowMs = at.ports.clock.nowMs();
  if (wanted.route === "explain") return json(200, explain(pod, nowMs));
  const answers = { view, ports: at.ports, nowMs };
  return await answerLogs(answers, [pod, ...others], at.request);
}
