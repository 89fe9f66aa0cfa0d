/** Where servers of tests listen. */
import type { Server } from "node:net";

type Where = { readonly host: string } | { readonly path: string };

/** On a free port of loopback unless told otherwise; resolves with the port. */
export async function listening(
  server: Server,
  where: Where = { host: "127.0.0.1" },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen("path" in where ? where : { ...where, port: 0 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return portOf(server);
}

/** 0 on a Unix socket, and while nobody listens. */
export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" ? address?.port ?? 0 : 0;
}
