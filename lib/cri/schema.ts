/**
 * The CRI's messages and services as protobufjs knows them, parsed from the
 * texts in `proto/`. The only importer of those texts; `channel.ts` calls it
 * once for each channel.
 */
import protobuf from "protobufjs";
import runtime from "../../proto/runtime.proto" with { type: "text" };
import container from "../../proto/runtime_container.proto" with {
  type: "text",
};
import exec from "../../proto/runtime_exec.proto" with { type: "text" };
import image from "../../proto/runtime_image.proto" with { type: "text" };
import sandbox from "../../proto/runtime_sandbox.proto" with { type: "text" };
import stats from "../../proto/runtime_stats.proto" with { type: "text" };
import types from "../../proto/runtime_types.proto" with { type: "text" };

/** How one RPC looks on the wire. */
export interface RpcShape {
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
  readonly isStream: boolean;
}

const TEXTS = [runtime, types, sandbox, container, exec, image, stats];
const SERVICES = ["runtime.v1.RuntimeService", "runtime.v1.ImageService"];

/**
 * Parses the texts; about 10 ms. `keepCase` leaves field names as they are
 * written instead of turning them into camel case.
 */
export function parseSchema(options?: { keepCase: boolean }): protobuf.Root {
  const root = new protobuf.Root();
  for (const text of TEXTS) {
    protobuf.parse(text, root, { keepCase: options?.keepCase ?? false });
  }
  root.resolveAll();
  return root;
}

/** Every RPC of both services, by full name. */
export function rpcShapes(root: protobuf.Root): ReadonlyMap<string, RpcShape> {
  const shapes = new Map<string, RpcShape>();
  for (const name of SERVICES) {
    for (const method of root.lookupService(name).methodsArray) {
      const fullName = `${name}/${method.name}`;
      shapes.set(fullName, {
        path: `/${fullName}`,
        request: root.lookupType(`runtime.v1.${method.requestType}`),
        response: root.lookupType(`runtime.v1.${method.responseType}`),
        isStream: method.responseStream === true,
      });
    }
  }
  return shapes;
}
