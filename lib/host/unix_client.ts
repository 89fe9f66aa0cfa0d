/**
 * GET over the agent's Unix socket, for the command line. By `node:http`,
 * which needs `--allow-net=unix:<path>` only; `fetch` through a Unix proxy
 * wants net access to the host name in the URL besides.
 */
import { get } from "node:http";
import { AgentError } from "../base/errors.ts";
import { complain, printBytes } from "./process.ts";

export interface UnixResponse {
  readonly status: number;
  readonly contentType: string;
  /** Ends with the response; leaving it early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface UnixClient {
  /** `target` is path and query: `/v1/pods?name=web`. */
  get(target: string, signal: AbortSignal): Promise<UnixResponse>;
}

export function unixClient(socketPath: string): UnixClient {
  return { get: (target, signal) => getOnce(socketPath, target, signal) };
}

function getOnce(
  socketPath: string,
  target: string,
  signal: AbortSignal,
): Promise<UnixResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<UnixResponse>();
  if (signal.aborted) {
    reject(signal.reason);
    return promise;
  }
  // No agent: the connection ends with the answer, and so may the program.
  const options = { socketPath, path: target, agent: false, signal } as const;
  const request = get(options, (response) => {
    resolve({
      status: response.statusCode ?? 0,
      contentType: response.headers["content-type"] ?? "",
      body: response,
    });
  });
  request.on("error", (cause) => {
    const failure = new AgentError(`Cannot reach the agent at ${socketPath}`, {
      next: "retry",
      cause,
    });
    reject(signal.aborted ? signal.reason : failure);
  });
  return promise;
}

/** What the command line needs to ask the agent below a host root. */
export function cliPorts(hostRoot: string) {
  const prefix = hostRoot === "/" ? "" : hostRoot;
  const socketPath = `${prefix}/run/denolet/denolet.sock`;
  return {
    socketPath,
    ...unixClient(socketPath),
    write: printBytes,
    writeError: (text: string) => Promise.resolve(complain(text)),
  };
}
