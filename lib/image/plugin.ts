/**
 * One credential plugin: asked when an image fits, its answers kept as long as
 * it says. Questions that are alike and at once are asked once. Nothing that
 * the program prints is ever told.
 * Compat: kubelet 1.36 credentialprovider/plugin pluginProvider, execPlugin.
 */
import { createHash } from "node:crypto";
import type { Meters } from "../api/meters.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { CredentialProvider } from "../config/credential_providers.ts";
import type { Programs } from "../port/programs.ts";
import type { CredentialSource } from "./credential.ts";
import type { Logins } from "./docker_config.ts";
import { matches } from "./keyring.ts";
import {
  parseAnswer,
  type PluginAnswer,
  requestText,
} from "./plugin_answer.ts";
import {
  type Account,
  AccountAsk,
  type AccountPorts,
  type PodAccount,
} from "./plugin_account.ts";

const LIMIT_MS = 60_000;
const LIMIT_BYTES = 1 << 20;
const PURGE_EVERY_MS = 15 * 60_000;

export interface PluginPorts extends AccountPorts {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly meters: Pick<Meters, "pluginErrors" | "pluginSeconds">;
}

export interface Provided {
  readonly source: CredentialSource;
  readonly logins: Logins;
}

export class CredentialPlugin {
  readonly #ports: PluginPorts;
  readonly #provider: CredentialProvider;
  readonly #path: string;
  readonly #account: AccountAsk | undefined;
  readonly #kept = new Map<
    string,
    { readonly logins: Logins; readonly untilMs: number }
  >();
  readonly #asking = new Map<string, Promise<PluginAnswer>>();
  #purgedAtMs: number;

  constructor(ports: PluginPorts, provider: CredentialProvider, path: string) {
    this.#ports = ports;
    this.#provider = provider;
    this.#path = path;
    this.#purgedAtMs = ports.clock.monotonicMs();
    this.#account = provider.token && new AccountAsk(ports, provider.token);
  }

  get name(): string {
    return this.#provider.name;
  }

  /**
   * Undefined when the plugin has nothing to do with this image or pod.
   * `repository` has its registry spelled out. Rejects when the plugin fails.
   */
  async provide(
    repository: string,
    pod: PodAccount,
    signal: AbortSignal,
  ): Promise<Provided | undefined> {
    const { matchImages } = this.#provider;
    if (!matchImages.some((each) => matches(each, repository))) {
      return undefined;
    }
    const account = await this.#account?.find(pod, signal);
    if (account === "skip") return undefined;
    const source: CredentialSource = account === undefined
      ? { kind: "node" }
      : { kind: "service-account", at: account.at };
    const accountKey = account === undefined ? "" : this.#accountKey(account);
    const kept = this.#find(repository, accountKey);
    if (kept !== undefined) return { source, logins: kept };
    const answer = await this.#ask(repository, account);
    if (answer.kind === "invalid") throw this.#failure(answer.why);
    if (this.#echoes(answer.logins, account)) {
      throw this.#failure(
        "it gave the token back as a password, which needs cacheType: Token",
      );
    }
    this.#keep(answer, repository, accountKey);
    return { source, logins: answer.logins };
  }

  #ask(
    repository: string,
    account: Account | undefined,
  ): Promise<PluginAnswer> {
    const key = keyOf(
      repository,
      hash(account?.token ?? ""),
      ...[...account?.annotations ?? []].flat(),
    );
    const known = this.#asking.get(key);
    if (known !== undefined) return known;
    const asking = this.#counted(() => this.#run(repository, account))
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #counted(ask: () => Promise<PluginAnswer>): Promise<PluginAnswer> {
    const { clock, meters } = this.#ports;
    const labels = { plugin_name: this.name };
    const sinceMs = clock.monotonicMs();
    let isGood = false;
    try {
      const answer = await ask();
      isGood = answer.kind === "ok";
      return answer;
    } finally {
      const seconds = (clock.monotonicMs() - sinceMs) / 1000;
      meters.pluginSeconds.observe(labels, seconds);
      if (!isGood) meters.pluginErrors.add(labels);
    }
  }

  /** For everybody who waits: one of them going away ends it for none. */
  async #run(
    image: string,
    account: Account | undefined,
  ): Promise<PluginAnswer> {
    const { apiVersion, args, env } = this.#provider;
    const { token = "", annotations = new Map() } = account ?? {};
    const { code, stdout } = await this.#ports.programs.run({
      path: this.#path,
      args,
      env,
      stdin: requestText({ apiVersion, image, token, annotations }),
      limitMs: LIMIT_MS,
      limitBytes: LIMIT_BYTES,
    }, new AbortController().signal);
    return code === 0
      ? parseAnswer(stdout, apiVersion)
      : { kind: "invalid", why: `it ended with ${code}` };
  }

  #keep(
    answer: Extract<PluginAnswer, { kind: "ok" }>,
    repository: string,
    accountKey: string,
  ): void {
    const lifeMs = answer.cacheMs ?? this.#provider.defaultCacheMs;
    if (lifeMs <= 0) return;
    const [image, registry, global] = scopesOf(repository);
    const scope = { Image: image, Registry: registry, Global: global };
    const untilMs = this.#ports.clock.monotonicMs() + lifeMs;
    const { logins } = answer;
    this.#kept.set(keyOf(scope[answer.scope], accountKey), { logins, untilMs });
  }

  #find(repository: string, accountKey: string): Logins | undefined {
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs > this.#purgedAtMs + PURGE_EVERY_MS) {
      for (const [key, { untilMs }] of this.#kept) {
        if (nowMs > untilMs) this.#kept.delete(key);
      }
      this.#purgedAtMs = nowMs;
    }
    for (const scope of scopesOf(repository)) {
      const kept = this.#kept.get(keyOf(scope, accountKey));
      if (kept !== undefined && nowMs <= kept.untilMs) return kept.logins;
    }
    return undefined;
  }

  #accountKey({ at, annotations, token }: Account): string {
    return keyOf(
      at.namespace,
      at.name,
      at.uid,
      ...[...annotations].flat(),
      ...this.#provider.token?.cacheType === "Token" ? [hash(token)] : [],
    );
  }

  #echoes(logins: Logins, account: Account | undefined): boolean {
    return account !== undefined &&
      this.#provider.token?.cacheType !== "Token" &&
      logins.some(([, { password }]) => password === account.token);
  }

  #failure(why: string): AgentError {
    return new AgentError(
      `Cannot get image credentials from ${this.#path}: ${why}`,
      { next: "retry" },
    );
  }
}

/** In the order in which an answer is looked for. */
function scopesOf(repository: string): [string, string, string] {
  return [repository, repository.split("/", 1)[0] ?? "", "<global>"];
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
