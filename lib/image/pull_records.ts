/**
 * Keeps the records of pulls on disk: an intent before a pull, what it proved
 * after it. The sole writer of `<root>/image_manager`. A record that cannot be
 * read counts as "it was pulled, but nothing is proven", so a damaged disk
 * never opens a private image to everybody.
 * Compat: kubelet 1.36 pullmanager.PullManager, fsPullRecordsAccessor.
 */
import type { Meters } from "../api/meters.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Files } from "../port/host.ts";
import type { Image } from "../port/images.ts";
import type { Credential } from "./credential.ts";
import {
  intentText,
  isRecordFile,
  parseIntent,
  parseRecord,
  provenBy,
  type PullCredentials,
  pulledFolder,
  type PulledRecord,
  pullingFolder,
  recordFile,
  recordText,
  withCredentials,
} from "./pull_record.ts";
import { withoutTag } from "./reference.ts";
import {
  judge,
  needsProof,
  type Proofs,
  standingOf,
  type VerificationSettings,
} from "./verification.ts";

/** A record of a hundred secrets is some 30 kB long. */
const LARGEST_BYTES = 1 << 20;
const MUST_PULL = "mustAuthenticate";

interface Ports {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meters: Pick<Meters, "mustPullChecks">;
}

/** What is there of an image: a record, a file that cannot be read, nothing. */
type Found = PulledRecord | "unreadable" | undefined;

export class PullRecords {
  readonly #ports: Ports;
  readonly #settings: VerificationSettings;
  readonly #pulling: string;
  readonly #pulled: string;
  /** Pulls under way, by the image as pods name it. */
  readonly #intents = new Map<string, number>();
  readonly #writes = new Semaphore(1);
  /** A write that has begun is not cut short. */
  readonly #never = new AbortController().signal;

  constructor(ports: Ports, settings: VerificationSettings, rootDir: string) {
    this.#ports = ports;
    this.#settings = settings;
    this.#pulling = pullingFolder(rootDir);
    this.#pulled = pulledFolder(rootDir);
  }

  /** A pull begins; on disk before the runtime is asked. */
  begin(image: string): Promise<void> {
    return this.#alone(async () => {
      const path = `${this.#pulling}/${recordFile(image)}`;
      await this.#write(path, intentText(image));
      this.#intents.set(image, (this.#intents.get(image) ?? 0) + 1);
    });
  }

  /** The pull ended well; `credential` undefined: it took none. */
  async succeeded(
    image: string,
    ref: string,
    credential: Credential | undefined,
  ): Promise<void> {
    try {
      await this.#alone(() => this.#note(image, ref, provenBy(credential)));
    } catch (error) {
      // The intent stays, so the image still counts as pulled here.
      this.#warn("Cannot record a pull", error);
      return;
    }
    await this.failed(image);
  }

  /** The pull ended without the image. */
  async failed(image: string): Promise<void> {
    try {
      await this.#alone(async () => {
        const left = (this.#intents.get(image) ?? 1) - 1;
        if (left > 0) {
          this.#intents.set(image, left);
          return;
        }
        await this.#ports.files.remove(
          `${this.#pulling}/${recordFile(image)}`,
        );
        this.#intents.delete(image);
      });
    } catch (error) {
      this.#warn("Cannot remove the note of a pull", error);
    }
  }

  /** Nobody knows how the pull ended: its note stays, and so the need to prove. */
  abandoned(image: string): void {
    const left = (this.#intents.get(image) ?? 1) - 1;
    if (left > 0) this.#intents.set(image, left);
    else this.#intents.delete(image);
  }

  /**
   * True when the pod has to pull the image although the node has it as
   * `ref`. `proofs` is asked only where it matters.
   */
  async needsPull(
    image: string,
    ref: string,
    proofs: () => Promise<Proofs>,
  ): Promise<boolean> {
    const told = (result: string) =>
      this.#ports.meters.mustPullChecks.add({ result });
    const checking = this.#check(image, ref, proofs);
    checking.then(told, () => told("error"));
    return await checking === MUST_PULL;
  }

  /** Compat: kubelet 1.36 mustAttemptImagePullResult. */
  async #check(
    image: string,
    ref: string,
    proofs: () => Promise<Proofs>,
  ): Promise<string> {
    // In this order: a pull that ends in between has written its record.
    const isUnderWay = this.#intents.has(image) || await this.#hasIntent(image);
    const found = await this.#record(ref);
    const isPulledHere = isUnderWay || found !== undefined;
    if (!needsProof(this.#settings, { image, isPulledHere })) {
      return "credentialPolicyAllowed";
    }
    const standing = standingOf(
      found === "unreadable" ? undefined : found,
      image,
    );
    if (standing.kind === "closed") return MUST_PULL;
    if (standing.kind !== "guarded") return "credentialRecordFound";
    const verdict = judge(standing, await proofs());
    if (verdict.kind === "pull") return MUST_PULL;
    const { remember } = verdict;
    if (remember !== undefined) await this.#remember(image, ref, remember);
    return "credentialRecordFound";
  }

  /** Pulls that a dead agent did not see the end of. Called once, at start. */
  async recover(images: readonly Image[]): Promise<void> {
    const refs = new Map(
      images.flatMap(({ id, tags, digests }) =>
        [...tags, ...digests].map((name) => [name, id] as const)
      ),
    );
    try {
      for (const text of await this.#texts(this.#pulling)) {
        const image = parseIntent(text);
        const ref = refs.get(image ?? "");
        if (image === undefined || ref === undefined) continue;
        await this.#alone(() => this.#note(image, ref, undefined));
        await this.#ports.files.remove(`${this.#pulling}/${recordFile(image)}`);
      }
    } catch (error) {
      this.#warn("Cannot settle the pulls of before", error);
    }
  }

  /** Forgets images that are gone, but nothing noted at or after `untilMs`. */
  async prune(refs: ReadonlySet<string>, untilMs: number): Promise<void> {
    for (const text of await this.#texts(this.#pulled)) {
      const record = parseRecord(text);
      if (record === undefined || refs.has(record.ref)) continue;
      await this.#alone(async () => {
        const now = await this.#record(record.ref);
        if (now === undefined || now === "unreadable") return;
        if (now.updatedAtMs >= untilMs) return;
        await this.#ports.files.remove(
          `${this.#pulled}/${recordFile(record.ref)}`,
        );
      });
    }
  }

  /** Compat: what is only matched is kept best-effort. */
  async #remember(
    image: string,
    ref: string,
    secret: Proofs["secrets"][number],
  ): Promise<void> {
    try {
      const found = { isForAll: false, secrets: [secret], serviceAccounts: [] };
      await this.#alone(() => this.#note(image, ref, found));
    } catch (error) {
      this.#warn("Cannot record a pull secret", error);
    }
  }

  async #note(
    image: string,
    ref: string,
    found: PullCredentials | undefined,
  ): Promise<void> {
    const path = withoutTag(image);
    if (path === undefined) return;
    const nowMs = this.#ports.clock.nowMs();
    const known = await this.#record(ref);
    const isNew = known === undefined || known === "unreadable";
    const record = isNew
      ? {
        ref,
        updatedAtMs: nowMs,
        credentials: new Map(found === undefined ? [] : [[path, found]]),
      }
      : withCredentials(known, path, { found, nowMs });
    if (record === undefined) return;
    await this.#write(`${this.#pulled}/${recordFile(ref)}`, recordText(record));
  }

  async #record(ref: string): Promise<Found> {
    const text = await this.#read(`${this.#pulled}/${recordFile(ref)}`);
    if (text === undefined || text === "unreadable") return text;
    const record = parseRecord(text.text);
    if (record === undefined) return "unreadable";
    return record.ref === ref ? record : undefined;
  }

  async #hasIntent(image: string): Promise<boolean> {
    const text = await this.#read(`${this.#pulling}/${recordFile(image)}`);
    if (text === undefined) return false;
    return text === "unreadable" || parseIntent(text.text) === image ||
      parseIntent(text.text) === undefined;
  }

  async #read(
    path: string,
  ): Promise<{ readonly text: string } | "unreadable" | undefined> {
    try {
      const bytes = await this.#ports.files.read(path, LARGEST_BYTES);
      return bytes && { text: new TextDecoder().decode(bytes) };
    } catch (error) {
      this.#warn("Cannot read a record of a pull", error);
      return "unreadable";
    }
  }

  async #texts(directory: string): Promise<readonly string[]> {
    const entries = await this.#ports.files.list(directory) ?? [];
    const texts: string[] = [];
    for (const { name, kind } of entries) {
      if (kind !== "file" || !isRecordFile(name)) continue;
      const found = await this.#read(`${directory}/${name}`);
      if (found !== undefined && found !== "unreadable") texts.push(found.text);
    }
    return texts;
  }

  async #write(path: string, text: string): Promise<void> {
    const { files } = this.#ports;
    await files.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o700);
    await files.replace(path, new TextEncoder().encode(text), 0o600);
  }

  #alone(work: () => Promise<void>): Promise<void> {
    return this.#writes.run(work, this.#never);
  }

  #warn(message: string, error: unknown): void {
    if (!(error instanceof AgentError)) throw error;
    this.#ports.log.warn(message, { error: chainOf(error) });
  }
}
