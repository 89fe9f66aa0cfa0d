/** What the tests of this folder share. */
import { podUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { Command, Ended, Programs } from "../port/programs.ts";

export const SIGNAL = new AbortController().signal;

export function aPod(name: string, spec: Partial<V1Pod["spec"]> = {}): V1Pod {
  return {
    metadata: { name, namespace: "ns", uid: podUid(`${name}-uid`) },
    spec: { containers: [], ...spec },
  };
}

/** Programs that tests write: path to what it does. */
export class FakePrograms implements Programs {
  readonly world = new Map<
    string,
    (command: Command) => Promise<Ended> | Ended
  >();

  async run(command: Command, signal: AbortSignal): Promise<Ended> {
    signal.throwIfAborted();
    const program = this.world.get(command.path);
    if (program === undefined) throw new Error(`No program ${command.path}`);
    return await program(command);
  }
}
