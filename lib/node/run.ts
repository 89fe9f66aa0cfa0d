/**
 * Registers the node, then keeps its status true: computed each update period
 * and at once when something it is made of changes, sent when it says
 * something new or when a report is due. Waits for nobody: what others cannot
 * tell in time is taken as last seen.
 */
import { Alarm } from "../base/alarm.ts";
import type { Reader, Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, nextOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { within } from "../base/wait.ts";
import type { ApiObject, ClusterNode } from "../port/cluster.ts";
import { Announcer } from "./announce.ts";
import { isNewer, parseNode } from "./parse.ts";
import { newNode, project } from "./project.ts";
import { nodePatch } from "./project_patch.ts";
import { Startup } from "./startup.ts";
import { isReportDue, type Reported, reported } from "./report.ts";
import type {
  DeviceResources,
  KnownNode,
  NodeFacts,
  NodeRecorder,
  NodeSettings,
  Observation,
  Pressure,
} from "./types.ts";

/** Compat: kubelet 1.36 registerWithAPIServer */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 7_000;
/** A change that could not be sent is tried again this often. */
const RESEND_MS = 2_000;
/** Compat: kubelet 1.36 nodeStatusUpdateRetry */
const MOST_TRIES = 5;
/** How long a first registration waits for the runtime's first word. */
const RUNTIME_WAIT_MS = 2_000;
const JITTER = 0.04;

export interface StatusPorts {
  readonly nodes: Pick<ClusterNode, "get" | "create" | "patchStatus">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly recorder: NodeRecorder;
  readonly seen: Reader<Observation>;
  readonly pressure: Reader<Pressure>;
  readonly devices: Reader<DeviceResources>;
  readonly isShuttingDown: Reader<boolean>;
  /** Soft warnings for operators, appended to the Ready message. */
  readonly problems: Reader<readonly string[]>;
  readonly declaredFeatures: readonly string[];
  readonly node: Writer<KnownNode | undefined>;
  /** What goes wrong at the API server now, in words. */
  readonly failure: Writer<string | undefined>;
}

export class NodeStatusLoop {
  readonly startup: Startup;
  readonly #ports: StatusPorts;
  readonly #settings: NodeSettings;
  readonly #alarm = new Alarm();
  readonly #announcer: Announcer;
  #reported: Reported | undefined;
  /**
   * What the API server did not take over, an older one for instance. To say
   * it again with each status would be for nothing.
   */
  #refused = "";
  #isFailing = false;

  constructor(ports: StatusPorts, settings: NodeSettings) {
    this.#ports = ports;
    this.startup = new Startup(() => ports.clock.nowMs());
    this.#settings = settings;
    this.#announcer = new Announcer(ports.recorder, settings.nodeName);
  }

  /** Compute the status now: something it is made of may have changed. */
  wake(): void {
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { pressure, devices, isShuttingDown, problems } = this.#ports;
    const inputs = [pressure, devices, isShuttingDown, problems];
    await Promise.all([
      this.#loop(signal),
      ...inputs.map((input) => this.#follow(input, signal)),
    ]);
  }

  async #follow(input: Reader<unknown>, signal: AbortSignal): Promise<void> {
    for await (const _ of input.changes(signal)) this.wake();
    signal.throwIfAborted();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    this.#announcer.started();
    await this.#untilSeen(signal);
    if (this.#settings.mayRegister) await this.#register(signal);
    for (;;) {
      const outcome = await this.#update(signal);
      const periodMs = this.#settings.statusUpdateMs *
        (1 + JITTER * random.fraction());
      const waitMs = outcome === "again"
        ? Math.min(RESEND_MS, periodMs)
        : periodMs;
      await this.#alarm.wait(clock, waitMs, signal);
    }
  }

  /** Nothing is said before the machine is known; the runtime gets a moment. */
  async #untilSeen(signal: AbortSignal): Promise<void> {
    const { clock, seen } = this.#ports;
    const limitMs = clock.monotonicMs() + RUNTIME_WAIT_MS;
    for (;;) {
      const now = seen.get();
      const isMachineSeen = now.machine !== undefined &&
        now.network !== undefined;
      const leftMs = limitMs - clock.monotonicMs();
      const rest = [now.runtimeStatus, now.images, now.rootBytes, now.resolved];
      const isRest = rest.every((part) => part !== undefined);
      if (isMachineSeen && (isRest || leftMs <= 0)) return;
      const waitMs = leftMs > 0 ? leftMs : RUNTIME_WAIT_MS;
      await this.#alarm.wait(clock, waitMs, signal);
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    let retryMs = FIRST_RETRY_MS;
    for (;;) {
      try {
        const outcome = await this.#registerOnce(signal);
        log.info("The node is registered", { outcome });
        this.#ports.failure.set(undefined);
        return;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const words = chainOf(error);
        this.#ports.failure.set(words);
        log.warn("Cannot register the node", { error: words, retryMs });
      }
      await clock.sleep(retryMs, signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #registerOnce(
    signal: AbortSignal,
  ): Promise<"created" | "known before"> {
    const { nodes } = this.#ports;
    try {
      const facts = this.#facts();
      this.startup.attempted();
      const created = await this.#call(
        signal,
        (each) => nodes.create(newNode(facts), each),
      );
      this.#announcer.conditions([], parseNode(created).conditions);
      this.#learn(created);
      this.#markReported("changed");
      this.startup.registered();
      return "created";
    } catch (error) {
      // Compat: upstream takes a refusal (403) like "exists already".
      if (isAbort(error, signal) || nextOf(error) !== "already-so") throw error;
      const existing = await this.#get(signal);
      if (existing === undefined) throw error;
      this.#learn(existing);
      await this.#send(parseNode(existing), "registration", signal);
      return "known before";
    }
  }

  /** `again`: there is something to say that could not be said. */
  async #update(signal: AbortSignal): Promise<"done" | "again"> {
    const { node, log } = this.#ports;
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      try {
        if (attempt > 0 || node.get() === undefined) {
          const found = await this.#get(signal);
          if (found === undefined) return this.#missing();
          this.#learn(found);
        }
        const known = node.get();
        if (known === undefined) return this.#missing();
        await this.#send(known, "update", signal);
        if (this.#isFailing) log.info("The node status is reported again");
        this.#isFailing = false;
        this.#ports.failure.set(undefined);
        return "done";
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const words = chainOf(error);
        this.#ports.failure.set(words);
        if (!this.#isFailing) {
          log.warn("Cannot report the node status", { error: words });
        }
        this.#isFailing = true;
        // Another try at once is for a server that answers.
        if (nextOf(error) === "retry") return "again";
      }
    }
    return "done";
  }

  async #send(
    known: KnownNode,
    occasion: "registration" | "update",
    signal: AbortSignal,
  ): Promise<void> {
    const { nodes, clock } = this.#ports;
    const { nodeName, statusReportMs } = this.#settings;
    const facts = this.#facts();
    const { pending } = this.#announcer;
    const wanted = project(facts, known, { occasion, pending });
    if (isReady(wanted.status.conditions)) this.startup.ready();
    this.#announcer.node(known, facts.seen.machine?.bootId);
    this.#announcer.conditions(known.conditions, wanted.status.conditions);
    const { body, change } = nodePatch(known, wanted);
    const isChanged = change !== "" && change !== this.#refused;
    const nowMs = clock.monotonicMs();
    const isDue = isReportDue(this.#reported, statusReportMs, nowMs);
    if (!isChanged && !isDue) return;
    const patch = (each: AbortSignal) =>
      nodes.patchStatus(nodeName, body, each);
    const stored = await this.#call(signal, patch);
    this.#learn(stored);
    this.#refused = nodePatch(parseNode(stored), wanted).change;
    this.#markReported(isChanged ? "changed" : "same");
  }

  #missing(): "done" {
    const { mayRegister, nodeName } = this.#settings;
    // Compat: a node that was deleted is not made again while we run, or
    // nobody could take a running node out of a cluster.
    const message = mayRegister
      ? "The node object was deleted; a restart registers the node again"
      : "The node object does not exist, and registerNode is false";
    this.#ports.failure.set(message);
    if (!this.#isFailing) this.#ports.log.error(message, { node: nodeName });
    this.#isFailing = true;
    return "done";
  }

  #facts(): NodeFacts {
    const ports = this.#ports;
    return {
      settings: this.#settings,
      seen: ports.seen.get(),
      pressure: ports.pressure.get(),
      devices: ports.devices.get(),
      isShuttingDown: ports.isShuttingDown.get(),
      problems: ports.problems.get(),
      declaredFeatures: ports.declaredFeatures,
      nowMs: ports.clock.nowMs(),
      monotonicMs: ports.clock.monotonicMs(),
    };
  }

  #learn(object: ApiObject): void {
    const { node } = this.#ports;
    const next = parseNode(object);
    if (isNewer(next, node.get())) node.set(next);
  }

  #markReported(what: "changed" | "same"): void {
    const { clock, random } = this.#ports;
    this.#reported = reported(this.#reported, {
      isChanged: what === "changed",
      periodMs: this.#settings.statusReportMs,
      fraction: random.fraction(),
    }, clock.monotonicMs());
  }

  #get(signal: AbortSignal): Promise<ApiObject | undefined> {
    const { nodes } = this.#ports;
    const { nodeName } = this.#settings;
    return this.#call(signal, (each) => nodes.get(nodeName, each));
  }

  #call<T>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#ports;
    return within({ clock, ms: this.#settings.heartbeatMs, signal }, work);
  }
}

function isReady(conditions: KnownNode["conditions"]): boolean {
  return conditions.some(({ type, status }) =>
    type === "Ready" && status === "True"
  );
}
