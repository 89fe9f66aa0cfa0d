/**
 * What a pod can show to a registry, in the order in which it is tried: its
 * pull secrets, the node's docker configuration, credential plugins.
 * Compat: kubelet 1.36 getPullSecretsForPod, MakeDockerKeyring.
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import { objectIn } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { namespaceOf, podNameOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { ApiObject, ClusterObjects } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import type { Recorder } from "../port/recorder.ts";
import type { Credential } from "./credential.ts";
import { type Logins, parseDockerConfig } from "./docker_config.ts";
import { Keyring } from "./keyring.ts";
import type { CredentialPlugin } from "./plugin.ts";
import { repositoryOf } from "./reference.ts";

const LARGEST_BYTES = 10 << 20;

export interface CredentialPorts {
  /** Undefined on a standalone node. */
  readonly secrets: Pick<ClusterObjects, "secret"> | undefined;
  /** Follows links; for the node's own configuration. */
  readonly nodeFiles: Pick<Files, "read">;
  readonly recorder: Recorder;
  readonly log: Logger;
}

export interface CredentialPlaces {
  /** Directories that may hold the node's configuration, best first. */
  readonly directories: readonly string[];
  readonly plugins: readonly CredentialPlugin[];
}

export interface Gathered {
  readonly credentials: readonly Credential[];
  /** Why there may be fewer than there should be; no secrets in it. */
  readonly complaints: readonly string[];
}

export class PodCredentials {
  readonly #ports: CredentialPorts;
  readonly #places: CredentialPlaces;

  constructor(ports: CredentialPorts, places: CredentialPlaces) {
    this.#ports = ports;
    this.#places = places;
  }

  /** Rejects when a pull secret is there and cannot be read. */
  async gather(
    pod: V1Pod | undefined,
    image: string,
    signal: AbortSignal,
  ): Promise<Gathered> {
    const repository = repositoryOf(image);
    if (repository === undefined) return { credentials: [], complaints: [] };
    const ofPod = new Keyring();
    const missing = pod === undefined
      ? []
      : await this.#addSecrets(pod, ofPod, signal);
    const ofNode = new Keyring();
    ofNode.add({ kind: "node" }, await this.#nodeLogins());
    const ofPlugins = new Keyring();
    const failed = await this.#addPlugins(
      { pod, repository },
      ofPlugins,
      signal,
    );
    return {
      credentials: [ofPod, ofNode, ofPlugins]
        .flatMap((keyring) => keyring.lookup(repository)),
      complaints: [...missing, ...failed],
    };
  }

  async #addSecrets(
    pod: V1Pod,
    keyring: Keyring,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const names = (pod.spec?.imagePullSecrets ?? [])
      .flatMap(({ name = "" }) => name === "" ? [] : [name]);
    const found = await Promise.all(
      names.map((name) => this.#secret(pod, name, signal)),
    );
    const missing = names.filter((_, index) => found[index] === undefined);
    if (missing.length > 0) {
      this.#ports.recorder.record(uidOf(pod), {
        type: "Warning",
        reason: "FailedToRetrieveImagePullSecret",
        message: "Unable to retrieve some image pull secrets " +
          `(${missing.join(", ")}); attempting to pull the image may not ` +
          "succeed.",
      });
    }
    for (const secret of found) {
      if (secret === undefined) continue;
      const { namespace, name, uid, logins } = secret;
      keyring.add({ kind: "secret", at: { namespace, name, uid } }, logins);
    }
    return missing.map((name) => `pull secret ${name} is not to be had`);
  }

  async #secret(pod: V1Pod, name: string, signal: AbortSignal) {
    const namespace = namespaceOf(pod);
    let found: ApiObject | undefined;
    try {
      found = await this.#ports.secrets?.secret({ namespace, name }, signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      this.#ports.log.info("Cannot get a pull secret", {
        secret: `${namespace}/${name}`,
        error: chainOf(error),
      });
    }
    if (found === undefined) return undefined;
    const metadata = objectIn(found, "metadata");
    const logins = loginsOfSecret(found);
    if (typeof logins === "string") {
      throw new AgentError(
        `Cannot read pull secret ${namespace}/${name}: ${logins}`,
        { next: "retry", reason: "ErrImagePull" },
      );
    }
    return { namespace, name, uid: String(metadata.uid ?? ""), logins };
  }

  /**
   * Compat: kubelet 1.36 ReadDockerConfigFile: the first file that can be
   * read, `config.json` before the old form.
   */
  async #nodeLogins(): Promise<Logins> {
    const { directories } = this.#places;
    for (
      const [file, format] of [
        ["config.json", "config-json"],
        [".dockercfg", "dockercfg"],
      ] as const
    ) {
      for (const directory of directories) {
        const logins = await this.#nodeFile(`${directory}/${file}`, format);
        if (logins !== undefined) return logins;
      }
    }
    return [];
  }

  async #nodeFile(
    path: string,
    format: "config-json" | "dockercfg",
  ): Promise<Logins | undefined> {
    try {
      const bytes = await this.#ports.nodeFiles.read(path, LARGEST_BYTES);
      if (bytes === undefined) return undefined;
      const parsed = parseDockerConfig(new TextDecoder().decode(bytes), format);
      if (parsed.kind === "ok") return parsed.logins;
      this.#ports.log.warn("Cannot use a docker configuration", {
        path,
        error: parsed.why,
      });
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.#ports.log.warn("Cannot read a docker configuration", {
        path,
        error: chainOf(error),
      });
    }
    return undefined;
  }

  /** Compat: a plugin that fails is passed over. */
  async #addPlugins(
    { pod, repository }: {
      readonly pod: V1Pod | undefined;
      readonly repository: string;
    },
    keyring: Keyring,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { plugins } = this.#places;
    if (pod === undefined || plugins.length === 0) return [];
    const account = {
      ...podNameOf(pod),
      uid: uidOf(pod),
      serviceAccount: pod.spec?.serviceAccountName ?? "",
    };
    const complaints: string[] = [];
    for (const plugin of plugins) {
      try {
        const provided = await plugin.provide(repository, account, signal);
        if (provided !== undefined) {
          keyring.add(provided.source, provided.logins);
        }
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        if (!(error instanceof AgentError)) throw error;
        this.#ports.log.error("Cannot get image credentials from a plugin", {
          plugin: plugin.name,
          image: repository,
          pod: `${account.namespace}/${account.name}`,
          error: chainOf(error),
        });
        complaints.push(chainOf(error));
      }
    }
    return complaints;
  }
}

/** What is wrong with it, or its logins; none when it is of another type. */
function loginsOfSecret(secret: ApiObject): Logins | string {
  const data = objectIn(secret, "data");
  const [key, format] = secret.type === "kubernetes.io/dockerconfigjson"
    ? [".dockerconfigjson", "config-json"] as const
    : secret.type === "kubernetes.io/dockercfg"
    ? [".dockercfg", "dockercfg"] as const
    : [undefined, "dockercfg"] as const;
  const value = key === undefined ? undefined : data[key];
  if (typeof value !== "string" || value === "") return [];
  const text = decodeBase64(value);
  if (text === undefined) return "its content is not base64";
  const parsed = parseDockerConfig(text, format);
  return parsed.kind === "ok" ? parsed.logins : parsed.why;
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
