/**
 * The cluster's runtime classes, for pods that name one: the sole writer of
 * them. The API server is not asked before the first such pod; from then on it
 * is followed.
 */
import { cell, type Reader, until, type Writer } from "../base/cell.ts";
import type { ClusterRuntimeClasses } from "../port/cluster.ts";

type Handlers = ReadonlyMap<string, string> | undefined;

export class RuntimeClasses {
  readonly #port: ClusterRuntimeClasses;
  readonly #handlers: Writer<Handlers>;
  readonly #wanted: Writer<boolean>;
  readonly #isWanted: Reader<boolean>;
  /** Handlers by class; undefined until the API server has told. */
  readonly reader: Reader<Handlers>;

  constructor(port: ClusterRuntimeClasses) {
    this.#port = port;
    [this.#handlers, this.reader] = cell<Handlers>(undefined);
    [this.#wanted, this.#isWanted] = cell<boolean>(false);
  }

  /** As known now. Asks for them, if nobody did. */
  get(): Handlers {
    if (!this.#wanted.get()) this.#wanted.set(true);
    return this.reader.get();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await until(this.#isWanted, Boolean, signal);
    for await (const handlers of this.#port.watch(signal)) {
      this.#handlers.set(handlers);
    }
    signal.throwIfAborted();
  }
}
