/** Tells of each request how it was answered. Called by client.ts alone. */
import type { Clock } from "../base/clock.ts";
import type { Secrets } from "./credentials.ts";

/** Told once for each request, also for one that got no answer. */
export type OnAnswer = (answer: {
  readonly host: string;
  readonly method: string;
  readonly status: number | undefined;
  readonly durationMs: number;
}) => void;

export async function told<T extends { readonly status: number }>(
  { onAnswer, clock }: {
    readonly onAnswer?: OnAnswer;
    readonly clock: Clock;
  },
  { ask, secrets }: {
    readonly ask: { readonly method: string };
    readonly secrets: Secrets;
  },
  send: () => Promise<T>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  const tell = (status?: number) =>
    onAnswer?.({
      host: hostOf(secrets.access.server),
      method: ask.method,
      status,
      durationMs: clock.monotonicMs() - startedMs,
    });
  try {
    const answer = await send();
    tell(answer.status);
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
