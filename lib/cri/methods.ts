/**
 * Every RPC of the two CRI services with the types of its request and answer.
 * `Channel` accepts these names only. That the list is complete and spelt like
 * `proto/runtime.proto` is checked by `methods_test.ts`.
 */
import type * as wire from "./wire.ts";
import type * as container from "./wire_container.ts";
import type * as stats from "./wire_stats.ts";

interface Rpc<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

type Url = { readonly url: string };
type Filtered<Filter> = { readonly filter?: Filter };
type Verbose<Ref> = Ref & { readonly verbose?: boolean };
type OfImage = { readonly image: wire.ImageSpec };

interface RuntimeMethods {
  Version: Rpc<{ version: string }, wire.VersionResponse>;
  Status: Rpc<{ verbose?: boolean }, wire.StatusResponse>;
  RuntimeConfig: Rpc<wire.Empty, wire.RuntimeConfigResponse>;
  UpdateRuntimeConfig: Rpc<
    { runtimeConfig: { networkConfig: { podCidr: string } } },
    wire.Empty
  >;
  RunPodSandbox: Rpc<
    { config: wire.PodSandboxConfig; runtimeHandler: string },
    wire.SandboxRef
  >;
  StopPodSandbox: Rpc<wire.SandboxRef, wire.Empty>;
  RemovePodSandbox: Rpc<wire.SandboxRef, wire.Empty>;
  PodSandboxStatus: Rpc<
    Verbose<wire.SandboxRef>,
    {
      status: wire.PodSandboxStatus | null;
      info: wire.StringMap;
      containersStatuses: readonly container.ContainerStatus[];
      timestamp: wire.Int64;
    }
  >;
  ListPodSandbox: Rpc<
    Filtered<wire.PodSandboxFilter>,
    { items: readonly wire.PodSandbox[] }
  >;
  UpdatePodSandboxResources: Rpc<
    wire.UpdatePodSandboxResourcesRequest,
    wire.Empty
  >;
  PortForward: Rpc<wire.SandboxRef & { port: readonly number[] }, Url>;
  CreateContainer: Rpc<
    container.CreateContainerRequest,
    container.ContainerRef
  >;
  StartContainer: Rpc<container.ContainerRef, wire.Empty>;
  StopContainer: Rpc<container.StopContainerRequest, wire.Empty>;
  RemoveContainer: Rpc<container.ContainerRef, wire.Empty>;
  ContainerStatus: Rpc<
    Verbose<container.ContainerRef>,
    { status: container.ContainerStatus | null; info: wire.StringMap }
  >;
  ListContainers: Rpc<
    Filtered<container.ContainerFilter>,
    { containers: readonly container.Container[] }
  >;
  UpdateContainerResources: Rpc<
    container.UpdateContainerResourcesRequest,
    wire.Empty
  >;
  ReopenContainerLog: Rpc<container.ContainerRef, wire.Empty>;
  CheckpointContainer: Rpc<container.CheckpointContainerRequest, wire.Empty>;
  ExecSync: Rpc<container.ExecSyncRequest, container.ExecSyncResponse>;
  Exec: Rpc<container.ExecRequest, Url>;
  Attach: Rpc<container.AttachRequest, Url>;
  ContainerStats: Rpc<
    container.ContainerRef,
    { stats: stats.ContainerStats | null }
  >;
  ListContainerStats: Rpc<
    Filtered<stats.ContainerStatsFilter>,
    { stats: readonly stats.ContainerStats[] }
  >;
  PodSandboxStats: Rpc<
    wire.SandboxRef,
    { stats: stats.PodSandboxStats | null }
  >;
  ListPodSandboxStats: Rpc<
    Filtered<stats.PodSandboxStatsFilter>,
    { stats: readonly stats.PodSandboxStats[] }
  >;
  ListMetricDescriptors: Rpc<
    wire.Empty,
    { descriptors: readonly stats.MetricDescriptor[] }
  >;
  ListPodSandboxMetrics: Rpc<
    wire.Empty,
    { podMetrics: readonly stats.PodSandboxMetrics[] }
  >;
}

interface RuntimeStreams {
  GetContainerEvents: Rpc<wire.Empty, container.ContainerEvent>;
  StreamPodSandboxes: Rpc<
    Filtered<wire.PodSandboxFilter>,
    { podSandboxes: readonly wire.PodSandbox[] }
  >;
  StreamContainers: Rpc<
    Filtered<container.ContainerFilter>,
    { containers: readonly container.Container[] }
  >;
  StreamContainerStats: Rpc<
    Filtered<stats.ContainerStatsFilter>,
    { containerStats: readonly stats.ContainerStats[] }
  >;
  StreamPodSandboxStats: Rpc<
    Filtered<stats.PodSandboxStatsFilter>,
    { podSandboxStats: readonly stats.PodSandboxStats[] }
  >;
  StreamPodSandboxMetrics: Rpc<
    wire.Empty,
    { podSandboxMetrics: readonly stats.PodSandboxMetrics[] }
  >;
}

interface ImageMethods {
  ListImages: Rpc<
    Filtered<wire.ImageFilter>,
    { images: readonly wire.Image[] }
  >;
  ImageStatus: Rpc<Verbose<OfImage>, wire.ImageStatusResponse>;
  PullImage: Rpc<wire.PullImageRequest, { imageRef: string }>;
  RemoveImage: Rpc<OfImage, wire.Empty>;
  ImageFsInfo: Rpc<wire.Empty, stats.ImageFsInfoResponse>;
}

interface ImageStreams {
  StreamImages: Rpc<
    Filtered<wire.ImageFilter>,
    { images: readonly wire.Image[] }
  >;
}

type Named<Prefix extends string, Methods> = {
  readonly [Name in keyof Methods & string as `${Prefix}/${Name}`]:
    Methods[Name];
};

/** RPCs with one answer, by full name. */
export type UnaryMethods =
  & Named<"runtime.v1.RuntimeService", RuntimeMethods>
  & Named<"runtime.v1.ImageService", ImageMethods>;

/** RPCs with a stream of answers, by full name. */
export type StreamMethods =
  & Named<"runtime.v1.RuntimeService", RuntimeStreams>
  & Named<"runtime.v1.ImageService", ImageStreams>;

export type UnaryMethod = keyof UnaryMethods;
export type StreamMethod = keyof StreamMethods;
export type Method = UnaryMethod | StreamMethod;
