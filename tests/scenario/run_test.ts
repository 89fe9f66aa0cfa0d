/**
 * Plays the stories of this folder on the real agent with fakes around it.
 * `deno test -A tests/scenario -- --update` writes down what happens now; read
 * the difference before you keep it. Commands: see `commands.ts`
 * and `commands_api.ts`.
 */
import assert from "node:assert/strict";
import { PodWorld } from "../fakes/pod_world.ts";
import { runCommand } from "./commands.ts";
import { commandsOf, parseStory, type Part, renderStory } from "./story.ts";

const FOLDER = new URL("./", import.meta.url);
const IS_UPDATE = Deno.args.includes("--update");

for (const name of storyNames()) {
  Deno.test(`The agent lives the story ${name}`, async () => {
    const file = new URL(name, FOLDER);
    const written = await Deno.readTextFile(file);
    const parts = parseStory(written);
    const lived = await play(parts, worldOf(written));
    if (IS_UPDATE) await Deno.writeTextFile(file, renderStory(lived));
    else assert.equal(renderStory(lived), renderStory(parts));
  });
}

Deno.test("parseStory() keeps a story as it is written", () => {
  const text = "# Words.\n\nadvance 1s\npods\n----\nline\n\n# End.\n";
  assert.equal(renderStory(parseStory(text)), text);
  assert.throws(() => parseStory("pods\nno rule\n"), /Line 1/);
});

/**
 * `# member` as the first line: the node belongs to a cluster. Lines of the
 * kubelet's configuration may follow: `# member with registerNode: false`.
 */
function worldOf(story: string): PodWorld {
  const match = /^# member(?: with (.+))?\n/.exec(story);
  if (match === null) return new PodWorld();
  return PodWorld.ofMember(match[1] === undefined ? "" : `${match[1]}\n`);
}

/** The same story with what really happens. */
async function play(
  parts: readonly Part[],
  world: PodWorld,
): Promise<readonly Part[]> {
  world.images.world.place("app:1");
  const lived: Part[] = [];
  await world.start();
  try {
    for (const part of parts) {
      if ("comment" in part) {
        lived.push(part);
        continue;
      }
      const said: string[] = [];
      for (const command of commandsOf(part)) {
        said.push(...await runCommand(world, command));
      }
      lived.push({ ...part, expected: said });
    }
  } finally {
    await world.stop();
  }
  return lived;
}

function storyNames(): readonly string[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".txt")).sort();
}
