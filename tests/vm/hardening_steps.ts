/**
 * Code inside of the installed program can do no more than its set says: the
 * probes of tests/contract, by the very runtime and set that the unit starts.
 */
import assert from "node:assert/strict";
import {
  probesOf,
  probesProgram,
  SETS,
} from "../contract/permission_probes.ts";
import type { Rig } from "./rig.ts";

const PROGRAM = "/var/tmp/probes.ts";

export async function probesRefused(rig: Rig): Promise<string> {
  const line = await rig.sh(
    "tr '\\0' ' ' </proc/$(systemctl show denolet --property=MainPID " +
      "--value)/cmdline",
  );
  const words = line.trim().split(" ");
  const config = words.find((word) => word.startsWith("--config="));
  assert.ok(config !== undefined, line);
  assert.ok(words.includes("-P=node"), line);
  assert.deepEqual(words.filter((word) => /^(-A|--allow)/.test(word)), []);
  const probes = probesOf(SETS.get("node") ?? {});
  const text = btoa(probesProgram(probes));
  await rig.sh(`echo '${text}' | base64 -d >${PROGRAM}`);
  const runtime = config.replace("--config=", "").replace(/[^/]*$/, "deno");
  const said = await rig.sh(
    `DENO_DIR=/var/tmp/probes NO_COLOR=1 timeout 100 ${runtime} run --quiet ` +
      `--no-prompt --no-check --no-lock ${config} -P=node ${PROGRAM} ` +
      `2>/dev/null </dev/null; rm -rf ${PROGRAM} /var/tmp/probes`,
    120_000,
  );
  const answers = said.trim().split("\n");
  assert.deepEqual(
    probes.map(({ name }, at) => [name, answers[at]]),
    probes.map(({ name }) => [name, "refused"]),
  );
  return `${probes.length} of ${probes.length} refused`;
}
