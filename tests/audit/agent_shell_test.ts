/** The shell that starts agents, with another program in the agent's place. */
import assert from "node:assert/strict";
import { AGENT_SHELL } from "../../deploy/world/agent.ts";

const SAY = `console.log(Deno.pid, Deno.env.get("DENO_AUDIT_PERMISSIONS"))`;

async function said(audit: string, before?: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const { DENO_AUDIT_PERMISSIONS: _, ...env } = Deno.env.toObject();
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", AGENT_SHELL, Deno.execPath(), `${folder}/log`, audit]
        .concat("eval", "--no-config", SAY),
      clearEnv: true,
      env: before === undefined
        ? env
        : { ...env, DENO_AUDIT_PERMISSIONS: before },
    }).spawn();
    assert.equal((await child.status).code, 0);
    const log = await Deno.readTextFile(`${folder}/log`);
    return log.trim().replaceAll(String(child.pid), "PID");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an agent keeps its pid, and logs uses only where it is told", async () => {
  assert.equal(await said(""), "PID undefined");
  const audit = await Deno.makeTempDir();
  try {
    assert.match(await said(audit), /^PID \S+\/PID-\d+\.jsonl$/);
    assert.equal(await said(audit, "/dev/null"), "PID /dev/null");
    const names = [...Deno.readDirSync(audit)].map(({ name }) => name);
    assert.match(names.join(" "), /^\d+-\d+\.jsonl$/);
  } finally {
    await Deno.remove(audit, { recursive: true });
  }
});
