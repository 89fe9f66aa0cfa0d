/**
 * Finding the pod that somebody named, and what they may have meant when there
 * is no such pod. Pure.
 */
import { nameOf, namespaceOf, titleOf } from "../api/pod.ts";
import type { PodView } from "./view.ts";

const MOST_SUGGESTED = 5;
const MOST_EDITS = 2;

/**
 * Every pod of that name: the one that stays first, those on their way out
 * after it.
 */
export function podsNamed(
  views: readonly PodView[],
  namespace: string,
  name: string,
): PodView[] {
  const isLeaving = ({ state }: PodView) =>
    state.kind === "stopping" || state.kind === "cleaning";
  const found = views.filter(({ pod }) =>
    nameOf(pod) === name && namespaceOf(pod) === namespace
  );
  return [
    ...found.filter((view) => !isLeaving(view)),
    ...found.filter(isLeaving),
  ];
}

/** By namespace, then name: two answers about the same pods are the same. */
export function sortedPods(views: readonly PodView[]): PodView[] {
  return views.toSorted((a, b) =>
    compare(namespaceOf(a.pod), namespaceOf(b.pod)) ||
    compare(nameOf(a.pod), nameOf(b.pod)) || compare(a.uid, b.uid)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `No pod default/wbe here; near: default/web` */
export function noSuchPod(wanted: string, known: readonly string[]): string {
  if (known.length === 0) return `No pod ${wanted} here: there are no pods`;
  const near = nearNames(wanted, known);
  return near.length === 0
    ? `No pod ${wanted} here`
    : `No pod ${wanted} here; near: ${near.join(", ")}`;
}

export function titlesOf(views: readonly PodView[]): string[] {
  return sortedPods(views).map(({ pod }) => titleOf(pod));
}

/** Titles (`namespace/name`) much like `wanted`, the nearest first. */
export function nearNames(wanted: string, known: readonly string[]): string[] {
  const name = lastPart(wanted);
  return known.map((title) => ({ title, far: distance(name, lastPart(title)) }))
    .filter(({ far }) => far <= MOST_EDITS)
    .toSorted((a, b) => a.far - b.far || compare(a.title, b.title))
    .slice(0, MOST_SUGGESTED)
    .map(({ title }) => title);
}

function lastPart(title: string): string {
  return title.slice(title.lastIndexOf("/") + 1);
}

/** Static pods end in the node's name, which people leave out. */
function distance(wanted: string, name: string): number {
  if (wanted === name) return 0;
  if (wanted !== "" && name.startsWith(wanted)) return 1;
  if (wanted.length > 2 && name.includes(wanted)) return 2;
  return edits(wanted, name);
}

/** How many letters to add, drop or change (Levenshtein). */
function edits(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > MOST_EDITS) return Infinity;
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const changed = (row[column] ?? 0) + (letter === other ? 0 : 1);
      const dropped = (row[column + 1] ?? 0) + 1;
      const added = (next[column] ?? 0) + 1;
      next.push(Math.min(changed, dropped, added));
    }
    row = next;
  }
  // Short names are all near each other.
  const most = Math.ceil(from.length / 2);
  const far = row.at(-1) ?? Infinity;
  return far > most ? Infinity : far;
}
