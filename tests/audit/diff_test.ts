/** The difference between a log and a set, also of a log that Deno wrote. */
import assert from "node:assert/strict";
import { type Granted, outsideOf, unusedOf, type Use, usesOf } from "./diff.ts";

const NOTHING: Granted = {
  ...{ read: [], write: [], net: [], ffi: [], env: [], sys: [] },
};
const HERE = "/checkout/";

/** `permission value` words, as a log has them. */
function uses(...words: readonly string[]): Use[] {
  return words.map((each) => {
    const [permission = "", value = ""] = each.split(" ");
    return { permission, value };
  });
}

Deno.test("a use is inside of its grant, or named", () => {
  const rows: [Partial<Granted>, string, boolean][] = [
    [{ read: ["/a"] }, "read /a", true],
    [{ read: ["/a"] }, "read /a/b", true],
    [{ read: ["/a"] }, "read /ab", false],
    [{ read: ["/a"] }, "read /a/../etc/shadow", false],
    [{ read: ["/a"] }, "read /b/../a/c", true],
    [{ read: ["/a"] }, "write /a", false],
    [{}, "read /checkout/main.ts", true],
    [{}, "read lib/x.ts", true],
    [{}, "read ../x.ts", false],
    [{}, "write /checkout/main.ts", false],
    [{ net: ["127.0.0.1"] }, "net 127.0.0.1:80", true],
    [{ net: ["127.0.0.1"] }, "net 127.0.0.11:80", false],
    [{ net: ["0.0.0.0:10250"] }, "net 0.0.0.0:10250", true],
    [{ net: ["0.0.0.0:10250"] }, "net 0.0.0.0:10251", false],
    [{ net: ["10.192.0.0/10"] }, "net 10.255.1.2:80", true],
    [{ net: ["10.192.0.0/10"] }, "net 10.191.255.255:80", false],
    [{ net: ["10.192.0.0/10"] }, "net 10.256.0.1:80", false],
    [{ net: ["10.192.0.0/10"] }, "net host:80", false],
    [{ net: ["unix:/a.sock"] }, "net unix:/a.sock", true],
    [{ net: ["unix:/a"] }, "net unix:/a/b", false],
    [{ env: ["GRPC_*"] }, "env GRPC_TRACE", true],
    [{ env: ["GRPC_*"] }, "env HOME", false],
    [{ sys: ["hostname"] }, "sys uid", false],
    [{ ffi: ["/lib/c.so"] }, "ffi /lib/c.so.6", false],
    [{}, "run /bin/true", false],
    [{}, "import example.com:443", false],
  ];
  for (const [grants, use, isInside] of rows) {
    const found = outsideOf({ ...NOTHING, ...grants }, uses(use), HERE);
    assert.deepEqual(found, isInside ? [] : [use], use);
  }
});

Deno.test("a grant is used, or named", () => {
  const set = { ...NOTHING, read: ["/a", "/b"], net: ["10.0.0.0/8", "h:1"] };
  const used = uses("read /a/x", "write /b", "net 10.1.1.1:80", "net h:2");
  assert.deepEqual(unusedOf(set, used, HERE), ["read /b", "net h:1"]);
});

Deno.test("a log is read up to where its process was killed", () => {
  const line = `{"v":1,"permission":"read","value":"/a"}\n`;
  assert.deepEqual(usesOf(line + line + `{"v":1,"perm`), uses("read /a"));
  assert.throws(() => usesOf(`{"v":1,"perm\n${line}`), SyntaxError);
});

Deno.test("what Deno logs is compared with what it granted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const program = `Deno.readDirSync(${JSON.stringify(folder)});` +
      `try { Deno.env.get("HOME") } catch {} Deno.env.get("GRPC_TRACE");` +
      `try { await Deno.connect({ hostname: "127.0.0.1", port: 1 }) } catch {}`;
    const set = {
      ...NOTHING,
      read: [folder],
      net: ["127.0.0.0/8", "192.0.2.1"],
      env: ["GRPC_*"],
      sys: ["hostname"],
    };
    const file = `${folder}/audit.jsonl`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-check", "--no-config"],
        ...[`--allow-read=${folder}`, `--allow-net=${set.net}`],
        ...["--allow-env=GRPC_*", "--allow-sys=hostname"],
        `data:text/javascript,${encodeURIComponent(program)}`,
      ],
      env: { DENO_AUDIT_PERMISSIONS: file },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const used = usesOf(await Deno.readTextFile(file));
    assert.deepEqual(outsideOf(set, used, HERE), ["env HOME"]);
    const unused = ["net 192.0.2.1", "sys hostname"];
    assert.deepEqual(unusedOf(set, used, HERE), unused);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
