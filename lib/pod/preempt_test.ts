import assert from "node:assert/strict";
import { dice, type Roll } from "../../tests/dice.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import { nameOf } from "../api/pod.ts";
import { qosClass } from "../api/qos.ts";
import { requestsOf } from "../api/requests.ts";
import type { V1Pod } from "../api/types.ts";
import { countOf, PODS, type Shortage } from "./fit.ts";
import { chooseVictims } from "./preempt.ts";

interface Parts {
  readonly cpu?: string;
  readonly memory?: string;
  readonly disk?: string;
  /** Guaranteed: the limits are as the requests. */
  readonly isHard?: boolean;
  readonly priority?: number;
  readonly ageSeconds?: number;
}

function one(name: string, parts: Parts = {}): V1Pod {
  const { cpu, memory, disk, isHard, priority, ageSeconds = 0 } = parts;
  const requests = {
    ...cpu === undefined ? {} : { cpu },
    ...memory === undefined ? {} : { memory },
    ...disk === undefined ? {} : { "ephemeral-storage": disk },
  };
  const resources = isHard ? { requests, limits: requests } : { requests };
  const pod = aPod({
    uid: name,
    name,
    containers: [aContainer({ resources })],
    ...priority === undefined ? {} : { spec: { priority } },
  });
  const creationTimestamp = new Date(1e12 - ageSeconds * 1000);
  return { ...pod, metadata: { ...pod.metadata, creationTimestamp } };
}

const critical = (priority = 2_000_000_000) => one("critical", { priority });
const lacks = (needs: Record<string, number>): Shortage[] =>
  Object.entries(needs).map(([resource, amount]) => ({
    resource,
    requested: BigInt(amount),
    used: 9n,
    capacity: 9n,
  }));

const MI = 1024 * 1024;

const CASES: readonly {
  readonly title: string;
  readonly pod?: V1Pod;
  readonly needs: Record<string, number>;
  readonly others: readonly V1Pod[];
  readonly victims: readonly string[] | string;
}[] = [
  {
    title: "nobody is there",
    needs: { cpu: 100 },
    others: [],
    victims: "(cpu 100)",
  },
  {
    title: "what is missing when all have gone is told",
    needs: { cpu: 700, memory: MI, pods: 1 },
    others: [one("a", { cpu: "400m" }), one("b", { memory: "1Mi" })],
    victims: "(cpu 300)",
  },
  {
    title: "critical pods of no lesser priority stay",
    needs: { cpu: 100 },
    others: [one("like", { cpu: "1", priority: 2_000_000_000 })],
    victims: "(cpu 100)",
  },
  {
    title: "lesser critical pods do not",
    pod: critical(2_000_001_000),
    needs: { cpu: 100 },
    others: [one("less", { cpu: "1", priority: 2_000_000_000 })],
    victims: ["less"],
  },
  {
    title: "best-effort pods go for a place",
    needs: { pods: 1 },
    others: [
      one("guaranteed", { cpu: "1", memory: "1Mi", isHard: true }),
      one("burstable", { cpu: "1" }),
      one("best-effort"),
    ],
    victims: ["best-effort"],
  },
  {
    title: "burstable pods go before guaranteed ones, however large",
    needs: { cpu: 200 },
    others: [
      one("hard", { cpu: "200m", memory: "1Mi", isHard: true }),
      one("big", { cpu: "4" }),
    ],
    victims: ["big"],
  },
  {
    title: "guaranteed pods go when nobody else suffices, and only they",
    needs: { cpu: 500 },
    others: [
      one("hard", { cpu: "500m", memory: "1Mi", isHard: true }),
      one("soft", { cpu: "100m" }),
      one("best-effort"),
    ],
    victims: ["hard"],
  },
  {
    title: "of one class the closest goes, and of those the smaller",
    needs: { memory: 100 * MI },
    others: [
      one("little", { memory: "40Mi" }),
      one("large", { memory: "900Mi" }),
      one("enough", { memory: "100Mi" }),
    ],
    victims: ["enough"],
  },
  {
    title: "one that fills two needs goes before two that fill one each",
    needs: { cpu: 100, memory: 100 * MI },
    others: [
      one("cpu", { cpu: "100m" }),
      one("memory", { memory: "100Mi" }),
      one("both", { cpu: "100m", memory: "100Mi" }),
    ],
    victims: ["both"],
  },
  {
    title: "several go where one does not suffice, the largest first",
    needs: { memory: 100 * MI },
    others: [
      one("a", { memory: "30Mi" }),
      one("b", { memory: "60Mi" }),
      one("c", { memory: "50Mi" }),
    ],
    victims: ["b", "c"],
  },
  {
    title: "best-effort pods fill needs of their own first",
    needs: { pods: 2, cpu: 100 },
    others: [
      one("idle", {}),
      one("busy", { cpu: "100m" }),
      one("busier", { cpu: "200m" }),
    ],
    victims: ["idle", "busy"],
  },
  {
    title: "disk counts as the rest does",
    needs: { "ephemeral-storage": 5 * MI },
    others: [one("none", { cpu: "1" }), one("disk", { disk: "9Mi" })],
    victims: ["disk"],
  },
  {
    title: "the youngest of equals goes",
    needs: { pods: 1 },
    others: [
      one("young", { ageSeconds: 1 }),
      one("old", { ageSeconds: 900 }),
      one("middle", { ageSeconds: 90 }),
    ],
    victims: ["young"],
  },
];

for (const { title, pod = critical(), needs, others, victims } of CASES) {
  Deno.test(`chooseVictims(): ${title}`, () => {
    const choice = chooseVictims(pod, lacks(needs), others);
    const found = choice.kind === "victims"
      ? choice.victims.map(nameOf)
      : choice.needs.map((each) => `(${each.resource} ${each.amount})`).join();
    assert.deepEqual(found, victims);
  });
}

function aCrowd(roll: Roll): V1Pod[] {
  return Array.from({ length: roll(12) }, (_, at) => {
    const memory = `${1 + roll(9)}Mi`;
    const cpu = `${(1 + roll(9)) * 100}m`;
    const kinds: Parts[] = [{}, { cpu }, { memory }, {
      cpu,
      memory,
      isHard: true,
    }];
    const priority = roll(6) === 0 ? 2_000_000_000 : roll(3);
    return one(`p${at}`, { ...kinds[roll(4)], priority, ageSeconds: roll(3) });
  });
}

function amount(pod: V1Pod, resource: string): bigint {
  if (resource === PODS) return 1n;
  return countOf(resource, requestsOf(pod).get(resource));
}

function covers(pods: readonly V1Pod[], lacking: readonly Shortage[]): boolean {
  return lacking.every(({ resource, requested }) =>
    pods.reduce((sum, each) => sum + amount(each, resource), 0n) >= requested
  );
}

Deno.test("chooseVictims() frees enough, spares the dearer, and is stable", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const roll = dice(seed);
    const crowd = aCrowd(roll);
    const lacking = lacks({
      ...roll(2) === 0 ? {} : { pods: 1 + roll(3) },
      ...roll(2) === 0 ? {} : { cpu: 100 * (1 + roll(30)) },
      memory: (1 + roll(20)) * MI,
    });
    const lesser = crowd.filter(({ spec }) => (spec?.priority ?? 0) < 2e9);
    const choice = chooseVictims(critical(), lacking, crowd);
    const at = `seed ${seed}`;
    assert.equal(choice.kind === "victims", covers(lesser, lacking), at);
    if (choice.kind !== "victims") continue;
    const { victims } = choice;
    assert.ok(covers(victims, lacking), at);
    assert.ok(victims.every((each) => lesser.includes(each)), at);
    assert.equal(new Set(victims).size, victims.length, at);
    // No guaranteed pod goes where all of the others would do.
    const cheap = lesser.filter((each) => qosClass(each) !== "Guaranteed");
    if (covers(cheap, lacking)) {
      assert.ok(victims.every((each) => cheap.includes(each)), at);
    }
    // The last one chosen of the dearest class is needed.
    const dearest = victims.at(-1);
    const rest = [
      ...victims.slice(0, -1),
      ...lesser.filter((each) =>
        dearest !== undefined && qosClass(each) !== qosClass(dearest) &&
        qosClass(each) !== "Guaranteed" && !victims.includes(each)
      ),
    ];
    if (dearest !== undefined && qosClass(dearest) === "Guaranteed") {
      assert.ok(!covers(rest, lacking), at);
    }
    const again = chooseVictims(critical(), lacking, crowd.toReversed());
    assert.deepEqual(again, choice, at);
  }
});
