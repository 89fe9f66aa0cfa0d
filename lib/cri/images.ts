/**
 * The image store behind `port/images.ts`, spoken to over the CRI. Its channel
 * may lead to another socket than the runtime's. Keeps no state.
 */
import { AgentError } from "../base/errors.ts";
import type { Image, ImageAsk, Images, PullRequest } from "../port/images.ts";
import type { FilesystemUsage } from "../port/runtime_status.ts";
import type { Channel } from "./channel.ts";
import { absentIsUndefined, toPullError } from "./errors.ts";
import { imageSpec } from "./translate_spec.ts";
import * as tell from "./translate_stats.ts";

const SERVICE = "runtime.v1.ImageService";

export class CriImages implements Images {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async list(signal: AbortSignal): Promise<readonly Image[]> {
    const answer = await this.#channel.unary(
      `${SERVICE}/ListImages`,
      {},
      { doing: "list images", signal },
    );
    return answer.images.map(tell.image);
  }

  async status(
    request: ImageAsk,
    signal: AbortSignal,
  ): Promise<Image | undefined> {
    const answer = await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/ImageStatus`,
      { image: imageSpec(request) },
      { doing: `ask for the status of image ${request.image}`, signal },
    ));
    const found = answer?.image ?? null;
    return found === null ? undefined : tell.image(found);
  }

  /**
   * The CRI tells nothing about the progress of a pull, so there is no
   * deadline here: the runtime ends a pull that makes no progress, and the
   * caller may abort. Compat: kubelet 1.36 PullImage has none either.
   */
  async pull(request: PullRequest, signal: AbortSignal): Promise<string> {
    const doing = `pull image ${request.image}`;
    try {
      const answer = await this.#channel.unary(
        `${SERVICE}/PullImage`,
        tell.pullRequest(request),
        { doing, deadlineMs: "none", signal },
      );
      if (answer.imageRef !== "") return answer.imageRef;
    } catch (error) {
      throw toPullError(error, request.image);
    }
    throw new AgentError(`Cannot ${doing}: the runtime gave no reference`, {
      next: "retry",
      reason: "ErrImagePull",
    });
  }

  async remove(image: string, signal: AbortSignal): Promise<void> {
    await absentIsUndefined(this.#channel.unary(
      `${SERVICE}/RemoveImage`,
      { image: imageSpec({ image, runtimeHandler: "" }) },
      { doing: `remove image ${image}`, signal },
    ));
  }

  async usage(signal: AbortSignal): Promise<{
    readonly images: readonly FilesystemUsage[];
    readonly containers: readonly FilesystemUsage[];
  }> {
    const answer = await this.#channel.unary(
      `${SERVICE}/ImageFsInfo`,
      {},
      { doing: "ask for the image file system's use", signal },
    );
    return {
      images: answer.imageFilesystems.map(tell.filesystemUsage),
      containers: answer.containerFilesystems.map(tell.filesystemUsage),
    };
  }
}
