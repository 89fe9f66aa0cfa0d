/**
 * Settings about where pods come from, the runtime that runs them, and their
 * images, logs and volumes. Part of the KubeletConfiguration table.
 */
import {
  atLeast,
  between,
  field,
  moreThanNothing,
  notNegative,
} from "./field.ts";
import { bool, duration, int32, oneOf, optional, text } from "./kind.ts";
import { headerMap, listOf } from "./kind_collection.ts";
import { isCleanAbsolutePath, quantitySign } from "./text_rules.ts";

const MINUTE_MS = 60_000;

export const POD_FIELDS = {
  staticPodPath: field(text, "", {
    help: "File or directory of static pods",
    flag: "pod-manifest-path",
    isFilePath: true,
  }),
  staticPodURL: field(text, "", {
    help: "URL of static pods",
    flag: "manifest-url",
  }),
  staticPodURLHeader: field(headerMap, new Map(), {
    help: "HTTP headers sent when reading staticPodURL",
    flag: "manifest-url-header",
    isSecret: true,
  }),
  syncFrequency: field(duration, MINUTE_MS, {
    help: "Longest time between two looks at a pod",
    flag: "sync-frequency",
    ...moreThanNothing,
  }),
  fileCheckFrequency: field(duration, 20_000, {
    help: "Time between two looks at staticPodPath",
    flag: "file-check-frequency",
    ...moreThanNothing,
  }),
  httpCheckFrequency: field(duration, 20_000, {
    help: "Time between two looks at staticPodURL",
    flag: "http-check-frequency",
    ...moreThanNothing,
  }),
  podLogsDir: field(text, "/var/log/pods", {
    help: "Directory of container logs",
    isHostPath: true,
    isFilePath: true,
    allowed: "an absolute path without . or .. or // in ASCII letters",
    isAllowed: (path) => isCleanAbsolutePath(path) && /^[ -~]*$/.test(path),
  }),
  containerRuntimeEndpoint: field(
    text,
    "unix:///run/containerd/containerd.sock",
    {
      help: "Socket of the container runtime",
      flag: "container-runtime-endpoint",
      isHostPath: true,
      allowed: "the address of a runtime socket, such as unix:///run/x.sock",
      isAllowed: (address) => address !== "",
    },
  ),
  imageServiceEndpoint: field(text, "", {
    help: "Socket of the image service; empty: the runtime's",
    flag: "image-service-endpoint",
  }),
  runtimeRequestTimeout: field(duration, 2 * MINUTE_MS, {
    help: "Deadline of runtime calls other than pull, logs, exec and attach",
    flag: "runtime-request-timeout",
  }),
  crashLoopBackOff: {
    maxContainerRestartPeriod: field(optional(duration), 5 * MINUTE_MS, {
      help: "Longest delay before a crashed container is started again",
      keepsZero: true,
      allowed: "a duration from 1s to 5m",
      isAllowed: (value) =>
        value === undefined || value >= 1_000 && value < 300_001,
    }),
  },
  registryPullQPS: field(int32, 5, {
    help: "Image pulls per second; 0: no limit",
    flag: "registry-qps",
    keepsZero: true,
    ...atLeast(0),
  }),
  registryBurst: field(int32, 10, {
    help: "Image pulls at once above registryPullQPS",
    flag: "registry-burst",
    ...atLeast(0),
  }),
  serializeImagePulls: field(bool, true, {
    help: "Pull one image at a time",
    flag: "serialize-image-pulls",
    keepsZero: true,
  }),
  maxParallelImagePulls: field(optional(int32), undefined, {
    help: "Most image pulls at once",
    keepsZero: true,
    allowed: "a whole number of at least 1",
    isAllowed: (value) => value === undefined || value >= 1,
  }),
  imagePullCredentialsVerificationPolicy: field(
    oneOf([
      "",
      "NeverVerify",
      "NeverVerifyPreloadedImages",
      "NeverVerifyAllowlistedImages",
      "AlwaysVerify",
    ]),
    "NeverVerifyPreloadedImages",
    { help: "Which present images a pod must have credentials for" },
  ),
  preloadedImagesVerificationAllowlist: field(listOf(text), [], {
    help: "Images that need no credentials when preloaded",
    allowed: "image names without tag or digest, or a prefix ending in /*",
    isAllowed: (images) => images.every(isAllowlistPattern),
  }),
  imageMinimumGCAge: field(duration, 2 * MINUTE_MS, {
    help: "Unused images younger than this are kept",
    flag: "minimum-image-ttl-duration",
    ...notNegative,
  }),
  imageMaximumGCAge: field(duration, 0, {
    help: "Unused images older than this are removed; 0: never for age",
    ...notNegative,
  }),
  imageGCHighThresholdPercent: field(int32, 85, {
    help: "Disk use in percent that starts image removal; 100: never",
    flag: "image-gc-high-threshold",
    keepsZero: true,
    ...between(0, 100),
  }),
  imageGCLowThresholdPercent: field(int32, 80, {
    help: "Disk use in percent that image removal aims for",
    flag: "image-gc-low-threshold",
    keepsZero: true,
    ...between(0, 100),
  }),
  containerLogMaxSize: field(text, "10Mi", {
    help: "Size at which a container log is rotated",
    flag: "container-log-max-size",
    allowed: 'a quantity such as "10Mi"',
    isAllowed: (size) => quantitySign(size) !== undefined,
  }),
  containerLogMaxFiles: field(int32, 5, {
    help: "Log files kept per container",
    flag: "container-log-max-files",
    keepsZero: true,
    ...atLeast(2),
  }),
  containerLogMaxWorkers: field(int32, 1, {
    help: "Log rotations at once",
    keepsZero: true,
    ...atLeast(1),
  }),
  containerLogMonitorInterval: field(duration, 10_000, {
    help: "Time between two looks at log sizes",
    keepsZero: true,
    allowed: "a duration of at least 3s",
    isAllowed: (value) => value >= 3_000,
  }),
  volumeStatsAggPeriod: field(duration, MINUTE_MS, {
    help: "Time between two measurements of volumes; negative: never",
    flag: "volume-stats-agg-period",
  }),
  volumePluginDir: field(
    text,
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
    {
      help: "Directory of flexvolume drivers",
      flag: "volume-plugin-dir",
      isHostPath: true,
      isFilePath: true,
    },
  ),
  enableControllerAttachDetach: field(bool, true, {
    help: "Leave attaching of volumes to the controller",
    flag: "enable-controller-attach-detach",
    keepsZero: true,
  }),
  configMapAndSecretChangeDetectionStrategy: field(
    oneOf(["Get", "Cache", "Watch"]),
    "Watch",
    { help: "How changes of config maps and secrets are noticed" },
  ),
  localStorageCapacityIsolation: field(bool, true, {
    help: "Account for and limit local ephemeral storage",
    flag: "local-storage-capacity-isolation",
    keepsZero: true,
  }),
  runOnce: field(bool, false, {
    help: "Removed upstream; must stay false",
    flag: "runonce",
    allowed: "false: run-once mode no longer exists",
    isAllowed: (value) => !value,
  }),
} as const;

/** Compat: kubelet 1.36 ValidateAllowlistImagesPatterns */
function isAllowlistPattern(pattern: string): boolean {
  const prefix = pattern.endsWith("/*") ? pattern.slice(0, -1) : pattern;
  if (prefix === "" || prefix === "/" || /[\s*@]/.test(prefix)) return false;
  return prefix !== pattern ||
    !/:[^/]*$/.test(prefix) && /[a-z0-9]$/.test(prefix);
}
