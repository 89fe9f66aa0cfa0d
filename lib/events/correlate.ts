/**
 * Keeps the number of events bearable: counts what is the same, combines what
 * is similar, drops what an object repeats without end. Synchronous; the time
 * comes with each event.
 * Compat: client-go 0.36 EventCorrelator with its defaults.
 */
import { type Bucket, type Rate, take } from "./bucket.ts";
import { type EventJson, eventName, timeText } from "./event.ts";
import { Recent } from "./recent.ts";

const MOST_KEYS = 4096;
/** As many events that differ by message only are combined. */
const SIMILAR = 10;
const SIMILAR_FOR_MS = 10 * 60_000;
const SPAM: Rate = { perSecond: 1 / 300, burst: 25 };
const COMBINED = "(combined from similar events): ";

export type Correlated =
  | { readonly kind: "skip" }
  | { readonly kind: "create"; readonly event: EventJson }
  /** `event` is the whole, should the stored one be gone. */
  | { readonly kind: "count"; readonly event: EventJson };

interface Group {
  readonly messages: readonly string[];
  readonly lastAtMs: number;
}

interface Seen {
  readonly name: string;
  readonly firstTimestamp: string;
  readonly count: number;
}

export class Correlator {
  readonly #groups = new Recent<Group>(MOST_KEYS);
  readonly #seen = new Recent<Seen>(MOST_KEYS);
  readonly #spam = new Recent<Bucket>(MOST_KEYS);

  /** `nowMs` is when the event happened, `nanos` what names a combined one. */
  correlate(event: EventJson, nowMs: number, nanos: bigint): Correlated {
    const { key, event: kept } = this.#combine(event, nowMs, nanos);
    const counted = this.#count(key, kept);
    if (this.#isSpam(counted, nowMs)) return { kind: "skip" };
    return { kind: counted.count > 1 ? "count" : "create", event: counted };
  }

  #combine(event: EventJson, nowMs: number, nanos: bigint) {
    const groupKey = keyOf(event, "group");
    const known = this.#groups.get(groupKey);
    const isOld = known === undefined ||
      nowMs - known.lastAtMs > SIMILAR_FOR_MS;
    const before = isOld ? [] : known.messages;
    const messages = before.includes(event.message)
      ? before
      : [...before, event.message];
    const isFull = messages.length >= SIMILAR;
    // One place stays free, so that the group grows no further.
    const kept = isFull ? messages.slice(1) : messages;
    this.#groups.set(groupKey, { messages: kept, lastAtMs: nowMs });
    if (!isFull) return { key: keyOf(event, "event"), event };
    const at = timeText(nowMs);
    const combined: EventJson = {
      ...event,
      metadata: {
        name: eventName(event.involvedObject.name, nanos),
        namespace: event.metadata.namespace,
      },
      message: `${COMBINED}${event.message}`,
      firstTimestamp: at,
      lastTimestamp: at,
    };
    return { key: groupKey, event: combined };
  }

  #count(key: string, event: EventJson): EventJson {
    const last = this.#seen.get(key);
    const counted = last === undefined ? event : {
      ...event,
      metadata: { ...event.metadata, name: last.name },
      firstTimestamp: last.firstTimestamp,
      count: last.count + 1,
    };
    this.#seen.set(key, {
      name: counted.metadata.name,
      firstTimestamp: counted.firstTimestamp,
      count: counted.count,
    });
    return counted;
  }

  #isSpam(event: EventJson, nowMs: number): boolean {
    const key = keyOf(event, "object");
    const bucket = take(this.#spam.get(key), SPAM, nowMs);
    const isSpam = bucket.tokens < 0;
    // A refused taker takes nothing.
    const left = isSpam ? { ...bucket, tokens: bucket.tokens + 1 } : bucket;
    this.#spam.set(key, left);
    return isSpam;
  }
}

/** What makes events one: the same event, its group, its object. */
function keyOf(event: EventJson, scope: "event" | "group" | "object"): string {
  const { source, involvedObject: about } = event;
  const object = [
    source.component,
    source.host,
    about.kind,
    about.namespace ?? "",
    about.name,
    about.uid ?? "",
    about.apiVersion,
    event.type,
  ];
  if (scope === "object") return object.join("\0");
  if (scope === "group") return [...object, event.reason].join("\0");
  const own = [about.fieldPath ?? "", event.reason, event.message];
  return [...object, ...own].join("\0");
}
