/**
 * What is so wrong with a pod of the API server that nothing can be done with
 * it. The server has checked the rest; but names become paths here, so they
 * are not taken on trust. Pure.
 */
import type { V1Pod } from "../api/types.ts";
import { isDnsSubdomain } from "../config/text_rules.ts";

/** One step of a path: no slash, and neither `.` nor `..`. */
const UID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** In words; undefined when there is nothing to say. */
export function oddityOf({ metadata, spec }: V1Pod): string | undefined {
  const names: readonly (readonly [string, unknown])[] = [
    ["name", metadata?.name],
    ["namespace", metadata?.namespace],
  ];
  for (const [field, value] of names) {
    if (typeof value !== "string" || !isDnsSubdomain(value)) {
      return `metadata.${field}: want a DNS name`;
    }
  }
  const uid: unknown = metadata?.uid;
  if (typeof uid !== "string" || !UID.test(uid)) {
    return "metadata.uid: want letters, digits, -, . and _";
  }
  const containers: unknown = spec?.containers;
  if (!Array.isArray(containers) || containers.length === 0) {
    return "spec.containers: want at least one";
  }
  return containers.every(isContainer)
    ? undefined
    : "spec.containers: want each with a name and an image";
}

function isContainer(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  const name = members.get("name");
  return typeof name === "string" && isDnsSubdomain(name) &&
    typeof members.get("image") === "string";
}
