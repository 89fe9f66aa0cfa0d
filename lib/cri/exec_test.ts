import assert from "node:assert/strict";
import { serveCri } from "../../tests/contract/cri_server.ts";
import { containerId } from "../api/id.ts";
import { openChannel } from "./channel.ts";
import { execSync } from "./exec.ts";

const EXEC = "runtime.v1.RuntimeService/ExecSync";
const NONE = new Uint8Array();
const LARGE = new Uint8Array(3_000_000).fill(0x78);

/** What comes of an answer, by the limit. */
async function told(
  answer: { readonly stdout: Uint8Array; readonly stderr: Uint8Array },
  outputLimitBytes?: number,
) {
  const directory = await Deno.makeTempDir({ prefix: "denolet-cri-" });
  const endpoint = `unix://${directory}/r.sock`;
  const close = await serveCri(`${directory}/r.sock`, {
    unary: { [EXEC]: () => ({ ...answer, exitCode: 3 }) },
  });
  const channel = openChannel({ endpoint });
  try {
    return await execSync(channel, {
      id: containerId("c1"),
      command: ["true"],
      timeoutSeconds: 5,
      ...outputLimitBytes === undefined ? {} : { outputLimitBytes },
    }, AbortSignal.timeout(20_000));
  } finally {
    channel.close();
    await close();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("execSync() keeps of either stream no more than is wanted", async () => {
  const cases: readonly (readonly [Uint8Array, Uint8Array])[] = [
    [NONE, NONE],
    [LARGE, NONE],
    [NONE, LARGE],
    [LARGE.subarray(0, 20), LARGE],
  ];
  for (const [stdout, stderr] of cases) {
    for (const limit of [undefined, 10]) {
      const found = await told({ stdout, stderr }, limit);
      assert.deepEqual(found, {
        stdout: stdout.slice(0, limit),
        stderr: stderr.slice(0, limit),
        exitCode: 3,
      });
    }
  }
});
