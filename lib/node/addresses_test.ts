import assert from "node:assert/strict";
import {
  type AddressFacts,
  hostIps,
  nodeAddresses,
  refusal,
} from "./addresses.ts";
import { NETWORK } from "./fixture_test.ts";

const HOSTNAME = { type: "Hostname", address: "node-1" };
const internal = (address: string) => ({ type: "InternalIP", address });

function of(change: Partial<AddressFacts>) {
  return nodeAddresses({
    nodeName: "node-1",
    nodeIps: [],
    isCloudExternal: false,
    network: NETWORK,
    resolved: [],
    known: [],
    ...change,
  });
}

const FOUND: readonly {
  readonly name: string;
  readonly given: Partial<AddressFacts>;
  readonly ips: readonly string[];
  readonly provided?: string;
}[] = [
  { name: "the default route", given: {}, ips: ["192.0.2.10"] },
  {
    name: "--node-ip",
    given: { nodeIps: ["2001:DB8::10"] },
    ips: ["2001:db8::10"],
  },
  {
    name: "a pair of --node-ip in its order",
    given: { nodeIps: ["2001:db8::10", "192.0.2.10"] },
    ips: ["2001:db8::10", "192.0.2.10"],
  },
  {
    name: "0.0.0.0: the default route",
    given: { nodeIps: ["0.0.0.0"] },
    ips: ["192.0.2.10"],
  },
  {
    name: ":: prefers IPv6",
    given: { nodeIps: ["::"] },
    ips: ["2001:db8::10"],
  },
  {
    name: "the resolver before the default route",
    given: { resolved: ["127.0.0.1", "2001:db8::10"] },
    ips: ["2001:db8::10"],
  },
  {
    name: "the preferred family of what the resolver says",
    given: { resolved: ["2001:db8::10", "192.0.2.10"] },
    ips: ["192.0.2.10"],
  },
  {
    name: "of all our addresses that the resolver says, the one that leads out",
    given: {
      network: {
        ...NETWORK,
        interfaces: [
          { name: "cni0", isLoopback: false, addresses: ["10.244.0.1"] },
          ...NETWORK.interfaces,
        ],
      },
      resolved: ["10.244.0.1", "192.0.2.10"],
    },
    ips: ["192.0.2.10"],
  },
  {
    name: "nothing from the resolver that is not ours",
    given: { resolved: ["198.51.100.7"] },
    ips: ["192.0.2.10"],
  },
  {
    name: "a cloud without --node-ip: the name only",
    given: { isCloudExternal: true },
    ips: [],
  },
  {
    name: "a cloud with 0.0.0.0: the default route for a start",
    given: { isCloudExternal: true, nodeIps: ["0.0.0.0"] },
    ips: ["192.0.2.10"],
  },
  {
    name: "a cloud with --node-ip tells the controller",
    given: { isCloudExternal: true, nodeIps: ["192.0.2.10"] },
    ips: ["192.0.2.10"],
    provided: "192.0.2.10",
  },
  {
    name: "a cloud with a pair tells both",
    given: { isCloudExternal: true, nodeIps: ["2001:db8::10", "192.0.2.10"] },
    ips: ["2001:db8::10", "192.0.2.10"],
    provided: "2001:db8::10,192.0.2.10",
  },
];

for (const { name, given, ips, provided } of FOUND) {
  Deno.test(`nodeAddresses() takes ${name}`, () => {
    assert.deepEqual(of(given), {
      kind: "found",
      addresses: [...ips.map(internal), HOSTNAME],
      provided,
    });
  });
}

Deno.test("nodeAddresses() takes a node name that is an address", () => {
  assert.deepEqual(of({ nodeName: "198.51.100.7" }), {
    kind: "found",
    addresses: [
      internal("198.51.100.7"),
      { type: "Hostname", address: "198.51.100.7" },
    ],
    provided: undefined,
  });
});

Deno.test("nodeAddresses() leaves a cloud controller's addresses alone", () => {
  const known = [{ type: "ExternalIP", address: "203.0.113.1" }];
  const found = of({ isCloudExternal: true, nodeIps: ["192.0.2.10"], known });
  assert.deepEqual(found, {
    kind: "found",
    addresses: known,
    provided: "192.0.2.10",
  });
});

Deno.test("nodeAddresses() takes a global loopback address over link-local routes", () => {
  const network = {
    interfaces: [
      {
        name: "lo",
        isLoopback: true,
        addresses: ["127.0.0.1", "198.51.100.1"],
      },
      { name: "eth0", isLoopback: false, addresses: ["fe80::1"] },
    ],
    defaultRoutes: [{ family: "IPv4", interfaceName: "eth0" } as const],
  };
  const found = of({ network });
  assert.deepEqual(
    found.kind === "found" && found.addresses[0],
    internal("198.51.100.1"),
  );
});

Deno.test("nodeAddresses() says why there is none", () => {
  const cases: [Partial<AddressFacts>, string][] = [
    [
      { nodeIps: ["127.0.0.1"] },
      "failed to validate nodeIP: nodeIP can't be loopback address",
    ],
    [
      { nodeIps: ["192.0.2.10", "ff02::1"] },
      "failed to validate secondaryNodeIP: " +
      "nodeIP can't be a multicast address",
    ],
    [
      { nodeIps: ["198.51.100.7"] },
      'failed to validate nodeIP: node IP: "198.51.100.7" not found in the ' +
      "host's network interfaces",
    ],
    [
      { network: { ...NETWORK, defaultRoutes: [] } },
      "can't get ip address of node node-1. error: no default routes found " +
      'in "/proc/net/route" or "/proc/net/ipv6_route"',
    ],
    [
      { network: { ...NETWORK, interfaces: [] } },
      "can't get ip address of node node-1. error: unable to select an IP " +
      "from default routes.",
    ],
  ];
  for (const [given, problem] of cases) {
    assert.deepEqual(of(given), { kind: "none", problem });
  }
});

Deno.test("refusal() is in upstream's words", () => {
  const cases: [string, string | undefined][] = [
    ["nonsense", "nodeIP must be a valid IP address"],
    ["169.254.1.1", "nodeIP can't be a link-local unicast address"],
    ["0.0.0.0", "nodeIP can't be an all zeros address"],
    ["192.0.2.10", undefined],
  ];
  for (const [ip, words] of cases) assert.equal(refusal(ip, NETWORK), words);
});

Deno.test("hostIps() are one of each family, internal ones first", () => {
  const external = (address: string) => ({ type: "ExternalIP", address });
  const table: [Parameters<typeof hostIps>[0], string[]][] = [
    [[], []],
    [[HOSTNAME], []],
    [[external("192.0.2.1"), internal("10.0.0.1")], ["10.0.0.1"]],
    [[external("192.0.2.1")], ["192.0.2.1"]],
    [
      [internal("fd00::1"), internal("fd00::2"), internal("10.0.0.1")],
      ["fd00::1", "10.0.0.1"],
    ],
  ];
  for (const [addresses, expected] of table) {
    assert.deepEqual(hostIps(addresses), expected);
  }
});
