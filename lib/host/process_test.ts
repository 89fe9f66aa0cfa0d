import assert from "node:assert/strict";

const PROCESS = new URL("process.ts", import.meta.url).href;

/** What a program says that lets an error stray, and how it ends. */
async function strayed(fault: string) {
  const program = `import { complain, endByStrays } from "${PROCESS}";
    endByStrays({
      error: (_, { error, stack }) => complain(error + "|" + stack.length + "\\n"),
    });
    setTimeout(() => complain("still here\\n"), 2000);
    ${fault}`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "-A"],
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, said: new TextDecoder().decode(stderr) };
}

Deno.test("endByStrays() tells what nobody caught, and ends", async () => {
  const faults = [
    `setTimeout(() => { throw new Error("lost") }, 1);`,
    `Promise.reject(new Error("lost"));`,
    `throw new Error("lost");`,
  ];
  for (const fault of faults) {
    const { code, said } = await strayed(fault);
    assert.equal(code, 1, said);
    assert.match(said, /^lost\|[1-9]\d+\n$/, fault);
  }
  const { code, said } = await strayed(`Promise.reject("words");`);
  assert.deepEqual([code, said], [1, "words|0\n"]);
});
