/**
 * Pages about the agent itself: `/configz`, `/flagz`, `/statusz`, and what is
 * below `/debug`. Nothing here is measured; the kubelet's profiles are Go's.
 * Compat: apiserver 0.36 statusz, flagz, routes.StringFlagPutHandler
 */
import type { Clock } from "../base/clock.ts";
import {
  flagValues,
  KUBERNETES_VERSION,
  renderConfigz,
} from "../config/render.ts";
import type { Config } from "../config/load.ts";
import type { RootLogger } from "../base/log.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import { jsonText, text } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";

export interface ZpageParts {
  readonly config: Config;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: RootLogger;
  readonly startedAtMs: number;
}

const WARNING =
  "Warning: This endpoint is not meant to be machine parseable, " +
  "has no formatting compatibility guarantees and is for debugging purposes " +
  "only.\n";
const API_VERSION = "config.k8s.io/v1beta1";

export function configzRoute({ config }: ZpageParts): Route {
  return {
    path: "/configz",
    methods: ["GET"],
    answer: () => Promise.try(() => jsonText(renderConfigz(config.kubelet))),
  };
}

/** `paths`: those that the server has, for the page that lists them. */
export function zpageRoutes(
  parts: ZpageParts,
  paths: readonly string[],
): Route[] {
  const { ComponentFlagz, ComponentStatusz } = parts.config.features;
  const page = (path: string, answer: Route["answer"]): Route => ({
    path,
    methods: ["GET"],
    answer,
  });
  return [
    ...ComponentFlagz === true
      ? [page("/flagz", (call) => Promise.try(() => flagz(parts, call)))]
      : [],
    ...ComponentStatusz === true
      ? [
        page(
          "/statusz",
          (call) => Promise.try(() => statusz(parts, paths, call)),
        ),
      ]
      : [],
  ];
}

function flagz({ config }: ZpageParts, call: Call): NodeAnswer {
  const flags = flagValues(config);
  return chosen(call, {
    text: () =>
      `\nkubelet flagz\n${WARNING}\n` +
      [...flags].map(([name, value]) => `${name}=${value}\n`).join(""),
    json: () => ({ kind: "Flagz", flags: Object.fromEntries(flags) }),
  });
}

function statusz(
  { clock, startedAtMs }: ZpageParts,
  paths: readonly string[],
  call: Call,
): NodeAnswer {
  const upSeconds = Math.floor((clock.nowMs() - startedAtMs) / 1000);
  const started = new Date(startedAtMs);
  const version = KUBERNETES_VERSION.slice(1);
  const listed = [...new Set(paths)].toSorted();
  return chosen(call, {
    text: () =>
      `\nkubelet statusz\n${WARNING}\n` +
      `Started: ${started.toUTCString()}\n` +
      `Up: ${upSeconds} s\n` +
      `Binary version: ${version}\n` +
      `Emulation version: ${version.replace(/\.\d+$/, "")}\n` +
      `Paths: ${listed.join(" ")}\n`,
    json: () => ({
      kind: "Statusz",
      startTime: started.toISOString().replace(/\.\d+/, ""),
      uptimeSeconds: upSeconds,
      binaryVersion: version,
      emulationVersion: version.replace(/\.\d+$/, ""),
      paths: listed,
    }),
  });
}

/** Text unless something else is asked for. */
function chosen(
  { request }: Call,
  forms: { readonly text: () => string; readonly json: () => object },
): NodeAnswer {
  const accept = request.headers.get("accept")?.trim() ?? "";
  const wants = (type: string) =>
    accept.split(",").some((each) => each.trim().startsWith(type));
  if (accept === "" || wants("text/") || wants("*/*")) {
    return text(200, forms.text());
  }
  if (wants("application/json")) {
    const metadata = { name: "kubelet" };
    const value = { apiVersion: API_VERSION, metadata, ...forms.json() };
    return jsonText(`${JSON.stringify(value)}\n`);
  }
  return text(406, "only text/plain and application/json are accepted\n");
}

/** Longer bodies are no number. */
const MOST_BODY_BYTES = 1024;

export function verbosityRoute({ log }: ZpageParts): Route {
  return {
    path: "/debug/flags/v",
    methods: ["PUT"],
    answer: async ({ request, user }) => {
      const body = await request.body(MOST_BODY_BYTES);
      const value = body === undefined ? "" : new TextDecoder().decode(body);
      if (!/^\d{1,3}$/.test(value.trim()) || log.setVerbosity === undefined) {
        return text(
          400,
          `error setting klog.logging.verbosity to ${
            JSON.stringify(value)
          }: not a number\n`,
        );
      }
      log.setVerbosity(Number(value));
      log.info("Verbosity changed", { verbosity: value, user: user.name });
      return text(
        200,
        `successfully set klog.logging.verbosity to ${value.trim()}`,
      );
    },
  };
}

const NO_PROFILE = "Unknown profile\n";

export function profileRoutes(): Route[] {
  const answer = ({ params }: Call) =>
    Promise.try(() =>
      (params.get("*") ?? "") === ""
        ? text(
          200,
          "/debug/pprof/\nThis agent has no Go profiles; V8's are taken with " +
            "an inspector.\n",
        )
        : text(404, NO_PROFILE)
    );
  return [{ path: "/debug/pprof/*", methods: ["GET"], answer }, {
    path: "/debug/pprof",
    methods: ["GET"],
    answer,
  }];
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** What is switched off says so, whatever is asked of it. */
export function disabledRoutes(
  paths: readonly string[],
  words: string,
): Route[] {
  const answer = () => Promise.resolve(text(405, `${words}\n`));
  return paths.flatMap((path) =>
    [path, `${path}/*`].map((each) => ({
      path: each,
      methods: METHODS,
      answer,
    }))
  );
}
