/**
 * Defaults of one volume.
 * Compat: kubelet 1.36 SetDefaults_Volume and those of the volume sources.
 */
import type { DownwardItem, Projection as Source, Volume } from "./parts.ts";
import { imageTag } from "./image_tag.ts";

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

type Projected = NonNullable<Volume["projected"]>;

export function defaultVolume(given: Volume): Volume {
  const full: Volume = { ...given };
  const hasSource = Object.keys(given).some((field) => field !== "name");
  if (!hasSource) full.emptyDir = {};
  if (given.hostPath !== undefined) {
    full.hostPath = { ...given.hostPath, type: given.hostPath.type ?? "" };
  }
  for (const name of ["secret", "configMap"] as const) {
    const source = given[name];
    if (source === undefined) continue;
    full[name] = { ...source, defaultMode: source.defaultMode ?? FILE_MODE };
  }
  if (given.downwardAPI !== undefined) {
    full.downwardAPI = {
      ...withItems(given.downwardAPI),
      defaultMode: given.downwardAPI.defaultMode ?? FILE_MODE,
    };
  }
  if (given.projected !== undefined) {
    full.projected = defaultProjected(given.projected);
  }
  if (given.image !== undefined && !given.image.pullPolicy) {
    const isLatest = imageTag(given.image.reference ?? "") === "latest";
    const pullPolicy = isLatest ? "Always" : "IfNotPresent";
    full.image = { ...given.image, pullPolicy };
  }
  return full;
}

function defaultProjected(given: Projected): Projected {
  const full = { ...given, defaultMode: given.defaultMode ?? FILE_MODE };
  if (given.sources !== undefined) {
    full.sources = given.sources.map(defaultSource);
  }
  return full;
}

function defaultSource(source: Source): Source {
  const full = { ...source };
  if (source.downwardAPI !== undefined) {
    full.downwardAPI = withItems(source.downwardAPI);
  }
  if (source.serviceAccountToken !== undefined) {
    full.serviceAccountToken = {
      ...source.serviceAccountToken,
      expirationSeconds: source.serviceAccountToken.expirationSeconds ??
        TOKEN_SECONDS,
    };
  }
  return full;
}

function withItems<T extends { items?: DownwardItem[] }>(given: T): T {
  if (given.items === undefined) return given;
  const items = given.items.map((item) =>
    item.fieldRef === undefined ? item : {
      ...item,
      fieldRef: {
        ...item.fieldRef,
        apiVersion: item.fieldRef.apiVersion || "v1",
      },
    }
  );
  return { ...given, items };
}
