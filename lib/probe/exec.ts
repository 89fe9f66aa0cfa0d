/**
 * The exec probe: which command runs, and what its end means. Pure.
 * Compat: kubelet 1.36 pkg/probe/exec, ExpandContainerCommandOnlyStatic.
 */
import { AgentError } from "../base/errors.ts";
import type { ContainerId } from "../api/id.ts";
import type { V1Container, V1Probe } from "../api/types.ts";
import type { ContainerRuntime, ExecResult } from "../port/runtime.ts";
import {
  errored,
  failed,
  LONGEST_OUTPUT_BYTES,
  type Outcome,
  outputText,
  SUCCESS,
  wordsOf,
} from "./outcome.ts";

export type ExecQuestion = Parameters<ContainerRuntime["execSync"]>[0];

/** Replaces `$(NAME)` in words by the values of variables. */
export type Expand = (
  words: readonly string[],
  env: readonly { readonly name: string; readonly value: string }[],
) => readonly string[];

/** Compat: a variable without a value of its own counts as empty. */
export function execQuestion(
  { command }: NonNullable<V1Probe["exec"]>,
  { env = [] }: V1Container,
  { id, timeoutSeconds, expand }: {
    readonly id: ContainerId;
    readonly timeoutSeconds: number;
    readonly expand: Expand;
  },
): ExecQuestion {
  const literal = env.map(({ name, value = "" }) => ({ name, value }));
  return {
    id,
    command: expand(command ?? [], literal),
    timeoutSeconds,
    outputLimitBytes: LONGEST_OUTPUT_BYTES,
  };
}

export function judgeExec({ exitCode, stdout, stderr }: ExecResult): Outcome {
  return exitCode === 0 ? SUCCESS : failed(outputText(stdout, stderr));
}

/** Running out of time is a failure, anything else no answer. */
export function judgeExecError(
  error: unknown,
  { command, timeoutSeconds }: ExecQuestion,
): Outcome {
  if (error instanceof AgentError && error.reason === "CommandTimedOut") {
    const words = JSON.stringify(command.join(" "));
    return failed(
      `command timed out: ${words} timed out after ${timeoutSeconds}s`,
    );
  }
  return errored(wordsOf(error));
}
