/**
 * The chains of iptables in a network namespace of the test's own, and on the
 * fake. Needs root, iproute2 and iptables; says so where they are missing.
 */
import assert from "node:assert/strict";
import { hostPrograms } from "../../lib/host/programs.ts";
import { FakeTables } from "../fakes/fake_tables.ts";
import { iptablesContract, type TablesWorld } from "./iptables_contract.ts";

const ignore = !await canHaveNamespaces();
if (ignore) {
  console.warn("SKIP: no test of iptables: it takes root, ip and iptables");
}

iptablesContract("fake", () =>
  Promise.resolve({
    programs: new FakeTables(),
    close: () => Promise.resolve(),
  }), { ignore: false });
iptablesContract("real", openNamespace, { ignore });

async function canHaveNamespaces(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const tries = ["ip", "iptables", "ip6tables"].map(async (program) => {
    const command = new Deno.Command(program, { args: ["-V"] });
    return (await command.output()).success;
  });
  return (await Promise.all(tries).catch(() => [false])).every(Boolean);
}

async function openNamespace(): Promise<TablesWorld> {
  const name = `denolet-test-${crypto.randomUUID().slice(0, 8)}`;
  await ip("netns", "add", name);
  return {
    programs: {
      run: ({ path, args, ...command }, signal) =>
        hostPrograms.run({
          ...command,
          path: "ip",
          args: ["netns", "exec", name, path, ...args],
        }, signal),
    },
    close: () => ip("netns", "delete", name),
  };
}

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("ip", { args }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}
