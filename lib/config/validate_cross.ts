/**
 * The rules between fields of a configuration, grouped by subject. Each rule is
 * a line: what is wrong, at which field, in which words.
 * Compat: kubelet 1.36 ValidateKubeletConfiguration, ParseThresholdConfig
 */
import type { Features } from "./features.ts";
import { printGoDuration } from "./go_duration.ts";
import type { KubeletConfiguration } from "./schema.ts";
import { quantitySign } from "./text_rules.ts";

/** `other` is the field to blame when `path` was left at its default. */
type Rule = readonly [
  isBroken: boolean,
  path: string,
  message: string,
  other?: string,
];

/** A rule between fields, told at the field that breaks it. */
export interface CrossProblem {
  /** The fields to blame, the first that somebody set. */
  readonly paths: readonly string[];
  readonly message: string;
}

/** Every broken rule; empty when the configuration is sound. */
export function crossProblems(
  kubelet: KubeletConfiguration,
  features: Features,
): CrossProblem[] {
  return [
    ...imageRules(kubelet, features),
    ...shutdownRules(kubelet, features),
    ...evictionRules(kubelet),
    ...resourceRules(kubelet, features),
    ...enforcementRules(kubelet),
    ...serverRules(kubelet, features),
    ...loggingRules(kubelet, features),
  ].flatMap(([isBroken, path, message, other = path]) =>
    isBroken ? [{ paths: [path, other], message }] : []
  );
}

function imageRules(k: KubeletConfiguration, features: Features): Rule[] {
  const policy = k.imagePullCredentialsVerificationPolicy;
  const hasAllowlist = k.preloadedImagesVerificationAllowlist.length > 0;
  const isVerifying = features.KubeletEnsureSecretPulledImages;
  const needsGate = "must not be set without the feature gate " +
    "KubeletEnsureSecretPulledImages";
  return [
    [
      k.imageGCLowThresholdPercent >= k.imageGCHighThresholdPercent,
      "imageGCLowThresholdPercent",
      `${k.imageGCLowThresholdPercent} must be less than ` +
      `imageGCHighThresholdPercent, which is ${k.imageGCHighThresholdPercent}`,
      "imageGCHighThresholdPercent",
    ],
    [
      k.imageMaximumGCAge > 0 && k.imageMaximumGCAge <= k.imageMinimumGCAge,
      "imageMaximumGCAge",
      `${printGoDuration(k.imageMaximumGCAge)} must be more than ` +
      `imageMinimumGCAge, which is ${printGoDuration(k.imageMinimumGCAge)}`,
      "imageMinimumGCAge",
    ],
    [
      k.serializeImagePulls && (k.maxParallelImagePulls ?? 0) > 1,
      "maxParallelImagePulls",
      "more than 1 needs serializeImagePulls: false",
      "serializeImagePulls",
    ],
    [
      !isVerifying && policy !== "",
      "imagePullCredentialsVerificationPolicy",
      needsGate,
    ],
    [
      !isVerifying && hasAllowlist,
      "preloadedImagesVerificationAllowlist",
      needsGate,
    ],
    [
      isVerifying && policy === "",
      "imagePullCredentialsVerificationPolicy",
      "must be set",
    ],
    [
      isVerifying && hasAllowlist && policy !== "NeverVerifyAllowlistedImages",
      "preloadedImagesVerificationAllowlist",
      "needs imagePullCredentialsVerificationPolicy: " +
      "NeverVerifyAllowlistedImages",
    ],
    [
      !features.KubeletCrashLoopBackOffMax &&
      k.crashLoopBackOff.maxContainerRestartPeriod !== undefined,
      "crashLoopBackOff.maxContainerRestartPeriod",
      "must not be set without the feature gate KubeletCrashLoopBackOffMax",
    ],
  ];
}

function shutdownRules(k: KubeletConfiguration, features: Features): Rule[] {
  const hasPeriod = k.shutdownGracePeriod > 0 ||
    k.shutdownGracePeriodCriticalPods > 0;
  const hasClasses = k.shutdownGracePeriodByPodPriority.length > 0;
  return [
    [
      k.shutdownGracePeriodCriticalPods > k.shutdownGracePeriod,
      "shutdownGracePeriodCriticalPods",
      `${printGoDuration(k.shutdownGracePeriodCriticalPods)} must not be ` +
      `more than shutdownGracePeriod, which is ` +
      printGoDuration(k.shutdownGracePeriod),
    ],
    [
      hasPeriod && !features.GracefulNodeShutdown,
      "shutdownGracePeriod",
      "needs the feature gate GracefulNodeShutdown",
    ],
    [
      hasClasses && hasPeriod,
      "shutdownGracePeriodByPodPriority",
      "cannot be combined with shutdownGracePeriod or " +
      "shutdownGracePeriodCriticalPods",
    ],
    [
      hasClasses && !features.GracefulNodeShutdownBasedOnPodPriority,
      "shutdownGracePeriodByPodPriority",
      "needs the feature gate GracefulNodeShutdownBasedOnPodPriority",
    ],
  ];
}

function evictionRules(k: KubeletConfiguration): Rule[] {
  return [...k.evictionSoft].map(([signal, threshold]) => [
    !["0%", "100%"].includes(threshold) &&
    !k.evictionSoftGracePeriod.has(signal),
    "evictionSoft",
    `${signal} needs a grace period in evictionSoftGracePeriod`,
  ]);
}

function resourceRules(k: KubeletConfiguration, features: Features): Rule[] {
  const hasReservedCgroup = k.systemReservedCgroup !== "" ||
    k.kubeReservedCgroup !== "";
  return [
    [
      k.systemCgroups !== "" && k.cgroupRoot === "",
      "systemCgroups",
      "needs cgroupRoot",
    ],
    [
      !features.CustomCPUCFSQuotaPeriod && k.cpuCFSQuotaPeriod !== 100,
      "cpuCFSQuotaPeriod",
      "other than 100ms needs the feature gate CustomCPUCFSQuotaPeriod",
    ],
    [
      k.reservedSystemCPUs !== "" && hasReservedCgroup,
      "reservedSystemCPUs",
      "cannot be combined with systemReservedCgroup or kubeReservedCgroup",
    ],
    [
      k.memoryReservationPolicy === "TieredReservation" && !features.MemoryQoS,
      "memoryReservationPolicy",
      "TieredReservation needs the feature gate MemoryQoS",
    ],
  ];
}

function enforcementRules(k: KubeletConfiguration): Rule[] {
  const path = "enforceNodeAllocatable";
  const cgroupOf = {
    "system-reserved": k.systemReservedCgroup,
    "kube-reserved": k.kubeReservedCgroup,
  } as const;
  const has = (word: string) => k.enforceNodeAllocatable.includes(word);
  const enforced = k.enforceNodeAllocatable.some((word) => word !== "none");
  return [
    ...(["system-reserved", "kube-reserved"] as const).flatMap(
      (word): Rule[] => [
        [
          has(word) && has(`${word}-compressible`),
          path,
          `${word} and ${word}-compressible cannot be combined`,
        ],
        ...[word, `${word}-compressible`].map((each): Rule => [
          has(each) && cgroupOf[word] === "",
          path,
          `${each} needs ${
            word === "kube-reserved" ? "kube" : "system"
          }ReservedCgroup`,
        ]),
      ],
    ),
    [
      enforced && !k.cgroupsPerQOS,
      path,
      "needs cgroupsPerQOS: true",
      "cgroupsPerQOS",
    ],
  ];
}

function serverRules(k: KubeletConfiguration, features: Features): Rule[] {
  return [
    [
      k.serverTLSBootstrap && !features.RotateKubeletServerCertificate,
      "serverTLSBootstrap",
      "needs the feature gate RotateKubeletServerCertificate",
    ],
    [
      k.enableSystemLogQuery && !k.enableSystemLogHandler,
      "enableSystemLogQuery",
      "needs enableSystemLogHandler: true",
    ],
  ];
}

/** Compat: component-base 0.36 logs Validate */
function loggingRules(k: KubeletConfiguration, features: Features): Rule[] {
  const { format, vmodule, options } = k.logging;
  return [
    [
      vmodule.length > 0 && format !== "text",
      "logging.vmodule",
      "is for the text format only",
    ],
    ...(["text", "json"] as const).flatMap((name): Rule[] => [
      [
        options[name].splitStream && !features.LoggingAlphaOptions,
        `logging.options.${name}.splitStream`,
        "needs the feature gate LoggingAlphaOptions",
      ],
      [
        quantitySign(options[name].infoBufferSize) !== 0 &&
        !features.LoggingAlphaOptions,
        `logging.options.${name}.infoBufferSize`,
        "needs the feature gate LoggingAlphaOptions",
      ],
    ]),
  ];
}
