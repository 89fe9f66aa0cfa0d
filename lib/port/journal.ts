/** What the machine's services have written to its journal. */

export interface JournalQuery {
  /** Names of units; `.service` is added to those without a kind. */
  readonly units: readonly string[];
  /** Epoch milliseconds, to the second. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** The last so many lines. */
  readonly lines?: number | undefined;
  /** 0 is this boot, -1 the one before. */
  readonly boot?: number | undefined;
  /** PCRE2. */
  readonly pattern?: string | undefined;
}

export interface Journal {
  /**
   * Units that have written to it; none where there is no journal. Rejects
   * (`give-up`, `NotAllowed`) when the agent may not ask.
   */
  units(signal: AbortSignal): Promise<ReadonlySet<string>>;
  /**
   * Lines as they come, and what is wrong with the question, as text; for at
   * most 30 s.
   */
  read(query: JournalQuery, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
