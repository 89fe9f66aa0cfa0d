/**
 * No peer's frame may end the agent; a pod's own server can say any of them to
 * a probe. Memory that was given back is filled with
 * a pattern here, so that who goes on using it dies each time and not by
 * chance.
 */
import assert from "node:assert/strict";

const CHILD = new URL("http2_guard_child.ts", import.meta.url).pathname;

async function meets(client: string, ...server: string[]) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", CHILD, client, ...server],
    stdin: "null",
    env: { NO_COLOR: "1", MALLOC_PERTURB_: "165" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const said = text(output.stdout);
  return {
    signal: output.signal,
    lines: said.trim().split("\n"),
    told: said + text(output.stderr),
  };
}

Deno.test("Deno's HTTP/2 dies of GOAWAY: if not, lib/base/http2_guard.ts can go", async () => {
  const { signal, told } = await meets("bare", "when asked, angrily");
  assert.match(String(signal), /^SIG(SEGV|ABRT)$/, told);
});

const WORDS = new Map([
  ["probe", /code = Unavailable desc = Connection dropped/],
  ["runtime", /runtime is not available/],
  ["watch", /the stream was closed/],
]);

const WAYS = [
  "at once",
  "when asked",
  "when asked, angrily",
  "with an answer to no question",
];

for (const [client, words] of WORDS) {
  Deno.test(`a deadly frame ends the connection of the ${client}, no more`, async () => {
    for (const when of WAYS) {
      const { signal, lines, told } = await meets(client, when);
      assert.equal(signal, null, `${when}: ${told}`);
      assert.equal(lines.length, 3, `${when}: ${told}`);
      for (const each of lines) assert.match(each, words, when);
    }
  });
}

Deno.test("an answer counts that comes before a GOAWAY, in one breath", async () => {
  const answers = new Map([
    ["probe", /does not implement the grpc health protocol/],
    ["runtime", /UNIMPLEMENTED/],
    ["watch", /^answered: 200/],
  ]);
  for (const [client, words] of answers) {
    const { lines, told } = await meets(client, "after the answer");
    assert.equal(lines.length, 3, told);
    for (const each of lines) assert.match(each, words, told);
  }
});

Deno.test("noise in the place of frames ends connections, no more", async () => {
  for (const client of ["probe", "watch"]) {
    for (const seed of ["1", "2", "3"]) {
      const { lines, told } = await meets(client, "noise", seed);
      assert.deepEqual(lines, ["400"], `seed ${seed}: ${told}`);
    }
  }
});
