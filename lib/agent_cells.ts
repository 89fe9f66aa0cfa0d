/** The cells of the agent; ARCHITECTURE.md says who writes which. */
import { cell } from "./base/cell.ts";
import type { Clock } from "./base/clock.ts";
import { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import type { Stall } from "./agent_meters.ts";
import type { EvictionOrders, PressureKind } from "./eviction/types.ts";
import type { RuntimeHealth } from "./pod/facts.ts";
import type { ShutdownOrders } from "./shutdown/types.ts";
import { type Desired, NOTHING_YET } from "./source/types.ts";
import { UNHEARD } from "./sync/health.ts";
import { Ledger } from "./sync/ledger.ts";
import type { Pods } from "./sync/store.ts";

export function createCells(clock: Clock) {
  const [desired, desiredReader] = cell<Desired>(NOTHING_YET);
  const [health, healthReader] = cell<RuntimeHealth>(UNHEARD);
  const [evictions, evictionsReader] = cell<EvictionOrders>(new Map());
  const [pressure, pressureReader] = cell<readonly PressureKind[]>([]);
  const [unmeasured, unmeasuredReader] = cell<
    ReadonlyMap<PressureKind, string>
  >(new Map());
  const [shutdowns, shutdownsReader] = cell<ShutdownOrders>(new Map());
  const [stall, stallReader] = cell<Stall | undefined>(undefined);
  const [shuttingDown, shuttingDownReader] = cell(false);
  const pods: Pods = new Map();
  const queue = new KeyedQueue<PodUid>(clock);
  const ledger = new Ledger(clock);
  return {
    ...{ desired, desiredReader, health, healthReader },
    ...{ evictions, evictionsReader, pressure, pressureReader },
    ...{ unmeasured, unmeasuredReader },
    ...{ shutdowns, shutdownsReader, shuttingDown, shuttingDownReader },
    ...{ stall, stallReader, pods, queue, ledger },
  };
}
