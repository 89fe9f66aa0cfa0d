/**
 * The house rules that concern one file at a time, for `deno lint`. What
 * concerns several files (layers, cycles, budgets) is in the tests beside.
 */
import { noAmbient } from "./rules/ambient.ts";
import { idleConstructor } from "./rules/constructors.ts";
import { packageFence } from "./rules/fences.ts";
import { noModuleState } from "./rules/module_state.ts";
import { pureSync } from "./rules/pure.ts";
import {
  noBarrel,
  noDefaultExport,
  noEmptyCatch,
  noInheritance,
  todoWithIssue,
} from "./rules/shape.ts";
import {
  noAny,
  noAs,
  noBooleanParameter,
  noEnum,
  noNonNull,
} from "./rules/types.ts";

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "no-ambient": noAmbient,
    "pure-sync": pureSync,
    "no-module-state": noModuleState,
    "idle-constructor": idleConstructor,
    "package-fence": packageFence,
    "no-any": noAny,
    "no-non-null": noNonNull,
    "no-as": noAs,
    "no-enum": noEnum,
    "no-boolean-parameter": noBooleanParameter,
    "no-empty-catch": noEmptyCatch,
    "no-default-export": noDefaultExport,
    "no-inheritance": noInheritance,
    "no-barrel": noBarrel,
    "todo-with-issue": todoWithIssue,
  },
};

export default plugin;
