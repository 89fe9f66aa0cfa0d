/** A hostile neighbour of the file system, for races. */
import { LIBC_PATHS } from "../../lib/host/libc.ts";

/** Exchanges two names, in a thread of its own, as fast as it can. */
export function exchange(one: string, other: string): Worker {
  const code = `
    const [one, other] = ${JSON.stringify([one, other])}
      .map((each) => new TextEncoder().encode(each + "\\0"));
    for (const path of ${JSON.stringify(LIBC_PATHS)}) {
      try {
        const { symbols } = Deno.dlopen(path, { renameat2: {
          parameters: ["i32", "buffer", "i32", "buffer", "u32"],
          result: "i32",
        } });
        for (;;) symbols.renameat2(-100, one, -100, other, 2);
      } catch (error) { if (!String(error).includes("open")) throw error; }
    }`;
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  return new Worker(url, { type: "module" });
}
