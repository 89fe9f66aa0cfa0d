import { openLibc } from "../../lib/host/libc.ts";
import { HostFiles } from "../../lib/host/files.ts";
import { FakeFiles } from "../fakes/fake_host.ts";
import { filesContract } from "./host_contract.ts";

filesContract("fake", async () => {
  const files = new FakeFiles();
  await files.makeDirectory("/root", 0o755);
  return { files, root: "/root", close: () => Promise.resolve() };
});

filesContract("real", async () => {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const files = new HostFiles({ libc, roots: [root], links: "refuse" });
  const close = async () => {
    libc.close();
    await Deno.remove(root, { recursive: true });
  };
  return { files, root, close };
});
