/** Runs the promises of a port, each in a world of its own. */

export interface Promises<World> {
  /** `Cgroups (the fake)`. */
  readonly title: string;
  readonly make: () => Promise<World>;
  readonly keep: Readonly<Record<string, (world: World) => Promise<void>>>;
  /** After each, whatever became of it. */
  readonly clear: (world: World) => Promise<void>;
  readonly ignore?: boolean;
}

export function testPromises<World>(promises: Promises<World>): void {
  const { title, make, keep, clear, ignore = false } = promises;
  for (const [promise, check] of Object.entries(keep)) {
    Deno.test({
      name: `${title} ${promise}`,
      ignore,
      fn: async () => {
        const world = await make();
        try {
          await check(world);
        } finally {
          await clear(world);
        }
      },
    });
  }
}
