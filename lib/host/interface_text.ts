/**
 * The kernel's text about network interfaces, as numbers. Pure: `usage.ts`
 * reads it.
 */
import type { InterfaceCounts } from "../port/usage.ts";
import { wholeNumber } from "./usage_text.ts";

/** Compat: cadvisor's ignoredDevicePrefixes: the pods' own ends among them. */
const IGNORED_INTERFACE = /^(lo|veth|docker|nerdctl)/;

/** `/proc/<pid>/net/dev`, without those. */
export function interfaces(text: string): InterfaceCounts[] {
  return text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    const columns = line.slice(colon + 1).trim().split(/\s+/)
      .map((column) => wholeNumber(column));
    if (colon < 0 || IGNORED_INTERFACE.test(name) || columns.length < 16) {
      return [];
    }
    const at = (index: number) => columns[index] ?? 0n;
    return [{
      name,
      receivedBytes: at(0),
      receivedPackets: at(1),
      receivedErrors: at(2),
      receivedDropped: at(3),
      sentBytes: at(8),
      sentPackets: at(9),
      sentErrors: at(10),
      sentDropped: at(11),
    }];
  });
}
