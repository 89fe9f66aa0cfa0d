/** The programs of the host that a configuration has started; see needs.ts. */
import type { Config } from "./load.ts";

const IPTABLES = ["iptables", "ip6tables"];
const CHAINS = "makeIPTablesUtilChains";

/** Who wants what started; none of it is wanted at the start. */
export function programsOf({ kubelet, setFields, plugins, filesystems }: {
  readonly kubelet: Config["kubelet"];
  readonly setFields: ReadonlySet<string>;
  readonly plugins: readonly string[];
  readonly filesystems: readonly string[];
}): readonly (readonly [wantedBy: string, programs: readonly string[]])[] {
  // Chains are wanted by default; who did not ask gets no more rights.
  const hasChains = kubelet.makeIPTablesUtilChains && setFields.has(CHAINS);
  const makers = filesystems.map((type) => `mkfs.${type}`);
  return [
    ["--image-credential-provider-config", plugins],
    [
      "enableSystemLogQuery",
      kubelet.enableSystemLogQuery ? ["journalctl"] : [],
    ],
    [
      "claims on local block devices",
      makers.length === 0 ? [] : ["blkid", "fsck", ...makers],
    ],
    [CHAINS, hasChains ? IPTABLES : []],
  ];
}
