/**
 * Asks for one certificate and waits for the answer, for as long as the
 * request exists: nobody is asked twice because he is slow.
 */
import type { Clock } from "../base/clock.ts";
import { isAbort } from "../base/errors.ts";
import type { ClusterCertificates, CsrState, Keys } from "../port/cluster.ts";
import { requestName, type Wish } from "./csr.ts";
import type { PairStore } from "./store.ts";
import type { Pair } from "./types.ts";
import type { View } from "./view.ts";
import {
  certificateRequest,
  keyPem,
  publicBytes,
  readKeys,
  readPair,
} from "./x509.ts";

/** An approver that is a program answers sooner. */
const APPROVAL_MS = 10_000;

export type Answer =
  | { readonly kind: "issued"; readonly pair: Pair }
  | { readonly kind: "denied"; readonly message: string }
  /** Not there any more, or the certificate is not what was asked for. */
  | { readonly kind: "void"; readonly message: string };

export interface RequestParts {
  readonly certificates: ClusterCertificates;
  readonly clock: Clock;
  readonly keys: Keys;
  readonly store: PairStore;
  readonly view: View;
}

/** The key stays on disk until there is a certificate for it, or a refusal. */
export async function requestPair(
  parts: RequestParts,
  wish: Wish,
  signal: AbortSignal,
): Promise<Answer> {
  const { store, view, certificates } = parts;
  const keys = await pendingKeys(parts);
  const name = requestName(wish, await publicBytes(keys.publicKey));
  const pem = await certificateRequest(wish, keys);
  const { signerName, usages } = wish;
  const request = { name, pem, signerName, usages };
  try {
    const first = await certificates.create(request, signal);
    view.waitsFor(name);
    const answer = settle(first) ?? await wait(parts, name, signal);
    if (answer.kind === "issued") {
      const key = await keyPem(keys.privateKey);
      const reading = readPair(answer.certificate, key);
      if (reading.kind === "whole") {
        return { kind: "issued", pair: reading.pair };
      }
      await store.removePendingKey();
      const message = `the certificate of request ${name}: ${reading.why}`;
      return { kind: "void", message };
    }
    await store.removePendingKey();
    return answer.kind === "denied"
      ? { kind: "denied", message: refusalWords(wish, name, answer.message) }
      : answer;
  } finally {
    view.waitsFor(undefined);
  }
}

async function pendingKeys(
  { store, keys }: RequestParts,
): Promise<CryptoKeyPair> {
  const text = await store.pendingKey();
  const found = text === undefined ? undefined : await readKeys(text);
  if (found !== undefined) return found;
  const made = await keys.create();
  await store.savePendingKey(await keyPem(made.privateKey));
  return made;
}

type Settled =
  | { readonly kind: "issued"; readonly certificate: string }
  | Exclude<Answer, { kind: "issued" }>;

function settle(state: CsrState): Settled | undefined {
  if (state.refusal !== undefined) {
    return { kind: "denied", message: state.refusal };
  }
  if (state.certificate === undefined) return undefined;
  return { kind: "issued", certificate: state.certificate };
}

async function wait(
  parts: RequestParts,
  name: string,
  signal: AbortSignal,
): Promise<Settled> {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const telling = tellLater(parts, name, both);
  try {
    for await (const state of parts.certificates.watch(name, both)) {
      if (state === undefined) {
        return { kind: "void", message: `request ${name} was removed` };
      }
      const settled = settle(state);
      if (settled !== undefined) return settled;
    }
    throw new Error("A watch ended by itself");
  } finally {
    ended.abort(new DOMException("Answered", "AbortError"));
    await telling;
  }
}

/** Says who waits for whom when an approval does not come by itself. */
async function tellLater(
  { clock, view }: RequestParts,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(APPROVAL_MS, signal);
    view.problem(
      "unapproved",
      `certificate request ${name} waits for approval: ` +
        `kubectl certificate approve ${name}`,
    );
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}

function refusalWords(wish: Wish, name: string, message: string): string {
  return `certificate request ${name} for ${wish.commonName} was refused ` +
    `(${message}); another one will be made: approve it with ` +
    "kubectl get csr, kubectl certificate approve NAME";
}
