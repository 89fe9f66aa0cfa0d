/**
 * The contracts on a real container runtime. Wanted from the environment:
 * - DENOLET_TEST_SOCKET: the runtime's socket.
 * - DENOLET_TEST_IMAGE: an image with busybox in it, already there.
 * - DENOLET_TEST_RESTART (optional): a program that takes the runtime down
 *   when called with `down` and brings it back when called with `up`.
 */
import { openChannel } from "../../lib/cri/channel.ts";
import { CriImages } from "../../lib/cri/images.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import type { RuntimeHarness } from "./harness.ts";
import { imagesContract, type ImagesHarness } from "./images_contract.ts";
import { runtimeContract } from "./runtime_contract.ts";

const socket = Deno.env.get("DENOLET_TEST_SOCKET") ?? "";
const image = Deno.env.get("DENOLET_TEST_IMAGE") ?? "";
const restart = Deno.env.get("DENOLET_TEST_RESTART") ?? "";
const ignore = socket === "" || image === "";

if (ignore) {
  console.warn(
    "SKIPPED: no contract is tried on a real runtime, because " +
      "DENOLET_TEST_SOCKET or DENOLET_TEST_IMAGE is not set",
  );
} else if (restart === "") {
  console.warn(
    "SKIPPED: the runtime is not restarted, because DENOLET_TEST_RESTART " +
      "is not set",
  );
}

runtimeContract("a real runtime", openRuntime, {
  ignore,
  mayRestart: restart !== "",
});
imagesContract("a real runtime", openImages, { ignore });

/** Looks for an exit code in /exit and for lines to print in /say. */
const OBEDIENT = `trap 'exit 143' TERM
while :; do
  [ -f /exit ] && exit $(cat /exit)
  [ -f /say ] && cat /say && rm /say
  sleep 0.02
done`;
const STUBBORN = "trap '' TERM; while :; do sleep 0.1; done";

async function openRuntime(): Promise<RuntimeHarness> {
  const channel = openChannel({ endpoint: socket });
  const runtime = new CriRuntime(channel);
  const logRoot = await Deno.makeTempDir({ prefix: "denolet-contract-" });
  const signal = AbortSignal.timeout(60_000);
  const put = async (
    id: Parameters<RuntimeHarness["exit"]>[0],
    file: string,
    text: string,
  ) => {
    const script = `echo '${text}' > ${file}.new && mv ${file}.new ${file}`;
    const command = ["sh", "-c", script];
    await runtime.execSync({ id, command, timeoutSeconds: 10 }, signal);
  };
  return {
    runtime,
    imageRef: image,
    logRoot,
    programs: {
      obedient: ["sh", "-c", OBEDIENT],
      stubborn: ["sh", "-c", STUBBORN],
      exits: (code) => ["sh", "-c", `exit ${code}`],
    },
    exit: (id, code) => put(id, "/exit", String(code)),
    print: (id, line) => put(id, "/say", line),
    readLog: (path) => Deno.readTextFile(path),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    ...(restart === "" ? {} : {
      restart: { down: () => run("down"), up: () => run("up") },
    }),
    close: async () => {
      channel.close();
      await Deno.remove(logRoot, { recursive: true });
    },
  };
}

async function run(word: string): Promise<void> {
  const { success } = await new Deno.Command(restart, {
    args: [word],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot take the runtime ${word}`);
}

function openImages(): Promise<ImagesHarness> {
  const channel = openChannel({ endpoint: socket });
  return Promise.resolve({
    images: new CriImages(channel),
    present: image,
    unreachable: "127.0.0.1:1/nobody/home:1",
    close: async () => await channel.close(),
  });
}
