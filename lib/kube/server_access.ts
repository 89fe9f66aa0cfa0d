/** What a kubeconfig takes of the machine and the network. Pure. */
import { isAbsolute } from "node:path/posix";
import type { ServerAccess } from "../config/needs.ts";
import { parseKubeconfig } from "./translate_kubeconfig.ts";

/**
 * `undefined`: it cannot be used as it is; whoever joins the cluster by it
 * says so, and waits for a better one.
 */
export function serverAccess(
  { flag, path, text }: {
    /** The flag that names the file. */
    readonly flag: string;
    readonly path: string;
    readonly text: string;
  },
): ServerAccess | undefined {
  try {
    const access = parseKubeconfig(text, path);
    const { ca, certificate, key, tokenPath } = access;
    const command = access.exec?.command;
    return {
      flag,
      server: access.server,
      proxyUrl: access.proxyUrl,
      // A bare name is looked up in PATH by whoever starts it.
      program: command !== undefined && isAbsolute(command)
        ? command
        : undefined,
      files: [
        ...[ca, certificate, key].flatMap((each) =>
          each?.kind === "file" ? [each.path] : []
        ),
        ...(tokenPath === undefined ? [] : [tokenPath]),
      ],
    };
  } catch {
    return undefined;
  }
}
