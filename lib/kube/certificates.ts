/** Certificate signing requests: made, and watched until they are answered. */
import { AgentError, nextOf } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type { ClusterCertificates, CsrState } from "../port/cluster.ts";
import { csrState } from "./translate.ts";
import { watchObject, type WatchParts } from "./watch.ts";

const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

export class KubeCertificates implements ClusterCertificates {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async create(
    request: Parameters<ClusterCertificates["create"]>[0],
    signal: AbortSignal,
  ): Promise<CsrState> {
    const { name, pem, signerName, usages } = request;
    const doing = `request certificate ${name}`;
    const body = {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec: {
        request: new TextEncoder().encode(pem).toBase64(),
        signerName,
        usages,
      },
    };
    const ask = { doing, method: "POST", path: REQUESTS, body } as const;
    try {
      return csrState(await this.#parts.client.object(ask, signal));
    } catch (error) {
      if (nextOf(error) !== "already-so") throw error;
      return await this.#existing(name, signerName, signal);
    }
  }

  async *watch(
    name: string,
    signal: AbortSignal,
  ): AsyncGenerator<CsrState | undefined> {
    const what = {
      path: REQUESTS,
      fieldSelector: `metadata.name=${name}`,
      doing: `watch certificate request ${name}`,
    };
    for await (const found of watchObject(this.#parts, what, signal)) {
      yield found === undefined ? undefined : csrState(found);
    }
  }

  async #existing(
    name: string,
    signerName: string,
    signal: AbortSignal,
  ): Promise<CsrState> {
    const doing = `get certificate request ${name}`;
    const path = `${REQUESTS}/${encodeURIComponent(name)}`;
    const ask = { doing, method: "GET", path } as const;
    const found = await this.#parts.client.object(ask, signal);
    const signer = textIn(objectIn(found, "spec"), "signerName");
    if (signer === signerName) return csrState(found);
    throw new AgentError(
      `Cannot request certificate ${name}: somebody else asked for one of ` +
        `this name, from signer ${signer}`,
      { next: "give-up" },
    );
  }
}
