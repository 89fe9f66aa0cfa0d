/**
 * `denolet pods`, `logs` and `explain`: the side that asks a running agent and
 * prints what it says. Called by main.ts, which ends with the code returned.
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { PodName, Subcommand } from "../config/subcommand.ts";
import { textField } from "./answer.ts";
import { noSuchPod } from "./find_pod.ts";
import { printable } from "./printable.ts";
import { parseTable, type PodTable, renderTable } from "./table.ts";

/** Pods, logs and explain; explain without a pod asks about the node. */
export type Question =
  | Extract<Subcommand, { kind: "pods" | "logs" }>
  | {
    readonly kind: "explain";
    readonly pod: PodName | undefined;
  };

/** An answer of the agent; the same shape as the Unix client's. */
export interface Answer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface CliPorts {
  readonly socketPath: string;
  /** Rejects when nobody answers at the socket. */
  get(target: string, signal: AbortSignal): Promise<Answer>;
  /** Resolves when the output has taken all of it. */
  write(bytes: Uint8Array): Promise<void>;
  writeError(text: string): Promise<void>;
}

type Asking = { readonly ports: CliPorts; readonly signal: AbortSignal };

/** A user's question that has no good answer: one line, exit code 1. */
class Refusal extends Error {}

/** Returns the exit code: 0, or 1 after one line about what is wrong. */
export async function runQuestion(
  question: Question,
  ports: CliPorts,
  signal: AbortSignal,
): Promise<number> {
  const asking = { ports, signal };
  try {
    await answerQuestion(question, asking);
    return 0;
  } catch (error) {
    if (isAbort(error, signal)) return 1;
    if (!(error instanceof Refusal)) throw error;
    await ports.writeError(`${printable(error.message)}\n`);
    return 1;
  }
}

async function answerQuestion(
  question: Question,
  asking: Asking,
): Promise<void> {
  switch (question.kind) {
    case "pods":
      return await printPods(question, asking);
    case "logs":
      return await printLogs(question, asking);
    case "explain":
      return await printExplanation(question.pod, asking);
  }
}

async function printPods(
  question: Extract<Question, { kind: "pods" }>,
  asking: Asking,
): Promise<void> {
  const { namespace, output } = question;
  const query = namespace === undefined
    ? ""
    : `?namespace=${encodeURIComponent(namespace)}`;
  if (output === "json") return await pass(`/pods${query}`, asking);
  const table = await readTable(query, asking);
  const text = renderTable(
    table,
    namespace === undefined ? "shown" : "hidden",
  );
  const { ports } = asking;
  if (text !== "") return await ports.write(encode(printable(text)));
  const where = namespace === undefined ? "on this node" : `in ${namespace}`;
  await ports.writeError(`No pods ${where}.\n`);
}

async function printLogs(
  question: Extract<Question, { kind: "logs" }>,
  asking: Asking,
): Promise<void> {
  const title = await resolvePod(question.pod, asking);
  const query = new URLSearchParams();
  const { container, tailLines } = question;
  if (container !== undefined) query.set("container", container);
  if (tailLines !== undefined) query.set("tailLines", String(tailLines));
  if (question.isFollowing) query.set("follow", "true");
  if (question.isPrevious) query.set("previous", "true");
  const tail = query.size === 0 ? "" : `?${query}`;
  await pass(`/logs/${pathOf(title)}${tail}`, asking);
}

async function printExplanation(
  pod: PodName | undefined,
  asking: Asking,
): Promise<void> {
  const target = pod === undefined
    ? "/explain"
    : `/explain/${pathOf(await resolvePod(pod, asking))}`;
  const text = textField(await read(target, asking), "text");
  if (text === undefined) throw strange(asking);
  await asking.ports.write(encode(printable(text)));
}

function pathOf(title: string): string {
  return title.split("/").map(encodeURIComponent).join("/");
}

async function resolvePod(pod: PodName, asking: Asking): Promise<string> {
  const found = findPod(pod, await readTable("", asking));
  if (found.kind === "pod") return found.title;
  throw new Refusal(found.message);
}

/**
 * Which pod is meant: exactly that one, or without a namespace the one in
 * `default`, or the only one of that name. A static pod may be named as in its
 * manifest, without the node's name that the agent adds.
 */
export function findPod(
  { namespace, name }: PodName,
  { nodeName, rows }: Pick<PodTable, "nodeName" | "rows">,
):
  | { readonly kind: "pod"; readonly title: string }
  | { readonly kind: "none"; readonly message: string } {
  const known = [...new Set(rows.map((row) => `${row.namespace}/${row.name}`))];
  for (const each of [name, `${name}-${nodeName}`]) {
    const exact = `${namespace ?? "default"}/${each}`;
    if (known.includes(exact)) return { kind: "pod", title: exact };
    if (namespace !== undefined) continue;
    const [only, ...others] = known.filter((title) =>
      title.slice(title.indexOf("/") + 1) === each
    );
    if (only === undefined) continue;
    if (others.length === 0) return { kind: "pod", title: only };
    const all = [only, ...others].join(", ");
    return {
      kind: "none",
      message: `Several pods are named ${name}: choose one of ${all}`,
    };
  }
  const wanted = namespace === undefined ? name : `${namespace}/${name}`;
  return { kind: "none", message: noSuchPod(wanted, known) };
}

async function readTable(query: string, asking: Asking): Promise<PodTable> {
  const table = parseTable(await read(`/pods/table${query}`, asking));
  if (table === undefined) throw strange(asking);
  return table;
}

/** A whole answer as text. */
async function read(target: string, asking: Asking): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks(await ask(target, asking), asking)) {
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** An answer to the output as it comes, byte for byte. */
async function pass(target: string, asking: Asking): Promise<void> {
  const { ports } = asking;
  for await (const chunk of chunks(await ask(target, asking), asking)) {
    await ports.write(chunk);
  }
}

async function ask(target: string, asking: Asking): Promise<Answer> {
  const { ports, signal } = asking;
  const answer = await getAnswer(target, asking);
  if (answer.status === 200) return answer;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks(answer, { ports, signal })) {
    text += decoder.decode(chunk, { stream: true });
  }
  throw new Refusal(
    textField(text, "message") ??
      `The agent failed to answer (status ${answer.status}); its log says why`,
  );
}

async function getAnswer(target: string, asking: Asking): Promise<Answer> {
  const { ports, signal } = asking;
  try {
    return await ports.get(target, signal);
  } catch (error) {
    if (isAbort(error, signal) || !(error instanceof AgentError)) throw error;
    throw new Refusal(
      `No agent answers at ${ports.socketPath}: is it running? ` +
        `(${chainOf(error.cause ?? error)})`,
    );
  }
}

/** The body; an agent that goes away in the middle of it is an answer too. */
async function* chunks(
  answer: Answer,
  { signal }: Asking,
): AsyncGenerator<Uint8Array> {
  const body = answer.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await body.next().catch((error: unknown) => {
        if (signal.aborted) throw signal.reason;
        throw new Refusal(
          `The agent went away in the middle of its answer: ${chainOf(error)}`,
        );
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await Promise.allSettled([body.return?.()]);
  }
}

function strange({ ports }: Asking): Refusal {
  return new Refusal(
    `What answers at ${ports.socketPath} is not this version of the agent`,
  );
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
