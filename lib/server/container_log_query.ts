/**
 * What a request for a container's log wants, checked as upstream checks it.
 * Pure. Compat: kubelet 1.36 getContainerLogs, ValidatePodLogOptions
 */
import type { NodeRequest, NodeResponse } from "../port/node_server.ts";
import { type LogChoice, nanosecondsOf } from "../log/text.ts";
import { text } from "./node_answer.ts";

export interface ContainerLogQuery extends LogChoice {
  readonly isFollowing: boolean;
  readonly isPrevious: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

interface Options {
  readonly nowMs: number;
  /** Gate PodLogsQuerySplitStreams. */
  readonly hasStreams: boolean;
}

const UNDECODABLE = '{"message": "Unable to decode query."}';
const INVALID = '{"message": "Invalid request."}';
const STREAMS = new Set(["All", "Stdout", "Stderr"]);

export type LogQueryReading =
  | { readonly kind: "query"; readonly query: ContainerLogQuery }
  | { readonly kind: "refused"; readonly answer: NodeResponse };

export function readLogQuery(
  query: NodeRequest["query"],
  options: Options,
): LogQueryReading {
  const tail = query.get("tail")?.[0] ?? "";
  const tailText = tail === "" ? query.get("tailLines")?.[0] : tail;
  const numbers = {
    tailLines: tail === "all" ? undefined : integer(tailText),
    limitBytes: integer(query.get("limitBytes")?.[0]),
    sinceSeconds: integer(query.get("sinceSeconds")?.[0]),
  };
  const sinceText = query.get("sinceTime")?.[0];
  const sinceTime = timeOf(sinceText);
  const isBroken = [...Object.values(numbers), sinceTime].includes("broken");
  if (isBroken) return refused(400, UNDECODABLE);
  const tailLines = orUndefined(numbers.tailLines);
  const limitBytes = orUndefined(numbers.limitBytes);
  const sinceSeconds = orUndefined(numbers.sinceSeconds);
  const since = orUndefined(sinceTime);
  const stream = query.get("stream")?.[0];
  const isInvalid = (tailLines ?? 0n) < 0n || (limitBytes ?? 1n) < 1n ||
    (sinceSeconds ?? 1n) < 1n ||
    (sinceSeconds !== undefined && since !== undefined) ||
    (stream !== undefined && !STREAMS.has(stream)) ||
    (stream !== undefined && stream !== "All" && tailLines !== undefined);
  if (isInvalid) return refused(422, INVALID);
  if (stream !== undefined && stream !== "All" && !options.hasStreams) {
    return refused(
      400,
      `unable to return the given log stream: "${stream}". Please enable ` +
        "PodLogsQuerySplitStreams feature gate in kubelet",
    );
  }
  return {
    kind: "query",
    query: {
      isFollowing: isSet(query.get("follow")),
      isPrevious: isSet(query.get("previous")),
      timestamps: isSet(query.get("timestamps")) ? "shown" : "hidden",
      tailLines: countOf(tailLines),
      limitBytes: countOf(limitBytes),
      since: since ?? sinceOf(sinceSeconds, options.nowMs),
      stream: streamOf(stream),
    },
  };
}

function streamOf(stream: string | undefined): LogChoice["stream"] {
  if (stream === "Stdout") return "stdout";
  return stream === "Stderr" ? "stderr" : undefined;
}

function refused(status: number, message: string): LogQueryReading {
  return { kind: "refused", answer: text(status, message) };
}

function sinceOf(
  seconds: bigint | undefined,
  nowMs: number,
): bigint | undefined {
  if (seconds === undefined) return undefined;
  return BigInt(Math.round(nowMs)) * 1_000_000n - seconds * 1_000_000_000n;
}

/** Compat: apimachinery 0.36 Convert_Slice_string_To_bool */
function isSet(values: readonly string[] | undefined): boolean {
  const [first] = values ?? [];
  return first !== undefined && first !== "0" &&
    first.toLowerCase() !== "false";
}

/** A 64-bit number, as Go reads one. */
function integer(text: string | undefined): bigint | undefined | "broken" {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d{1,19}$/.test(text)) return "broken";
  const value = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, value) === value ? value : "broken";
}

function timeOf(text: string | undefined): bigint | undefined | "broken" {
  if (text === undefined || text === "" || text === "null") return undefined;
  return nanosecondsOf(text) ?? "broken";
}

function orUndefined(value: bigint | undefined | "broken") {
  return value === "broken" ? undefined : value;
}

/** Nothing that is counted here comes near to where a double ends. */
function countOf(value: bigint | undefined): number | undefined {
  return value === undefined
    ? undefined
    : Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}
