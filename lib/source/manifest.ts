/**
 * A manifest's bytes to complete static pods, and everything that is wrong
 * with the rest. Pure, in steps like `file.ts`. One broken pod does not keep
 * out the others of the file.
 */
import type { V1Pod } from "../api/types.ts";
import { decodePod, type Remark } from "./decode.ts";
import { withDefaults } from "./defaults.ts";
import { type Path, render, required } from "./field.ts";
import { parseSteps } from "./file.ts";
import { uidFor, withIdentity } from "./identity.ts";
import { forbiddenReferences, impossibleReferences } from "./references.ts";
import { atOnce } from "./slices.ts";
import { type Document, kindOf, objectOf, type Tree } from "./tree.ts";
import type { Finding, Origin, WantedPod } from "./types.ts";
import { validatePod } from "./validate.ts";

/** Whose pods these will be. */
export interface Place {
  readonly origin: Origin;
  readonly nodeName: string;
  /** Feature gate PreventStaticPodAPIReferences, the other way round. */
  readonly mayReference: boolean;
}

export interface Manifest {
  readonly pods: readonly WantedPod[];
  readonly findings: readonly Finding[];
}

/** A file with more wrong than this is said to have more. */
const MOST_FINDINGS = 50;
/** It names directories, so it may not be anything. */
const UID = /^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/;
/** Kinds that are lists of objects; a `PodList`'s items need no kind. */
const LISTS = ["List", "PodList"];

/** Reads a manifest at once. */
export function readManifest(bytes: Uint8Array, place: Place): Manifest {
  return atOnce(manifestSteps(bytes, place));
}

/** Reads a manifest and yields about once a millisecond. */
export function* manifestSteps(
  bytes: Uint8Array,
  place: Place,
): Generator<void, Manifest, void> {
  const { documents, findings: unreadable } = yield* parseSteps(bytes);
  const findings = [...unreadable];
  const pods: WantedPod[] = [];
  for (const document of documents) {
    const reading: Reading = { document, place, pods, findings };
    for (const candidate of candidates(reading)) {
      readPod(reading, candidate);
      yield;
    }
  }
  return { pods, findings: shortened(findings) };
}

interface Reading {
  readonly document: Document;
  readonly place: Place;
  readonly pods: WantedPod[];
  readonly findings: Finding[];
}

interface Candidate {
  readonly tree: Tree;
  readonly path: Path;
}

/** The pods of a document; says what else it is, if it is not pods. */
function* candidates(reading: Reading): Generator<Candidate> {
  const { tree } = reading.document;
  const fields = objectOf(tree);
  if (fields === undefined) {
    const message = `found ${kindOf(tree)}, want a Pod object`;
    return remark(reading, { severity: "error", path: [], message });
  }
  const kind = fields.get("kind");
  if (typeof kind !== "string" || !LISTS.includes(kind)) {
    if (isPodHead(reading, tree, [])) yield { tree, path: [] };
    return;
  }
  if (!isVersionRight(reading, fields, [])) return;
  const items = fields.get("items") ?? [];
  if (!Array.isArray(items)) {
    const message = `items: found ${kindOf(items)}, want a list`;
    return remark(reading, { severity: "error", path: ["items"], message });
  }
  for (const [index, item] of items.entries()) {
    const path = ["items", index];
    const isBare = kind === "PodList" && !objectOf(item)?.has("kind");
    if (isBare || isPodHead(reading, item, path)) yield { tree: item, path };
  }
}

function isPodHead(reading: Reading, tree: Tree, path: Path): boolean {
  const fields = objectOf(tree);
  const kind = fields?.get("kind");
  if (kind !== "Pod") {
    const shown = kind === undefined ? "is missing" : `is ${written(kind)}`;
    const message = `kind: ${shown}, want "Pod", "PodList" or "List"`;
    const at = [...path, "kind"];
    remark(reading, { severity: "error", path: at, message });
    return false;
  }
  return isVersionRight(reading, fields ?? new Map(), path);
}

function isVersionRight(
  reading: Reading,
  fields: ReadonlyMap<string, Tree>,
  path: Path,
): boolean {
  const version = fields.get("apiVersion");
  if (version === "v1") return true;
  const shown = version === undefined ? "is missing" : `is ${written(version)}`;
  const message = `apiVersion: ${shown}, want "v1"`;
  const at = [...path, "apiVersion"];
  remark(reading, { severity: "error", path: at, message });
  return false;
}

function readPod(reading: Reading, candidate: Candidate): void {
  const { pod, remarks } = decodePod(candidate.tree, candidate.path);
  for (const each of remarks) remark(reading, each);
  if (pod === undefined) return;
  // Compat: kubelet 1.36 asks for the name before it gives its own.
  const problem = headProblem(pod);
  if (problem !== undefined) {
    const path = [...candidate.path, ...problem.path];
    return remark(reading, { severity: "error", ...problem, path });
  }
  const { origin, nodeName, mayReference } = reading.place;
  const uid = pod.metadata?.uid || uidFor(pod, origin, nodeName);
  const found = withIdentity(withDefaults(pod), uid, reading.place);
  const spec = found.pod.spec ?? { containers: [] };
  const violations = [
    ...validatePod(found.pod),
    ...mayReference ? impossibleReferences(spec) : forbiddenReferences(spec),
  ];
  for (const { path, message } of violations) {
    const at = [...candidate.path, ...path];
    remark(reading, { severity: "error", path: at, message });
  }
  if (violations.length === 0) reading.pods.push(found);
}

function headProblem(pod: V1Pod): { path: Path; message: string } | undefined {
  const { name, uid } = pod.metadata ?? {};
  if (!name) {
    return required(["metadata", "name"], "name is needed for the pod");
  }
  if (!uid || UID.test(uid)) return undefined;
  const path = ["metadata", "uid"];
  const message = `${render(path)}: Invalid value: ${JSON.stringify(uid)}: ` +
    `must match ${UID.source}`;
  return { path, message };
}

function remark(reading: Reading, { severity, path, message }: Remark): void {
  const field = render(path);
  reading.findings.push({
    severity,
    ...(field === "" ? {} : { field }),
    ...reading.document.locate(path),
    message,
  });
}

function shortened(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= MOST_FINDINGS) return findings;
  const left = findings.length - MOST_FINDINGS;
  const isBad = findings.some(({ severity }) => severity === "error");
  // Errors first, so that none is cut off behind warnings.
  const sorted = findings.toSorted((one, other) =>
    one.severity < other.severity ? -1 : one.severity > other.severity ? 1 : 0
  );
  return [
    ...sorted.slice(0, MOST_FINDINGS),
    {
      severity: isBad ? "error" : "warning",
      message: `and ${left} more of these`,
    },
  ];
}

function written(tree: Tree): string {
  return typeof tree === "string" ? JSON.stringify(tree) : `a ${kindOf(tree)}`;
}
