/**
 * The tag of an image reference, which decides whether it is pulled anew.
 * Compat: kubelet 1.36 pkg/util/parsers ParseImageName: no tag and no digest
 * is `latest`; a digest alone is none.
 */
export function imageTag(reference: string): string {
  const [name = "", digest] = reference.split("@", 2);
  const last = name.slice(name.lastIndexOf("/") + 1);
  const colon = last.indexOf(":");
  if (colon >= 0) return last.slice(colon + 1);
  return digest === undefined ? "latest" : "";
}
