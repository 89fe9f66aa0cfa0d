/**
 * `kubectl` against the node, through the real API server: what people do with
 * pods that run. The API server verifies the node's certificate here.
 */
import assert from "node:assert/strict";
import { until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  kubectl,
  memberTest,
  pod,
} from "./member_world.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("timeout", {
    args: ["-s", "KILL", "60", "kubectl", ...args],
    env: { KUBECONFIG: cluster.adminKubeconfig },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(
  args: readonly string[],
  input: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Promise<Outcome> {
  const child = start(args);
  const writer = child.stdin.getWriter();
  const written = writer.write(input).then(() => writer.close());
  const [output] = await Promise.all([
    child.output(),
    written.catch(() => {}),
  ]);
  const decoder = new TextDecoder("latin1");
  return {
    code: output.code,
    out: decoder.decode(output.stdout),
    err: decoder.decode(output.stderr),
  };
}

/**
 * What the container `cat` says to this. The input stays open until then: the
 * runtime ends a stream with its input, said or not.
 */
async function attach(words: string): Promise<string> {
  const child = start(["attach", "-i", "web", "-c", "cat"]);
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(words));
  let said = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.includes(words)) break;
  }
  await input.close();
  await child.stderr.cancel();
  await child.status;
  return said;
}

const IN_APP = ["web", "-c", "app", "--"];

memberTest(
  "kubectl exec, cp and attach move every byte and every code",
  async () => {
    await apply(aPod("web", {
      containers: [
        aContainer(),
        aContainer("echo ready; exec cat", { name: "cat", stdin: true }),
      ],
    }));
    await inPhase("web", "Running");
    await until(
      "exec",
      async () => (await run(["exec", ...IN_APP, "true"])).code === 0,
    );
    const both = await run([
      "exec",
      ...IN_APP,
      "sh",
      "-c",
      "echo out; echo err >&2; exit 7",
    ]);
    assert.deepEqual([both.code, both.out], [7, "out\n"]);
    assert.match(both.err, /^err\n/);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const large = new Uint8Array(50 * bytes.length);
    for (let each = 0; each < 50; each++) {
      large.set(bytes, each * bytes.length);
    }
    const echoed = await run(["exec", "-i", ...IN_APP, "cat"], large);
    assert.equal(echoed.code, 0, echoed.err);
    assert.equal(echoed.out, new TextDecoder("latin1").decode(large));
    const unknown = await run(["exec", ...IN_APP, "no-such-program"]);
    assert.notEqual(unknown.code, 0);
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeFile(file, bytes);
      await kubectl("cp", file, "default/web:/tmp/copy", "-c", "app");
      await kubectl("cp", "default/web:/tmp/copy", `${file}.back`, "-c", "app");
      assert.deepEqual(await Deno.readFile(`${file}.back`), bytes);
    } finally {
      await Deno.remove(file);
      await Deno.remove(`${file}.back`).catch(() => {});
    }
    assert.match(await attach("to the cat\n"), /to the cat/);
  },
);

memberTest(
  "kubectl port-forward reaches a port of the pod, many times",
  async () => {
    const serve = "mkdir /www; head -c 300000 /dev/zero | tr '\\0' x > " +
      "/www/x; httpd -f -p 8080 -h /www";
    await apply(aPod("web", { containers: [aContainer(serve)] }));
    await inPhase("web", "Running");
    const child = start(["port-forward", "web", ":8080"]);
    const reader = child.stdout.getReader();
    try {
      const first = await reader.read();
      const words = new TextDecoder().decode(first.value);
      const port = /127\.0\.0\.1:(\d+) ->/.exec(words)?.[1];
      assert.ok(port, words);
      const url = `http://127.0.0.1:${port}/x`;
      const lengths = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const response = await fetch(url, {
            headers: { connection: "close" },
          });
          return (await response.text()).length;
        }),
      );
      assert.deepEqual(lengths, Array.from({ length: 8 }, () => 300_000));
    } finally {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.stderr.cancel();
      await child.stdin.close().catch(() => {});
      await child.status;
    }
  },
);

memberTest(
  "kubectl logs tells what was written, follows it and its end",
  async () => {
    const script = "for i in 1 2 3; do echo line $i; done; sleep 2; " +
      "echo last; exit 3";
    await apply(aPod("web", {
      restartPolicy: "Never",
      containers: [aContainer(script)],
    }));
    await inPhase("web", "Running");
    const followed = await run(["logs", "-f", "web"]);
    assert.deepEqual(
      [followed.code, followed.out],
      [0, "line 1\nline 2\nline 3\nlast\n"],
    );
    await inPhase("web", "Failed");
    const logs = async (...args: string[]) =>
      (await run(["logs", "web", ...args])).out;
    assert.equal(await logs("--tail=2"), "line 3\nlast\n");
    assert.equal(await logs("--limit-bytes=9"), "line 1\nli");
    assert.equal(await logs("--since-time=2100-01-01T00:00:00Z"), "");
    assert.match(
      await logs("--timestamps", "--tail=1"),
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) last\n$/,
    );
    const previous = await run(["logs", "web", "--previous"]);
    assert.notEqual(previous.code, 0);
    assert.match(previous.err, /previous terminated container "app"/);
    const missing = await run(["logs", "web", "-c", "nope"]);
    assert.match(missing.err, /container nope is not valid for pod web/);
    assert.equal((await pod("web"))?.status?.phase, "Failed");
  },
);
