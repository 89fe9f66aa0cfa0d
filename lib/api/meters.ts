/**
 * A handle for each metric of the table, all in one set. Made once in the
 * process and handed in; whoever counts takes the handles it needs.
 */
import type { Metrics } from "../base/metrics.ts";
import { METRICS } from "./metric_table.ts";
import { QUIET_METRICS } from "./metric_table_quiet.ts";

export type Meters =
  & ReturnType<typeof aboutPods>
  & ReturnType<typeof aboutTheRest>
  & {
    /** What shows all of them. */
    readonly set: Pick<Metrics, "text" | "contentType">;
  };

export function createMeters(metrics: Metrics): Meters {
  makeQuiet(metrics);
  return { ...aboutPods(metrics), ...aboutTheRest(metrics), set: metrics };
}

function aboutPods(metrics: Metrics) {
  return {
    runtimeOperations: metrics.counter(METRICS.runtimeOperations),
    runtimeErrors: metrics.counter(METRICS.runtimeErrors),
    runtimeSeconds: metrics.histogram(METRICS.runtimeSeconds),
    relistSeconds: metrics.histogram(METRICS.relistSeconds),
    relistInterval: metrics.histogram(METRICS.relistInterval),
    relistedAt: metrics.gauge(METRICS.relistedAt),
    sandboxSeconds: metrics.histogram(METRICS.sandboxSeconds),
    sandboxErrors: metrics.counter(METRICS.sandboxErrors),
    cgroupSeconds: metrics.histogram(METRICS.cgroupSeconds),
    imagePullSeconds: metrics.histogram(METRICS.imagePullSeconds),
    imageRequests: metrics.counter(METRICS.imageRequests),
    imagesRemoved: metrics.counter(METRICS.imagesRemoved),
    startedContainers: metrics.counter(METRICS.startedContainers),
    containerErrors: metrics.counter(METRICS.containerErrors),
    terminatedContainers: metrics.counter(METRICS.terminatedContainers),
    runningContainers: metrics.gauge(METRICS.runningContainers),
    ephemeralContainers: metrics.gauge(METRICS.ephemeralContainers),
    hookFallbacks: metrics.counter(METRICS.hookFallbacks),
    sleepsCut: metrics.counter(METRICS.sleepsCut),
    containersPerPod: metrics.histogram(METRICS.containersPerPod),
    passSeconds: metrics.histogram(METRICS.passSeconds),
    passBegins: metrics.histogram(METRICS.passBegins),
    podStart: metrics.histogram(METRICS.podStart),
    podStartSli: metrics.histogram(METRICS.podStartSli),
    podStartTotal: metrics.histogram(METRICS.podStartTotal),
    statusSync: metrics.histogram(METRICS.statusSync),
    runningPods: metrics.gauge(METRICS.runningPods),
    desiredPods: metrics.gauge(METRICS.desiredPods),
    activePods: metrics.gauge(METRICS.activePods),
    mirrorPods: metrics.gauge(METRICS.mirrorPods),
    workingPods: metrics.gauge(METRICS.workingPods),
    startedPods: metrics.counter(METRICS.startedPods),
    podErrors: metrics.counter(METRICS.podErrors),
    requestedResizes: metrics.counter(METRICS.requestedResizes),
    resizeMilliseconds: metrics.histogram(METRICS.resizeMilliseconds),
    pendingResizes: metrics.gauge(METRICS.pendingResizes),
    infeasibleResizes: metrics.counter(METRICS.infeasibleResizes),
    resizesUnderWay: metrics.gauge(METRICS.resizesUnderWay),
    deferredAccepted: metrics.counter(METRICS.deferredAccepted),
  };
}

function aboutTheRest(metrics: Metrics) {
  return {
    orphanedPods: metrics.counter(METRICS.orphanedPods),
    restartedPods: metrics.counter(METRICS.restartedPods),
    userPods: metrics.counter(METRICS.userPods),
    userPodErrors: metrics.counter(METRICS.userPodErrors),
    admissionRejections: metrics.counter(METRICS.admissionRejections),
    evictions: metrics.counter(METRICS.evictions),
    evictionAge: metrics.histogram(METRICS.evictionAge),
    preemptions: metrics.counter(METRICS.preemptions),
    actionSeconds: metrics.histogram(METRICS.actionSeconds),
    actionErrors: metrics.counter(METRICS.actionErrors),
    nodeName: metrics.gauge(METRICS.nodeName),
    cgroupVersion: metrics.gauge(METRICS.cgroupVersion),
    memoryQosMin: metrics.gauge(METRICS.memoryQosMin),
    memoryQosLow: metrics.gauge(METRICS.memoryQosLow),
    losingSupport: metrics.gauge(METRICS.losingSupport),
    buildInfo: metrics.gauge(METRICS.buildInfo),
    features: metrics.gauge(METRICS.features),
    httpRequests: metrics.counter(METRICS.httpRequests),
    httpSeconds: metrics.histogram(METRICS.httpSeconds),
    httpInflight: metrics.gauge(METRICS.httpInflight),
    webSockets: metrics.counter(METRICS.webSockets),
    metricsProvider: metrics.gauge(METRICS.metricsProvider),
    logBytes: metrics.gauge(METRICS.logBytes),
    clientTtl: metrics.gauge(METRICS.clientTtl),
    servingTtl: metrics.gauge(METRICS.servingTtl),
    clientRenewErrors: metrics.counter(METRICS.clientRenewErrors),
    servingRenewErrors: metrics.counter(METRICS.servingRenewErrors),
    servingRotation: metrics.histogram(METRICS.servingRotation),
    restRequests: metrics.counter(METRICS.restRequests),
    restSeconds: metrics.histogram(METRICS.restSeconds),
    processCpu: metrics.counter(METRICS.processCpu),
    processResident: metrics.gauge(METRICS.processResident),
    processVirtual: metrics.gauge(METRICS.processVirtual),
    restSent: metrics.histogram(METRICS.restSent),
    restReceived: metrics.histogram(METRICS.restReceived),
    processMostVirtual: metrics.gauge(METRICS.processMostVirtual),
    processReceived: metrics.counter(METRICS.processReceived),
    processSent: metrics.counter(METRICS.processSent),
    processStart: metrics.gauge(METRICS.processStart),
    processFiles: metrics.gauge(METRICS.processFiles),
    processMostFiles: metrics.gauge(METRICS.processMostFiles),
    shutdownStart: metrics.gauge(METRICS.shutdownStart),
    shutdownEnd: metrics.gauge(METRICS.shutdownEnd),
    lagSeconds: metrics.histogram(METRICS.lagSeconds),
    ...aboutStartup(metrics),
    ...aboutVolumes(metrics),
    probeLateness: metrics.histogram(METRICS.probeLateness),
  };
}

function aboutStartup(metrics: Metrics) {
  return {
    preKubelet: metrics.gauge(METRICS.preKubelet),
    preRegistration: metrics.gauge(METRICS.preRegistration),
    registration: metrics.gauge(METRICS.registration),
    postRegistration: metrics.gauge(METRICS.postRegistration),
    nodeStartup: metrics.gauge(METRICS.nodeStartup),
    firstNetworkPod: metrics.gauge(METRICS.firstNetworkPod),
  };
}

function aboutVolumes(metrics: Metrics) {
  return {
    orphanVolumes: metrics.gauge(METRICS.orphanVolumes),
    orphanVolumeErrors: metrics.gauge(METRICS.orphanVolumeErrors),
    totalVolumes: metrics.gauge(METRICS.totalVolumes),
    storageSeconds: metrics.histogram(METRICS.storageSeconds),
    volumeSeconds: metrics.histogram(METRICS.volumeSeconds),
    treeSeconds: metrics.histogram(METRICS.treeSeconds),
    volumeCapacity: metrics.gauge(METRICS.volumeCapacity),
    volumeAvailable: metrics.gauge(METRICS.volumeAvailable),
    volumeUsed: metrics.gauge(METRICS.volumeUsed),
    volumeInodes: metrics.gauge(METRICS.volumeInodes),
    volumeInodesFree: metrics.gauge(METRICS.volumeInodesFree),
    volumeInodesUsed: metrics.gauge(METRICS.volumeInodesUsed),
    storageErrors: metrics.counter(METRICS.storageErrors),
    imageVolumesRequested: metrics.counter(METRICS.imageVolumesRequested),
    imageVolumesMounted: metrics.counter(METRICS.imageVolumesMounted),
    imageVolumeErrors: metrics.counter(METRICS.imageVolumeErrors),
    pullIntents: metrics.gauge(METRICS.pullIntents),
    pulledRecords: metrics.gauge(METRICS.pulledRecords),
    mustPullChecks: metrics.counter(METRICS.mustPullChecks),
    pluginErrors: metrics.counter(METRICS.pluginErrors),
    pluginSeconds: metrics.histogram(METRICS.pluginSeconds),
  };
}

/** Nobody ever counts these. */
function makeQuiet(metrics: Metrics): void {
  for (const { type, ...spec } of QUIET_METRICS) {
    metrics[type]({ ...spec, labels: [] });
  }
}
