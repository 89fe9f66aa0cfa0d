import assert from "node:assert/strict";
import { parseCommandLine } from "./command_line.ts";
import { identify } from "./identity.ts";

function identityOf(argv: readonly string[], hostname = "Node-1.Example\n") {
  const command = parseCommandLine(argv);
  if (command.kind !== "agent") throw new Error(`It is ${command.kind}`);
  return identify(command.flags.agent, hostname);
}

function refusal(argv: readonly string[], hostname?: string): string {
  const identity = identityOf(argv, hostname);
  if (identity.kind === "ok") throw new Error("It was accepted");
  return identity.message;
}

Deno.test("identify() trims and lowers the host name or its override", () => {
  const names = [
    [[], "node-1.example"],
    [["--hostname-override= I-0ABC "], "i-0abc"],
    [["--hostname-override="], "node-1.example"],
  ] as const;
  for (const [argv, name] of names) {
    const identity = identityOf(argv);
    assert.equal(identity.kind === "ok" && identity.nodeName, name);
  }
});

Deno.test("identify() refuses a name that no node may have", () => {
  assert.match(
    refusal(["--hostname-override=a_b"]),
    /^--hostname-override: .*"a_b"/,
  );
  assert.match(
    refusal([], "my_host"),
    /^the host name cannot be the node name/,
  );
  assert.match(refusal([], ""), /^the host name cannot be the node name/);
});

Deno.test("identify() reads one address or a pair, drops what is none", () => {
  const cases = [
    ["", []],
    ["10.0.0.1", ["10.0.0.1"]],
    ["::", ["::"]],
    ["10.0.0.1,fd00::1", ["10.0.0.1", "fd00::1"]],
    ["fd00::1, 10.0.0.1", ["fd00::1", "10.0.0.1"]],
    ["x,10.0.0.1", ["10.0.0.1"]],
  ] as const;
  for (const [value, ips] of cases) {
    const identity = identityOf([`--node-ip=${value}`]);
    assert.ok(identity.kind === "ok");
    assert.deepEqual(identity.nodeIps, ips);
    assert.equal(identity.warnings.length, value.startsWith("x") ? 1 : 0);
  }
  assert.match(refusal(["--node-ip=10.0.0.1,10.0.0.2"]), /an IPv4 and an IPv6/);
  assert.match(
    refusal(["--node-ip=1.1.1.1,::1,2.2.2.2"]),
    /an IPv4 and an IPv6/,
  );
  assert.match(
    refusal(["--node-ip=0.0.0.0,fd00::1"]),
    /cannot be part of a pair/,
  );
});

Deno.test("identify() lets a node set only the labels it may", () => {
  const good = "topology.kubernetes.io/zone=a,node.kubernetes.io/x=y," +
    "sub.kubelet.kubernetes.io/x=y,example.com/a=b,plain=";
  assert.equal(identityOf([`--node-labels=${good}`]).kind, "ok");
  const bad = [
    "node-role.kubernetes.io/master=",
    "k8s.io/x=y",
    "a b=c",
    "a=b c",
    "x/y/z=1",
  ];
  for (const label of bad) {
    assert.match(
      refusal([`--node-labels=${label}`]),
      /^--node-labels: /,
      label,
    );
  }
});

Deno.test("identify() wants flags that need each other", () => {
  assert.match(refusal(["--exit-on-lock-contention"]), /needs --lock-file/);
  assert.match(
    refusal(["--image-credential-provider-config=/a"]),
    /need each other/,
  );
});
