/**
 * The serving pair that the node signs itself: kubelet.crt and kubelet.key.
 * Unlike the kubelet's it names every address, and is made anew when they
 * change. A pair that an admin placed there is used and never replaced.
 */
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Keys } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import { namesOf } from "./csr.ts";
import type { Held } from "./store.ts";
import type { NodeAddress } from "../node/types.ts";
import type { Pair } from "./types.ts";
import { readPair, selfSigned } from "./x509.ts";

/** Compat: kubelet 1.36 GenerateSelfSignedCertKey: a year. */
const LIFE_MS = 365 * 24 * 3_600_000;
/** A clock that is a little behind must not refuse. */
const BACKDATE_MS = 3_600_000;
/** Made anew when less than this is left. */
const LEFT_MS = 30 * 24 * 3_600_000;
const LARGEST_BYTES = 1 << 20;
/** Subjects of the pairs that we, or a kubelet before us, made. */
const SELF_MADE = /^CN=[^\n]+@\d+$/;

interface Parts {
  readonly keys: Keys;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
}

interface Node {
  readonly nodeName: string;
  readonly certDir: string;
  readonly addresses: readonly NodeAddress[];
}

/** The pair on disk, made or made anew where that is needed. */
export async function ownPair(parts: Parts, node: Node): Promise<Held> {
  const { files, clock } = parts;
  const paths = [`${node.certDir}/kubelet.crt`, `${node.certDir}/kubelet.key`];
  const [certificate, key] = await Promise.all(
    paths.map((path) => textOf(files, path)),
  );
  const reading = readPair(certificate ?? "", key ?? "");
  const isKept = reading.kind === "whole" &&
    (!SELF_MADE.test(reading.facts.subject) ||
      serves(reading, node, clock.nowMs()));
  if (isKept) return reading;
  const made = await standIn(parts, node);
  const fresh = readPair(made.certificate, made.key);
  if (fresh.kind === "broken") throw new Error(`Made a pair: ${fresh.why}`);
  const encoder = new TextEncoder();
  await files.makeDirectory(node.certDir, 0o755);
  const [certificatePath = "", keyPath = ""] = paths;
  await files.replace(keyPath, encoder.encode(made.key), 0o600);
  await files.replace(certificatePath, encoder.encode(made.certificate), 0o644);
  return fresh;
}

function serves({ facts }: Held, node: Node, nowMs: number): boolean {
  const { dnsNames, ips } = wanted(node);
  return facts.notAfterMs - nowMs > LEFT_MS && facts.notBeforeMs <= nowMs &&
    dnsNames.every((each) => facts.dnsNames.includes(each)) &&
    ips.every((each) => facts.ips.includes(each));
}

function wanted({ nodeName, addresses }: Node) {
  const name = { type: "Hostname", address: nodeName };
  return namesOf([name, ...addresses]);
}

/** A fresh pair that is on no disk. */
export async function standIn(parts: Parts, node: Node): Promise<Pair> {
  const { keys, clock, random } = parts;
  const nowMs = clock.nowMs();
  const commonName = `${node.nodeName}@${Math.floor(nowMs / 1000)}`;
  return await selfSigned(
    { commonName, ...wanted(node) },
    await keys.create(),
    {
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: nowMs + LIFE_MS,
      // Positive: the first bit is never set.
      serialNumber: `4${random.hex(31)}`,
    },
  );
}

/** Undefined for a file that is not there or cannot be read. */
async function textOf(
  files: Files,
  path: string,
): Promise<string | undefined> {
  const found = await files.stat(path);
  if (found?.kind !== "file") return undefined;
  const bytes = await files.read(path, LARGEST_BYTES);
  return bytes && new TextDecoder().decode(bytes);
}
