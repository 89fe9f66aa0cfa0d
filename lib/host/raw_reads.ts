/**
 * Stops reading from the connection below a TLS socket, and goes on. `pause`
 * of Deno's TLS sockets (2.9.6) only stops telling: below, it reads on and
 * keeps all of it, gigabytes from who sends them. There is no public name for
 * what is stopped here; node_listener_test.ts notices when it is gone.
 */

export function holdReads(socket: object): void {
  callBelow(socket, "readStop");
}

/** Where nothing is held it changes nothing. */
export function letReads(socket: object): void {
  callBelow(socket, "readStart");
}

/** A connection that is over has nothing below, a plain one neither. */
function callBelow(socket: object, name: "readStop" | "readStart"): void {
  const handle = memberOf(memberOf(socket, "_parent"), "_handle");
  const method = memberOf(handle, name);
  if (typeof method === "function") Reflect.apply(method, handle, []);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Reflect.get(value, name)
    : undefined;
}
