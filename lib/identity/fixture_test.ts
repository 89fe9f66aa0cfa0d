/** A node before its first certificate, in a world of fakes. */
import { cell, type Reader } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import type { Cluster, KubeconfigFacts } from "../port/cluster.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../tests/fakes/fake_cluster.ts";
import { FakeAuthority } from "../../tests/fakes/fake_cluster_authority.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import type { ClientParts, ClientSettings } from "./bootstrap.ts";
import { type CertificateView, emptyView } from "./types.ts";
import { View } from "./view.ts";

export const DAY_MS = 24 * 3_600_000;
export const BOOTSTRAP = "/etc/bootstrap.conf";
export const KUBECONFIG = "/etc/kubelet.conf";
export const CURRENT = "/pki/kubelet-client-current.pem";

export const SETTINGS: ClientSettings = {
  nodeName: "node-a",
  kubeconfig: KUBECONFIG,
  bootstrapKubeconfig: BOOTSTRAP,
  certDir: "/pki",
  rotateCertificates: true,
};

export class IdentityWorld {
  readonly clock = new FakeClock();
  readonly files = new FakeFiles("follow");
  readonly cluster: FakeCluster;
  readonly view: Reader<CertificateView>;
  readonly parts: ClientParts;
  readonly #stop = new AbortController();
  /** How long a certificate lives that the cluster issues. */
  lifeMs = 100 * DAY_MS;
  /** Facts of the kubeconfigs, by path; a file alone is no kubeconfig. */
  readonly facts = new Map<string, KubeconfigFacts>();

  readonly authority: FakeAuthority;

  constructor(authority: FakeAuthority) {
    this.authority = authority;
    this.cluster = new FakeCluster((request) => {
      const notBeforeMs = this.clock.nowMs();
      const notAfterMs = notBeforeMs + this.lifeMs;
      return authority.sign(request, { notBeforeMs, notAfterMs });
    });
    const [writer, reader] = cell(emptyView("client"));
    this.view = reader;
    const { clock } = this;
    const log = silentLogger;
    this.parts = {
      kubeconfigs: {
        read: (path) => this.#read(path),
        open: (): Cluster => this.cluster,
      },
      keys: {
        create: () =>
          crypto.subtle.generateKey(
            { name: "ECDSA", namedCurve: "P-256" },
            true,
            ["sign", "verify"],
          ),
      },
      files: this.files,
      clock,
      random: { fraction: () => 0, hex: (length) => "1".repeat(length) },
      log,
      view: new View({ cell: writer, clock, log }),
    };
    this.facts.set(BOOTSTRAP, {
      server: "https://10.0.0.1:6443",
      ca: { kind: "data", text: "CA" },
      tlsServerName: undefined,
      proxyUrl: undefined,
      isInsecure: false,
      clientPair: undefined,
    });
    this.files.put("/etc/hosts", "");
  }

  static async create(): Promise<IdentityWorld> {
    return new IdentityWorld(await FakeAuthority.create());
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort(new DOMException("Test over", "AbortError"));
  }

  /** The one request that is open; waits until somebody asks. */
  async request(): Promise<string> {
    for (let tries = 0; tries < 500; tries++) {
      const open = this.cluster.requests.keys().find((name) => {
        const state = this.cluster.requests.get(name);
        return state?.certificate === undefined && state?.refusal === undefined;
      });
      if (open !== undefined) return open;
      await this.turn();
    }
    throw new Error("Nobody asked");
  }

  async until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      if (isSo()) return;
      await this.turn();
    }
    throw new Error("It does not become so");
  }

  /** Cryptography runs on other threads: let them, without the clock. */
  turn(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** A kubeconfig that names the current pair has what is in it. */
  #read(path: string): Promise<KubeconfigFacts | undefined> {
    const known = this.facts.get(path);
    const text = this.files.text(path);
    if (known !== undefined || text === undefined) {
      return Promise.resolve(known);
    }
    const target = this.files.readLink(CURRENT);
    return target.then((pem) => {
      const pair = pem === undefined ? undefined : this.files.text(pem);
      const bootstrap = this.facts.get(BOOTSTRAP);
      return bootstrap && {
        ...bootstrap,
        clientPair: pair === undefined
          ? undefined
          : { certificate: pair, key: pair },
      };
    });
  }
}
