/** Tells of each request how it was answered. Called by client.ts alone. */
import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import type { Secrets } from "./credentials.ts";

/** One answer of the API server, or none. */
export interface ServerAnswer {
  readonly host: string;
  readonly method: string;
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly sentBytes: number;
  /** Undefined for an answer that goes on, and where there was none. */
  readonly receivedBytes: number | undefined;
}

/** Told once for each request, also for one that got no answer. */
export type OnAnswer = (answer: ServerAnswer) => void;

interface Answer {
  readonly status: number;
  /** Of a whole answer; one that goes on would have to be asked for it. */
  readonly text: string | (() => Promise<string>);
}

export async function told<T extends Answer>(
  { onAnswer, clock }: {
    readonly onAnswer?: OnAnswer;
    readonly clock: Clock;
  },
  { wire, secrets }: {
    readonly wire: {
      readonly method: string;
      readonly body: string | undefined;
    };
    readonly secrets: Secrets;
  },
  send: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  const tell = (answer?: Answer) =>
    onAnswer?.({
      host: hostOf(secrets.access.server),
      method: wire.method,
      status: answer?.status,
      durationMs: clock.monotonicMs() - startedMs,
      sentBytes: Buffer.byteLength(wire.body ?? ""),
      receivedBytes: typeof answer?.text === "string"
        ? Buffer.byteLength(answer.text)
        : undefined,
    });
  try {
    const answer = await send();
    tell(answer);
    return answer;
  } catch (error) {
    tell();
    throw error;
  }
}

/** `10.0.0.1:6443`. */
function hostOf(server: string): string {
  return server.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "");
}
