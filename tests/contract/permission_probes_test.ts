/** Injected code is refused, each time by the permission that is meant. */
import assert from "node:assert/strict";
import {
  OUTSIDE,
  type PermissionSet,
  type Probe,
  probesOf,
  probesProgram,
  SETS,
} from "./permission_probes.ts";

/** What the program says under a set: name → refused or granted. */
async function tried(
  probes: readonly Probe[],
  set: PermissionSet | "all",
): Promise<ReadonlyMap<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/probes.ts`;
    await Deno.writeTextFile(program, probesProgram(probes));
    const config = `${folder}/deno.json`;
    const permissions = set === "all" ? {} : { tried: set };
    await Deno.writeTextFile(config, JSON.stringify({ permissions }));
    const output = await new Deno.Command("timeout", {
      args: [
        ...["30", Deno.execPath(), "run", "--quiet", "--no-prompt"],
        ...["--no-check", "--no-lock", `--config=${config}`],
        ...(set === "all" ? ["-A"] : ["-P=tried"]),
        program,
      ],
      cwd: folder,
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(output.stdout).trim().split("\n");
    assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
    return new Map(probes.map(({ name }, at) => [name, said[at] ?? "nothing"]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [name, set] of SETS) {
  Deno.test(`S52: code inside of the set ${name} can do no more`, async () => {
    const probes = probesOf(set);
    const said = await tried(probes, set);
    assert.deepEqual(
      said,
      new Map(probes.map((each) => [each.name, "refused"])),
    );
  });
}

Deno.test("S52: each probe is refused for want of its one permission", async () => {
  const set = SETS.get("scratch") ?? {};
  await Deno.mkdir(OUTSIDE, { recursive: true });
  try {
    for (const probe of probesOf(set)) {
      const { name, widened } = probe;
      const wider = widened === "all" ? "all" : widened(set);
      assert.deepEqual([...await tried([probe], wider)], [[name, "granted"]]);
    }
  } finally {
    await Deno.remove(OUTSIDE, { recursive: true });
  }
});

Deno.test("S52: a set with everything in it passes no probe", async () => {
  const probes = probesOf({});
  try {
    const said = await tried(probes, "all");
    const refused = [...said].filter(([, word]) => word === "refused");
    assert.deepEqual(refused, []);
  } finally {
    await Deno.remove(OUTSIDE, { recursive: true });
  }
});
