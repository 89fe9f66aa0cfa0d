/**
 * Whether the files that say who this node is and what it may do are closed to
 * others. Pure; main.ts has looked at them.
 */
import { shorten } from "./tree.ts";

export interface FoundFile {
  readonly path: string;
  /** Which flag or field names it. */
  readonly namedBy: string;
  /** Bits that may be set, such as 0o600. */
  readonly mostMode: number;
  readonly mode: number;
  readonly uid: number;
}

/**
 * One line for each file that is too open, with what to do. A warning and no
 * refusal: installers leave such files, kubeadm its config.yaml at 0644.
 * Compat: CIS Kubernetes Benchmark 4.1.5 to 4.1.10
 */
export function openFiles(files: readonly FoundFile[]): readonly string[] {
  return files.flatMap(({ path, namedBy, mostMode, mode, uid }) => {
    const name = shorten(path);
    const has = octal(mode & 0o777);
    const wanted = octal(mostMode);
    const isOpen = (mode & 0o777 & ~mostMode) !== 0;
    return [
      ...(isOpen
        ? [
          `${name} (${namedBy}) has mode ${has}, and ${wanted} or less is ` +
          `wanted: chmod ${wanted} ${name}`,
        ]
        : []),
      ...(uid === 0 ? [] : [
        `${name} (${namedBy}) belongs to user ${uid}, and root is wanted: ` +
        `chown root:root ${name}`,
      ]),
    ];
  });
}

function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, "0")}`;
}
