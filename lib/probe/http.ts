/**
 * The HTTP probe: what is asked, and what an answer means. Pure.
 * Compat: kubelet 1.36 pkg/probe/http.
 */
import { AgentError } from "../base/errors.ts";
import { httpGetOf, type Understood } from "../api/http_get.ts";
import type { V1Container, V1HTTPGetAction } from "../api/types.ts";
import type { PodHttpAnswer, PodHttpRequest } from "../port/net.ts";
import {
  errored,
  failed,
  type Outcome,
  outputText,
  SUCCESS,
  wordsOf,
} from "./outcome.ts";

const USER_AGENT = "kube-probe/1.36";
const LIMIT_BYTES = 10 * 1024;

export function httpQuestion(
  action: V1HTTPGetAction,
  container: V1Container,
  { podIp, timeoutMs }: { readonly podIp: string; readonly timeoutMs: number },
): Understood<PodHttpRequest> {
  const around = { podIp, userAgent: USER_AGENT };
  const found = httpGetOf(action, container, around);
  if (found.kind === "invalid") return found;
  return { ...found, timeoutMs, limitBytes: LIMIT_BYTES };
}

/** The body never shows in a failure: it may hold what events must not. */
export function judgeHttp({ status, body }: PodHttpAnswer): Outcome {
  if (status >= 200 && status < 300) return SUCCESS;
  if (status >= 300 && status < 400) {
    const warning = "Probe terminated redirects, Response body: " +
      outputText(body);
    return { kind: "success", warning };
  }
  return failed(`HTTP probe failed with statuscode: ${status}`);
}

/** No answer is a failure; half an answer is nothing to judge by. */
export function judgeHttpError(error: unknown): Outcome {
  const words = wordsOf(error);
  return error instanceof AgentError && error.reason === "BodyBroken"
    ? errored(words, "failure")
    : failed(words);
}
