/** Pairs of certificate and key that are not what they should be. */
import { issue } from "../../deploy/cluster/certificates.ts";
import { world } from "./agent_world.ts";
import { FOLDER } from "./bad_member_world.ts";
import { cluster } from "./member_world.ts";

export const NONE = `${FOLDER}/none.conf`;

export const BOOT = cluster.bootstrapKubeconfig;

/** A client's pair that the cluster trusts, unless told otherwise. */
export async function pairOf(
  own: { commonName?: string; lifetimeMs?: number } = {},
) {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  return await issue(ca, {
    commonName: `system:node:${world.name}`,
    organization: "system:nodes",
    use: "client",
    ...own,
  });
}

export type Pair = Awaited<ReturnType<typeof pairOf>>;

export function shown({ certificate, key }: Pair): Record<string, unknown> {
  return {
    "client-certificate-data": btoa(certificate),
    "client-key-data": btoa(key),
  };
}

/** Lines in the middle of PEM and base64: what a leak would hold. */
export function secretsOf({ key }: Pair): string[] {
  return [key.split("\n")[1] ?? "", btoa(key).slice(80, 140)];
}
