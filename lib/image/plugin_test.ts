import assert from "node:assert/strict";
import { createMeters } from "../api/meters.ts";
import { createMetrics } from "../base/metrics.ts";
import type {
  CredentialProvider,
  TokenAttributes,
} from "../config/credential_providers.ts";
import { AgentError } from "../base/errors.ts";
import { podUid } from "../api/id.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { FakePrograms, SIGNAL } from "./fixture_test.ts";
import { CredentialPlugin } from "./plugin.ts";

const V1 = "credentialprovider.kubelet.k8s.io/v1";
const PATH = "/plugins/p";
const SECRET = "planted";
const ACCOUNT = { namespace: "ns", name: "default" };
const POD = {
  namespace: "ns",
  name: "web",
  uid: podUid("web-uid"),
  serviceAccount: "default",
};

class World {
  readonly clock = new FakeClock();
  readonly meters = createMeters(createMetrics());
  readonly programs = new FakePrograms();
  readonly accounts = new FakeReferred({ nowMs: () => this.clock.nowMs() });
  /** Requests, as the plugin read them. */
  readonly asked: unknown[] = [];
  answer: unknown;
  readonly plugin: CredentialPlugin;

  constructor(own: Partial<CredentialProvider> = {}) {
    this.answer = answer();
    this.programs.world.set(PATH, ({ stdin = "" }) => {
      this.asked.push(JSON.parse(stdin));
      const stdout = typeof this.answer === "string"
        ? this.answer
        : JSON.stringify(this.answer);
      return { code: 0, stdout, stderr: SECRET };
    });
    this.accounts.put("ServiceAccount", ACCOUNT, {
      metadata: { uid: "sa-uid", annotations: { role: "r", other: "o" } },
    });
    this.plugin = new CredentialPlugin(this, {
      name: "p",
      matchImages: ["*.io"],
      defaultCacheMs: 60_000,
      apiVersion: V1,
      args: [],
      env: new Map(),
      token: undefined,
      ...own,
    }, PATH);
  }

  provide(image = "r.io/a", pod = POD) {
    return this.plugin.provide(image, pod, SIGNAL);
  }

  /** How often the plugin ran for these images, one after the other. */
  async runs(...images: string[]): Promise<number> {
    const before = this.asked.length;
    for (const image of images) await this.provide(image);
    return this.asked.length - before;
  }
}

function answer(own: object = {}) {
  return {
    apiVersion: V1,
    kind: "CredentialProviderResponse",
    cacheKeyType: "Image",
    auth: { "r.io": { username: "u", password: SECRET } },
    ...own,
  };
}

const TOKEN: TokenAttributes = {
  audience: "reg",
  cacheType: "ServiceAccount",
  isAccountRequired: true,
  requiredAnnotations: ["role"],
  optionalAnnotations: ["maybe"],
};

Deno.test("CredentialPlugin asks for images that match only", async () => {
  const world = new World();
  assert.equal(await world.provide("r.org/a"), undefined);
  assert.deepEqual(world.asked, []);
  assert.deepEqual(await world.provide(), {
    source: { kind: "node" },
    logins: [["r.io", { username: "u", password: SECRET, email: "" }]],
  });
  assert.deepEqual(world.asked, [
    { kind: "CredentialProviderRequest", apiVersion: V1, image: "r.io/a" },
  ]);
});

Deno.test("CredentialPlugin keeps an answer for what and as long as it says", async () => {
  const images = ["r.io/a", "r.io/b", "s.io/a", "r.io/a"];
  const cases: [object, number][] = [
    [{ cacheKeyType: "Image" }, 3],
    [{ cacheKeyType: "Registry" }, 2],
    [{ cacheKeyType: "Global" }, 1],
    [{ cacheKeyType: "Global", cacheDuration: "0s" }, 4],
    [{ cacheKeyType: "Global", cacheDuration: "1h" }, 1],
    [{ cacheKeyType: "Global", cacheDuration: null }, 1],
  ];
  for (const [own, runs] of cases) {
    const world = new World();
    world.answer = answer(own);
    assert.equal(await world.runs(...images), runs, JSON.stringify(own));
  }
  const never = new World({ defaultCacheMs: 0 });
  assert.equal(await never.runs(...images), 4);
  const world = new World();
  assert.equal(await world.runs("r.io/a"), 1);
  await world.clock.advance(60_000);
  assert.equal(await world.runs("r.io/a"), 0);
  await world.clock.advance(1);
  assert.equal(await world.runs("r.io/a"), 1);
});

Deno.test("CredentialPlugin runs once for all who ask the same at once", async () => {
  const world = new World({ defaultCacheMs: 0 });
  await Promise.all([world.provide(), world.provide(), world.provide("x.io")]);
  assert.equal(world.asked.length, 2);
});

Deno.test("CredentialPlugin tells nothing of what a bad plugin prints", async () => {
  const bad: unknown[] = [
    SECRET,
    `"${SECRET}"`,
    answer({ apiVersion: SECRET }),
    answer({ kind: SECRET }),
    answer({ cacheKeyType: SECRET }),
    answer({ cacheDuration: SECRET }),
    answer({ auth: SECRET }),
    answer({ auth: { "r.io": { password: [SECRET] } } }),
    answer({ [SECRET]: 1 }),
  ];
  for (const each of bad) {
    const world = new World();
    world.answer = each;
    await assert.rejects(world.provide(), (error: Error) => {
      assert.ok(error instanceof AgentError);
      assert.match(error.message, /^Cannot get image credentials from \/pl/);
      assert.ok(!error.message.includes(SECRET), error.message);
      return true;
    });
  }
  const world = new World();
  world.programs.world.set(PATH, () => ({
    code: 3,
    stdout: SECRET,
    stderr: SECRET,
  }));
  await assert.rejects(world.provide(), {
    message: `Cannot get image credentials from ${PATH}: it ended with 3`,
  });
});

Deno.test("CredentialPlugin gives the plugin a token of the pod's account", async () => {
  const world = new World({ token: TOKEN });
  const provided = await world.provide();
  assert.deepEqual(provided?.source, {
    kind: "service-account",
    at: { ...ACCOUNT, uid: "sa-uid" },
  });
  const [request] = world.asked;
  assert.ok(typeof request === "object" && request !== null);
  const { serviceAccountToken, ...rest } = Object.fromEntries(
    Object.entries(request),
  );
  assert.deepEqual(rest, {
    kind: "CredentialProviderRequest",
    apiVersion: V1,
    image: "r.io/a",
    serviceAccountAnnotations: { role: "r" },
  });
  const [, claims = ""] = String(serviceAccountToken).split(".");
  const { aud } = JSON.parse(atob(claims));
  assert.deepEqual(aud, ["reg"]);
});

Deno.test("CredentialPlugin leaves pods alone that it is not for", async () => {
  const cases: [Partial<typeof TOKEN>, Partial<typeof POD>, boolean][] = [
    [{}, {}, true],
    [{}, { serviceAccount: "" }, false],
    [{ requiredAnnotations: ["none"] }, {}, false],
  ];
  for (const [token, pod, isAsked] of cases) {
    const world = new World({ token: { ...TOKEN, ...token } });
    const provided = await world.provide("r.io/a", { ...POD, ...pod });
    assert.equal(provided !== undefined, isAsked);
  }
  const optional = { ...TOKEN, isAccountRequired: false };
  const world = new World({
    token: { ...optional, requiredAnnotations: [] },
  });
  const provided = await world.provide("r.io/a", {
    ...POD,
    serviceAccount: "",
  });
  assert.deepEqual(provided?.source, { kind: "node" });
});

Deno.test("CredentialPlugin shares by account, or by token", async () => {
  const other = { ...POD, name: "two", uid: podUid("two-uid") };
  for (
    const [cacheType, runs] of [["ServiceAccount", 1], ["Token", 2]] as const
  ) {
    const world = new World({ token: { ...TOKEN, cacheType } });
    await world.provide();
    await world.provide("r.io/a", other);
    await world.provide();
    assert.equal(world.asked.length, runs, cacheType);
    // A token is kept until a fifth of its life is left.
    const tokens = () =>
      world.accounts.asked.filter((each) => each.startsWith("token")).length;
    assert.equal(tokens(), 2);
    await world.clock.advance(48 * 60_000);
    await world.provide();
    assert.equal(tokens(), 3);
  }
});

Deno.test("CredentialPlugin takes a token given back only for cacheType Token", async () => {
  for (const cacheType of ["ServiceAccount", "Token"] as const) {
    const world = new World({ token: { ...TOKEN, cacheType } });
    world.programs.world.set(PATH, ({ stdin = "" }) => {
      const { serviceAccountToken: password } = JSON.parse(stdin);
      const stdout = JSON.stringify(answer({
        auth: { "r.io": { username: "u", password } },
      }));
      return { code: 0, stdout, stderr: "" };
    });
    if (cacheType === "Token") assert.ok(await world.provide());
    else await assert.rejects(world.provide(), /needs cacheType: Token/);
  }
});
