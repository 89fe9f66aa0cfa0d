/** What the tests of `decide()` share. */
import type { Action } from "./action.ts";
import type { Plan } from "./plan.ts";

export const kinds = ({ actions }: Plan) => actions.map(({ kind }) => kind);

export function only<Kind extends Action["kind"]>(made: Plan, kind: Kind) {
  return made.actions.filter((action): action is Extract<
    Action,
    { kind: Kind }
  > => action.kind === kind);
}

export const removed = { pod: undefined } as const;
