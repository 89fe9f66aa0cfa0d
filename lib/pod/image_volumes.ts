/**
 * Images that containers mount as volumes: are they there, and what are they
 * called by the runtime? The image runner fetches them like any other.
 * Compat: kubelet 1.36 getImageVolumes, toKubeContainerImageVolumes.
 */
import type { V1Container, V1Pod, V1Volume } from "../api/types.ts";
import type { ImageState } from "../image/types.ts";
import type { Facts } from "./facts.ts";

const PREFIX = "volume:";

/** As the image runner knows it: no container can be named so. */
export function imageVolumeKey(volume: string): string {
  return `${PREFIX}${volume}`;
}

/** The image volumes that this container mounts. */
export function mountedImages(pod: V1Pod, container: V1Container): V1Volume[] {
  const mounted = new Set(container.volumeMounts?.map(({ name }) => name));
  return (pod.spec?.volumes ?? []).filter(({ name, image }) =>
    image !== undefined && mounted.has(name)
  );
}

/** What is known of it, if it is about the image that the pod wants now. */
export function imageVolumeState(
  { images }: Facts,
  volume: V1Volume,
): ImageState | undefined {
  const known = images.get(imageVolumeKey(volume.name));
  return known?.image === imageOf(volume) ? known : undefined;
}

/** Refs by volume name, of those that are there. */
export function imageRefs(
  facts: Facts,
  pod: V1Pod,
  container: V1Container,
): ReadonlyMap<string, string> {
  return new Map(
    mountedImages(pod, container).flatMap((volume) => {
      const state = imageVolumeState(facts, volume);
      return state?.kind === "present" ? [[volume.name, state.ref]] : [];
    }),
  );
}

/** Shaped as a container, for whoever asks for images. */
export function asContainer(volume: V1Volume): V1Container {
  const policy = volume.image?.pullPolicy;
  return {
    name: imageVolumeKey(volume.name),
    image: imageOf(volume),
    ...policy === undefined ? {} : { imagePullPolicy: policy },
  };
}

function imageOf({ image }: V1Volume): string {
  return image?.reference ?? "";
}
