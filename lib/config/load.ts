/**
 * Everything a node was told about itself to one checked value: defaults, the
 * configuration file, its drop-ins, the flags, in this order. Pure: the caller
 * has read the files.
 */
import { AGENT_FIELDS, type AgentFlags, IDLE_FLAGS } from "./agent_flags.ts";
import { applyGates, type Features, type GateOutcome } from "./features.ts";
import { agentBelowHostRoot, belowHostRoot, prefixed } from "./host_root.ts";
import { identify } from "./identity.ts";
import {
  documents,
  gatesOf,
  type LoadInput,
  Refusal,
  withFlags,
} from "./layers.ts";
import {
  ACTED_ON,
  fits,
  KUBELET_SHAPE,
  type KubeletConfiguration,
  nested,
} from "./schema.ts";
import type { Setting, Settings } from "./setting.ts";
import { isIp } from "./text_rules.ts";
import { placeOf, shorten } from "./tree.ts";
import { validate } from "./validate.ts";

/** What the agent runs with. */
export interface Config {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** Where the host's file system is mounted; "/" outside a container. */
  readonly hostRoot: string;
  readonly paths: {
    readonly rootDir: string;
    readonly certDir: string;
    readonly podLogsDir: string;
    readonly containerLogsDir: string;
    readonly runDir: string;
  };
  readonly kubelet: KubeletConfiguration;
  readonly flags: AgentFlags;
  readonly features: Features;
}

export interface Loaded {
  readonly kind: "ok";
  readonly config: Config;
  /** Every configuration field with its value and who set it. */
  readonly settings: Settings;
  /** The flags without a field that were given, by property of `flags`. */
  readonly given: Settings;
  readonly warnings: readonly string[];
}

export type LoadResult =
  | Loaded
  | { readonly kind: "invalid"; readonly message: string };

/**
 * The effective configuration, or the first reason why there is none, in one
 * line with its place. Never throws for what a user wrote.
 * Compat: kubelet 1.36 NewKubeletCommand, mergeKubeletConfigurations,
 * kubeletConfigFlagPrecedence
 */
export function loadConfig(input: LoadInput): LoadResult {
  try {
    return load(input);
  } catch (error) {
    if (error instanceof Refusal) {
      return { kind: "invalid", message: error.message };
    }
    throw error;
  }
}

function load(input: LoadInput): LoadResult {
  const { flags } = input;
  const identity = identify(flags.agent, input.hostname);
  if (identity.kind === "invalid") throw new Refusal(identity.message);
  const doubts: string[] = [];
  const layers = withFlags(documents(input, doubts), flags);
  const gates = applyGates(gatesOf(layers));
  doubts.push(
    ...gates.unknown.map((name) =>
      `Unknown feature gate ${JSON.stringify(shorten(name))} ignored`
    ),
  );
  if (flags.agent.strictFlags && doubts[0] !== undefined) {
    throw new Refusal(doubts[0]);
  }
  if (gates.problems[0] !== undefined) {
    const origin = layers.get("featureGates")?.origin ?? { kind: "default" };
    throw new Refusal(placeOf(origin) + gates.problems[0]);
  }
  const settings = belowHostRoot(withoutGated(layers, gates.features), flags);
  const kubelet = nested(KUBELET_SHAPE, (path) => settings.get(path)?.value);
  if (!fits(KUBELET_SHAPE, kubelet)) throw new Error("Fields do not fit");
  const problem = validate(settings, kubelet, gates.features);
  if (problem !== undefined) throw new Refusal(problem);
  const { nodeName, nodeIps } = identity;
  const agent = agentBelowHostRoot(flags);
  return {
    kind: "ok",
    settings,
    given: flags.given,
    config: {
      nodeName,
      nodeIps,
      hostRoot: agent.hostRoot,
      paths: pathsOf(agent, kubelet),
      kubelet,
      flags: agent,
      features: gates.features,
    },
    warnings: [
      ...flags.warnings,
      ...identity.warnings,
      ...doubts,
      ...placeWarnings(kubelet),
      ...otherWarnings(settings, gates),
      ...idleFlags(flags.given),
    ],
  };
}

/** Takes back the defaults that exist only while their gate is on. */
function withoutGated(settings: Settings, features: Features): Settings {
  const full = new Map(settings);
  const drop = (path: string, empty: Setting["value"]) => {
    const own = full.get(path);
    if (own?.origin.kind === "default") {
      full.set(path, { ...own, value: empty });
    }
  };
  if (!features.KubeletCrashLoopBackOffMax) {
    drop("crashLoopBackOff.maxContainerRestartPeriod", undefined);
  }
  if (!features.KubeletEnsureSecretPulledImages) {
    drop("imagePullCredentialsVerificationPolicy", "");
  }
  return full;
}

function pathsOf(
  { rootDir, certDir, hostRoot }: AgentFlags,
  { podLogsDir }: KubeletConfiguration,
): Config["paths"] {
  return {
    rootDir,
    certDir,
    podLogsDir,
    containerLogsDir: prefixed("/var/log/containers", hostRoot),
    runDir: prefixed("/run/denolet", hostRoot),
  };
}

/** Compat: kubelet 1.36 NewKubeletCommand, which warns and goes on too. */
function placeWarnings(
  { kubeletCgroups: own, kubeReservedCgroup: reserved }: KubeletConfiguration,
): string[] {
  if (own === "" || reserved === "" || own.startsWith(reserved)) return [];
  return [
    `kubeletCgroups: ${shorten(own)} is not within kubeReservedCgroup, ` +
    `which is ${shorten(reserved)}`,
  ];
}

/** The fields that somebody has set, by file or flag. */
export function setFields(settings: Settings): ReadonlySet<string> {
  const set = [...settings].filter(([_, { origin }]) =>
    origin.kind !== "default" && origin.kind !== "legacy-default"
  );
  return new Set(set.map(([path]) => path));
}

function otherWarnings(settings: Settings, gates: GateOutcome): string[] {
  const idle = [...setFields(settings)].filter((path) => !ACTED_ON.has(path));
  const { kind } = KUBELET_SHAPE.clusterDNS;
  const servers = settings.get("clusterDNS")?.value;
  const bad = kind.holds(servers) ? servers.filter((one) => !isIp(one)) : [];
  return [
    ...bad.map((one) =>
      `clusterDNS: ${shorten(one)} is no IP address, ignored`
    ),
    ...(gates.fixed.length === 0 ? [] : [
      `Feature gates set that will be removed: ${gates.fixed.join(", ")}`,
    ]),
    ...(idle.length === 0
      ? []
      : [`Fields set but not acted on yet: ${idle.join(", ")}`]),
  ];
}

function idleFlags(given: Settings): string[] {
  const names = [...given.keys()].filter((path) => IDLE_FLAGS.has(path))
    .map((path) => `--${AGENT_FIELDS.get(path)?.flag ?? path}`);
  return names.length === 0
    ? []
    : [`Flags set but not acted on yet: ${names.join(", ")}`];
}
