/** The contracts on the fakes, always. */
import { FakeClock } from "../fakes/fake_clock.ts";
import { FakeImages } from "../fakes/fake_images.ts";
import { FakeLogind } from "../fakes/fake_logind.ts";
import { FakeRuntime } from "../fakes/fake_runtime.ts";
import type { RuntimeHarness } from "./harness.ts";
import { imagesContract, type ImagesHarness } from "./images_contract.ts";
import { logindContract } from "./logind_contract.ts";
import { runtimeContract } from "./runtime_contract.ts";

runtimeContract("the fake", openRuntime, { ignore: false, mayRestart: true });
imagesContract("the fake", openImages, { ignore: false });
logindContract("the fake logind", () => {
  const logind = new FakeLogind();
  logind.delayMs = 5_000;
  return Promise.resolve({
    port: logind,
    heldCount: () => logind.heldCount,
    prepare: (what) => logind.prepare(what),
    leave: async () => await logind.leave(),
    close: () => Promise.resolve(),
  });
}, { ignore: false });

function openRuntime(): Promise<RuntimeHarness> {
  const clock = new FakeClock();
  const images = new FakeImages(clock);
  const { id } = images.world.place("example.org/busybox:1");
  const runtime = new FakeRuntime(clock, images);
  const { world } = runtime;
  return Promise.resolve({
    runtime,
    imageRef: id,
    logRoot: "/var/log/fake",
    programs: {
      obedient: ["run"],
      stubborn: ["stubborn"],
      exits: (code) => ["exit", String(code)],
    },
    exit: async (id, code) => await world.exit(id, code),
    print: async (id, line) => await world.print(id, line),
    readLog: (path) => Promise.resolve(world.log(path)),
    pass: (ms) => clock.advance(ms),
    restart: {
      down: async () => await world.stop(),
      up: async () => await world.start(),
    },
    close: () => Promise.resolve(),
  });
}

function openImages(): Promise<ImagesHarness> {
  const images = new FakeImages(new FakeClock());
  const present = "example.org/busybox:1";
  images.world.place(present);
  return Promise.resolve({
    images,
    present,
    unreachable: "127.0.0.1:1/nobody/home:1",
    close: () => Promise.resolve(),
  });
}
