/**
 * Settings about the node as the cluster sees it, its network, its shutdown, and
 * when it evicts pods. Part of the KubeletConfiguration table.
 */
import { SIGNALS } from "../api/eviction_signal.ts";
import { parseGoDuration } from "./go_duration.ts";
import { atLeast, between, field, moreThanNothing } from "./field.ts";
import { bool, duration, int32, oneOf, optional, text } from "./kind.ts";
import { int64 } from "./kind.ts";
import {
  belowMap,
  listOf,
  switchMap,
  type TextMap,
  textMap,
} from "./kind_collection.ts";
import { shutdownClasses, taints, type TaintSetting } from "./kind_record.ts";
import {
  isCidr,
  isLabelValue,
  isQualifiedName,
  percentage,
  quantitySign,
} from "./text_rules.ts";

const MINUTE_MS = 60_000;
const ID_BLOCK = 65_536;

const EVICTION_SIGNALS: ReadonlySet<string> = new Set(SIGNALS);

const THRESHOLD = {
  allowed: "a percentage up to 100% or a quantity above 0 for each of " +
    SIGNALS.join(", "),
  isAllowed: (map: TextMap) => everySignal(map, isThreshold),
} as const;

export const NODE_FIELDS = {
  registerNode: field(bool, true, {
    help: "Register the node with the API server",
    flag: "register-node",
    keepsZero: true,
  }),
  registerWithTaints: field(taints, [], {
    help: "Taints of a newly registered node",
    flag: "register-with-taints",
    allowed: "taints with a label-like key and value, an effect NoSchedule, " +
      "PreferNoSchedule or NoExecute, each key and effect once, no timeAdded",
    isAllowed: areTaints,
  }),
  providerID: field(text, "", {
    help: "Name of this machine at its cloud provider",
    flag: "provider-id",
  }),
  nodeStatusUpdateFrequency: field(duration, 10_000, {
    help: "Time between two computations of the node status",
    flag: "node-status-update-frequency",
    ...moreThanNothing,
  }),
  nodeStatusReportFrequency: field(duration, 5 * MINUTE_MS, {
    help: "Longest time between two reports of an unchanged node status",
  }),
  nodeLeaseDurationSeconds: field(int32, 40, {
    help: "Seconds the node counts as alive after a heartbeat",
    ...atLeast(1),
  }),
  nodeStatusMaxImages: field(int32, 50, {
    help: "Images named in the node status; -1: all",
    flag: "node-status-max-images",
    keepsZero: true,
    ...atLeast(-1),
  }),
  clusterDomain: field(text, "", {
    help: "DNS domain of the cluster",
    flag: "cluster-domain",
  }),
  clusterDNS: field(listOf(text), [], {
    help: "Addresses of the cluster's DNS servers",
    flag: "cluster-dns",
  }),
  resolvConf: field(text, "/etc/resolv.conf", {
    help: "Resolver file pods start from; empty: none",
    flag: "resolv-conf",
    keepsZero: true,
    isHostPath: true,
    isFilePath: true,
  }),
  podCIDR: field(text, "", {
    help: "Addresses for pods when there is no API server",
    flag: "pod-cidr",
    allowed: "one CIDR or an IPv4 and an IPv6 one separated by a comma",
    isAllowed: (cidrs) => cidrs === "" || cidrs.split(",").every(isCidr),
  }),
  hairpinMode: field(
    oneOf(["promiscuous-bridge", "hairpin-veth", "none"]),
    "promiscuous-bridge",
    { help: "Has no effect, as upstream", flag: "hairpin-mode" },
  ),
  makeIPTablesUtilChains: field(bool, true, {
    help: "Keep chains of iptables that others look for",
    flag: "make-iptables-util-chains",
    keepsZero: true,
  }),
  iptablesMasqueradeBit: field(int32, 14, {
    help: "Has no effect, as upstream",
    keepsZero: true,
    ...between(0, 31),
  }),
  iptablesDropBit: field(int32, 15, {
    help: "Has no effect, as upstream",
    keepsZero: true,
    ...between(0, 31),
  }),
  shutdownGracePeriod: field(duration, 0, {
    help: "Time pods get at node shutdown; 0: none",
    ...zeroOrSecond(),
  }),
  shutdownGracePeriodCriticalPods: field(duration, 0, {
    help: "Part of shutdownGracePeriod kept for critical pods",
    ...zeroOrSecond(),
  }),
  shutdownGracePeriodByPodPriority: field(shutdownClasses, [], {
    help: "Time pods get at node shutdown, by priority",
  }),
  evictionHard: field(textMap, new Map(), {
    help: "Thresholds that evict at once",
    flag: "eviction-hard",
    flagKind: belowMap,
    ...THRESHOLD,
  }),
  evictionSoft: field(textMap, new Map(), {
    help: "Thresholds that evict after a grace period",
    flag: "eviction-soft",
    flagKind: belowMap,
    ...THRESHOLD,
  }),
  evictionSoftGracePeriod: field(textMap, new Map(), {
    help: "Grace period of each soft threshold",
    flag: "eviction-soft-grace-period",
    allowed: 'a duration such as "1m30s" for each of ' + SIGNALS.join(", "),
    isAllowed: (map) =>
      everySignal(map, (period) => (parseGoDuration(period) ?? -1) >= 0),
  }),
  evictionMinimumReclaim: field(textMap, new Map(), {
    help: "How much to free beyond a threshold",
    flag: "eviction-minimum-reclaim",
    allowed: "a quantity, or a percentage above 0% and up to 100%, for each " +
      `of ${SIGNALS.join(", ")}`,
    isAllowed: (map) =>
      everySignal(
        map,
        (amount) => {
          const percent = percentage(amount);
          return percent === undefined
            ? (quantitySign(amount) ?? -1) >= 0
            : percent > 0 && percent <= 100;
        },
      ),
  }),
  evictionPressureTransitionPeriod: field(duration, 5 * MINUTE_MS, {
    help: "How long pressure is reported after it has gone",
    flag: "eviction-pressure-transition-period",
  }),
  evictionMaxPodGracePeriod: field(int32, 0, {
    help: "Longest grace in seconds at a soft eviction; negative: the pod's",
    flag: "eviction-max-pod-grace-period",
  }),
  mergeDefaultEvictionSettings: field(bool, false, {
    help: "Keep the default thresholds that evictionHard does not set",
    keepsZero: true,
  }),
  featureGates: field(switchMap, new Map(), {
    help: "Features switched on or off by name",
    flag: "feature-gates",
  }),
  seccompDefault: field(bool, false, {
    help: "Use the RuntimeDefault seccomp profile where a pod names none",
    keepsZero: true,
  }),
  allowedUnsafeSysctls: field(listOf(text), [], {
    help: "Unsafe sysctls pods may set; name or prefix*",
    flag: "allowed-unsafe-sysctls",
  }),
  protectKernelDefaults: field(bool, false, {
    help: "Fail when kernel settings differ instead of changing them",
    flag: "protect-kernel-defaults",
  }),
  kernelMemcgNotification: field(bool, false, {
    help: "Let the kernel tell about memory thresholds",
    flag: "kernel-memcg-notification",
  }),
  maxOpenFiles: field(int64, 1_000_000, {
    help: "Files the agent may hold open",
    flag: "max-open-files",
    ...atLeast(0),
  }),
  oomScoreAdj: field(int32, -999, {
    help: "OOM score adjustment of the agent",
    flag: "oom-score-adj",
    keepsZero: true,
    ...between(-1000, 1000),
  }),
  failSwapOn: field(bool, true, {
    help: "Fail when the host swaps",
    flag: "fail-swap-on",
    keepsZero: true,
  }),
  memorySwap: {
    swapBehavior: field(oneOf(["", "NoSwap", "LimitedSwap"]), "", {
      help: "Swap pods may use",
    }),
  },
  failCgroupV1: field(bool, true, {
    help: "Fail on a cgroup v1 host",
    flag: "fail-cgroupv1",
    keepsZero: true,
  }),
  userNamespaces: {
    idsPerPod: field(optional(int64), undefined, {
      help: "User ids per pod user namespace; unset: 65536",
      keepsZero: true,
      allowed: "a multiple of 65536 below 4294967296",
      isAllowed: (ids) =>
        ids === undefined ||
        ids >= ID_BLOCK && ids % ID_BLOCK === 0 && ids < 2 ** 32,
    }),
  },
} as const;

function zeroOrSecond() {
  return {
    allowed: "0s or a duration of at least 1s",
    isAllowed: (value: number) => value === 0 || value >= 1_000,
  };
}

function everySignal(map: TextMap, isGood: (value: string) => boolean) {
  return [...map].every(([signal, value]) =>
    EVICTION_SIGNALS.has(signal) && isGood(value)
  );
}

/** Compat: kubelet 1.36 parseThresholdStatement */
function isThreshold(value: string): boolean {
  const percent = percentage(value);
  return percent === undefined
    ? quantitySign(value) === 1
    : percent >= 0 && percent <= 100;
}

/** Compat: kubelet 1.36 CheckTaintValidation, ParseTaints */
function areTaints(list: readonly TaintSetting[]): boolean {
  const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
  const seen = new Set(list.map(({ key, effect }) => `${key}:${effect}`));
  return seen.size === list.length &&
    list.every((taint) =>
      isQualifiedName(taint.key) && isLabelValue(taint.value) &&
      effects.includes(taint.effect) && taint.timeAdded === undefined
    );
}
