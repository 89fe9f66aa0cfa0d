/**
 * Reduces a parsed CRI schema to its wire facts: everything that both sides
 * must agree on, and nothing else. Used to compare our texts with the
 * published ones; needs a root parsed with `keepCase`.
 */
import protobuf from "protobufjs";

/** Name of a message, enum or RPC → its facts on one line. */
export type Facts = Record<string, string>;

export function factsOf(root: protobuf.Root): Facts {
  const facts: Facts = {};
  collect(root.lookup("runtime.v1"), facts);
  return Object.fromEntries(
    Object.entries(facts).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

function collect(
  object: protobuf.ReflectionObject | null,
  facts: Facts,
): void {
  const name = object?.fullName.replace(/^\.runtime\.v1\.?/, "") ?? "";
  if (object instanceof protobuf.Type) {
    facts[`message ${name}`] = object.fieldsArray
      .toSorted((a, b) => a.id - b.id).map(fieldFact).join(", ");
  } else if (object instanceof protobuf.Enum) {
    facts[`enum ${name}`] = Object.entries(object.values)
      .sort(([, a], [, b]) => a - b)
      .map(([key, value]) => `${key}=${value}`).join(", ");
  } else if (object instanceof protobuf.Service) {
    for (const rpc of object.methodsArray) {
      facts[`rpc ${name}/${rpc.name}`] = rpcFact(rpc);
    }
  }
  if (object instanceof protobuf.Namespace) {
    for (const nested of object.nestedArray) collect(nested, facts);
  }
}

function fieldFact(field: protobuf.Field): string {
  const type = field instanceof protobuf.MapField
    ? `map<${field.keyType},${field.type}>`
    : field.repeated
    ? `repeated ${field.type}`
    : field.type;
  const oneof = field.partOf === null ? "" : ` in ${field.partOf.name}`;
  return `${field.name}=${field.id}:${type}${oneof}`;
}

function rpcFact(rpc: protobuf.Method): string {
  const request = `${rpc.requestStream ? "stream " : ""}${rpc.requestType}`;
  const response = `${rpc.responseStream ? "stream " : ""}${rpc.responseType}`;
  return `${request} -> ${response}`;
}
