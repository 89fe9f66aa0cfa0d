/**
 * Settings about the agent's own HTTPS server, its certificates and callers,
 * its talk with the API server, its logs and traces. Part of the
 * KubeletConfiguration table.
 */
import { atLeast, between, field } from "./field.ts";
import {
  bool,
  duration,
  durationOrNanos,
  int32,
  oneOf,
  optional,
  text,
  uint32,
} from "./kind.ts";
import { listOf } from "./kind_collection.ts";
import { fileVerbosities } from "./kind_record.ts";
import { isIp, quantitySign } from "./text_rules.ts";
import { isCipherSuite, TLS_CURVES, TLS_VERSIONS } from "./tls_names.ts";

const MINUTE_MS = 60_000;

const ADDRESS = {
  allowed: "an IP address such as 0.0.0.0 or ::",
  isAllowed: isIp,
} as const;

const BUFFER_SIZE = {
  allowed: 'a quantity such as "0" or "64Ki"',
  isAllowed: (size: string) => quantitySign(size) !== undefined,
} as const;

export const SERVER_FIELDS = {
  enableServer: field(bool, true, {
    help: "Serve the node API",
    flag: "enable-server",
    keepsZero: true,
  }),
  address: field(text, "0.0.0.0", {
    help: "Address the node API listens on",
    flag: "address",
    ...ADDRESS,
  }),
  port: field(int32, 10250, {
    help: "Port of the node API",
    flag: "port",
    ...between(1, 65535),
  }),
  readOnlyPort: field(int32, 0, {
    help: "Port of the node API without authentication; 0: off",
    flag: "read-only-port",
    ...between(0, 65535),
  }),
  healthzPort: field(int32, 10248, {
    help: "Port of /healthz; 0: off",
    flag: "healthz-port",
    keepsZero: true,
    ...between(0, 65535),
  }),
  healthzBindAddress: field(text, "127.0.0.1", {
    help: "Address /healthz listens on",
    flag: "healthz-bind-address",
    ...ADDRESS,
  }),
  tlsCertFile: field(text, "", {
    help: "Serving certificate file",
    flag: "tls-cert-file",
    isFilePath: true,
  }),
  tlsPrivateKeyFile: field(text, "", {
    help: "Private key file of tlsCertFile",
    flag: "tls-private-key-file",
    isFilePath: true,
  }),
  tlsCipherSuites: field(listOf(text), [], {
    help: "TLS 1.2 cipher suites by name",
    flag: "tls-cipher-suites",
    allowed: "names of TLS cipher suites as Go spells them",
    isAllowed: (names) => names.every(isCipherSuite),
  }),
  tlsMinVersion: field(text, "", {
    help: "Lowest TLS version; empty: VersionTLS12",
    flag: "tls-min-version",
    allowed: TLS_VERSIONS.join(", "),
    isAllowed: (name) =>
      name === "" || TLS_VERSIONS.some((known) => known === name),
  }),
  tlsCurvePreferences: field(listOf(int32), [], {
    help: "Key exchange mechanisms by Go's numbers",
    allowed: `numbers among ${TLS_CURVES.join(", ")}`,
    isAllowed: (ids) => ids.every((id) => TLS_CURVES.some((c) => c === id)),
  }),
  rotateCertificates: field(bool, false, {
    help: "Renew the client certificate before it expires",
    flag: "rotate-certificates",
  }),
  serverTLSBootstrap: field(bool, false, {
    help: "Get the serving certificate from the cluster",
    flag: "rotate-server-certificates",
  }),
  authentication: {
    x509: {
      clientCAFile: field(text, "", {
        help: "CA file for client certificates",
        flag: "client-ca-file",
        isFilePath: true,
      }),
    },
    webhook: {
      enabled: field(bool, true, {
        help: "Check bearer tokens with the API server",
        flag: "authentication-token-webhook",
        keepsZero: true,
      }),
      cacheTTL: field(duration, 2 * MINUTE_MS, {
        help: "How long a checked token is remembered",
        flag: "authentication-token-webhook-cache-ttl",
      }),
    },
    anonymous: {
      enabled: field(bool, false, {
        help: "Serve callers without credentials",
        flag: "anonymous-auth",
        keepsZero: true,
      }),
    },
  },
  authorization: {
    mode: field(oneOf(["AlwaysAllow", "Webhook"]), "Webhook", {
      help: "Who decides what a caller may do",
      flag: "authorization-mode",
    }),
    webhook: {
      cacheAuthorizedTTL: field(duration, 5 * MINUTE_MS, {
        help: "How long a yes is remembered",
        flag: "authorization-webhook-cache-authorized-ttl",
      }),
      cacheUnauthorizedTTL: field(duration, 30_000, {
        help: "How long a no is remembered",
        flag: "authorization-webhook-cache-unauthorized-ttl",
      }),
    },
  },
  enableDebuggingHandlers: field(bool, true, {
    help: "Serve logs, exec, attach and port-forward",
    flag: "enable-debugging-handlers",
    keepsZero: true,
  }),
  enableContentionProfiling: field(bool, false, {
    help: "Has no effect here",
    flag: "contention-profiling",
  }),
  enableProfilingHandler: field(bool, true, {
    help: "Serve /debug/pprof",
    keepsZero: true,
  }),
  enableDebugFlagsHandler: field(bool, true, {
    help: "Serve /debug/flags/v",
    keepsZero: true,
  }),
  enableSystemLogHandler: field(bool, true, {
    help: "Serve /logs",
    keepsZero: true,
  }),
  enableSystemLogQuery: field(bool, false, {
    help: "Serve queries of system logs",
    keepsZero: true,
  }),
  streamingConnectionIdleTimeout: field(duration, 240 * MINUTE_MS, {
    help: "Has no effect, as upstream",
    flag: "streaming-connection-idle-timeout",
  }),
  contentType: field(text, "application/vnd.kubernetes.protobuf", {
    help: "Content type of requests to the API server",
    flag: "kube-api-content-type",
  }),
  kubeAPIQPS: field(int32, 50, {
    help: "Requests per second to the API server",
    flag: "kube-api-qps",
    keepsZero: true,
    ...atLeast(0),
  }),
  kubeAPIBurst: field(int32, 100, {
    help: "Requests at once above kubeAPIQPS",
    flag: "kube-api-burst",
    ...atLeast(0),
  }),
  eventRecordQPS: field(int32, 50, {
    help: "Events per second; 0: no limit",
    flag: "event-qps",
    keepsZero: true,
    ...atLeast(0),
  }),
  eventBurst: field(int32, 100, {
    help: "Events at once above eventRecordQPS",
    flag: "event-burst",
    ...atLeast(0),
  }),
  showHiddenMetricsForVersion: field(text, "", {
    help: "Show the metrics hidden since this version",
    allowed: "nothing or 1.35, the previous minor version",
    isAllowed: (version) => version === "" || version === "1.35",
  }),
  logging: {
    format: field(oneOf(["text", "json"]), "text", {
      help: "Form of log lines",
      flag: "logging-format",
    }),
    flushFrequency: field(durationOrNanos, 5_000, {
      help: "Longest time a log line is held back",
      flag: "log-flush-frequency",
    }),
    verbosity: field(uint32, 0, {
      help: "How much is logged; higher is more",
      flag: "v",
      letter: "v",
    }),
    vmodule: field(fileVerbosities, [], {
      help: "Verbosity by source file, text format only",
      flag: "vmodule",
      allowed: "items with a filePattern without = or ,",
      isAllowed: (items) =>
        items.every((item) => /^[^=,]+$/.test(item.filePattern)),
    }),
    options: {
      text: {
        splitStream: field(bool, false, {
          help: "Errors to stderr, the rest to stdout (text format)",
          flag: "log-text-split-stream",
        }),
        infoBufferSize: field(text, "0", {
          help: "Buffer before stdout in bytes (text format)",
          flag: "log-text-info-buffer-size",
          ...BUFFER_SIZE,
        }),
      },
      json: {
        splitStream: field(bool, false, {
          help: "Errors to stderr, the rest to stdout (json format)",
          flag: "log-json-split-stream",
        }),
        infoBufferSize: field(text, "0", {
          help: "Buffer before stdout in bytes (json format)",
          flag: "log-json-info-buffer-size",
          ...BUFFER_SIZE,
        }),
      },
    },
  },
  tracing: {
    endpoint: field(optional(text), undefined, {
      help: "Collector of traces; unset: localhost:4317",
      keepsZero: true,
      allowed: "an address, optionally with dns://, unix:// or unix-abstract:",
      isAllowed: (address) => address === undefined || isCollector(address),
    }),
    samplingRatePerMillion: field(optional(int32), undefined, {
      help: "Traces taken out of a million; unset: 0",
      keepsZero: true,
      allowed: "a whole number from 0 to 1000000",
      isAllowed: (rate) => rate === undefined || rate >= 0 && rate <= 1e6,
    }),
  },
} as const;

function isCollector(address: string): boolean {
  const scheme = /^([^:/]*):\/\//.exec(address)?.[1];
  return !/[\s%]/.test(address) &&
    (scheme === undefined
      ? !address.includes("//")
      : ["", "dns", "unix", "unix-abstract"].includes(scheme));
}
