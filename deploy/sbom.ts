/**
 * Prints what the program is made of, as CycloneDX 1.6: the npm packages that
 * main.ts reaches, by deno.lock, and Deno. The same inputs give the same bytes.
 *
 *   deno task sbom >denolet.cdx.json
 */
import deno from "../deno.json" with { type: "json" };
import { run } from "./world/command.ts";
import { CHECKOUT } from "./build.ts";

/** What `deno info --json` says of a package. */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly localPath: string;
  readonly dependencies: readonly string[];
}

export interface Part {
  readonly type: "library" | "platform";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly {
    readonly alg: string;
    readonly content: string;
  }[];
  readonly licenses?: readonly { readonly expression: string }[];
}

/** Name, version and the lock file's `integrity` of a package. */
export function partOf(
  name: string,
  version: string,
  { integrity, licence }: {
    readonly integrity: string | undefined;
    readonly licence: string | undefined;
  },
): Part {
  // Compat: purl-spec, npm: the @ of a scope is escaped.
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  const [alg, base64 = ""] = integrity?.split("-") ?? [];
  return {
    ...{ type: "library", "bom-ref": purl, name, version, purl },
    ...(alg === "sha512"
      ? { hashes: [{ alg: "SHA-512", content: hexOf(base64) }] }
      : {}),
    ...(licence === undefined ? {} : { licenses: [{ expression: licence }] }),
  };
}

function hexOf(base64: string): string {
  return Uint8Array.fromBase64(base64).toHex();
}

/** All parts, in the order of their names. */
export async function partsOf(): Promise<readonly Part[]> {
  const found = await run(
    Deno.execPath(),
    ["info", "--json", `${CHECKOUT}main.ts`],
    { cwd: CHECKOUT },
  );
  const { npmPackages }: { npmPackages: Record<string, Package> } = JSON.parse(
    found,
  );
  const lock: {
    npm: Record<string, { readonly integrity?: string }>;
  } = JSON.parse(await Deno.readTextFile(`${CHECKOUT}deno.lock`));
  const locked = new Map(Object.entries(lock.npm));
  const parts = await Promise.all(
    Object.entries(npmPackages).map(async (
      [id, { name, version, localPath }],
    ) =>
      partOf(name, version, {
        integrity: locked.get(id)?.integrity,
        licence: await licenceOf(localPath),
      })
    ),
  );
  return parts.toSorted((a, b) => a.purl < b.purl ? -1 : 1);
}

/** As its package.json says it, where that is an SPDX expression. */
async function licenceOf(folder: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(`${folder}/package.json`);
  const { license }: { license?: unknown } = JSON.parse(text);
  return typeof license === "string" && /^[\w.+() -]+$/.test(license)
    ? license
    : undefined;
}

export function documentOf(parts: readonly Part[]): object {
  const { name, version, license } = deno;
  const purl = `pkg:generic/${name}@${version}`;
  const own = { type: "application", "bom-ref": purl, name, version, purl };
  const runtime: Part = {
    ...{ type: "platform", name: "deno", version: Deno.version.deno },
    "bom-ref": `pkg:generic/deno@${Deno.version.deno}`,
    purl: `pkg:generic/deno@${Deno.version.deno}`,
    licenses: [{ expression: "MIT" }],
  };
  const components = [runtime, ...parts];
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { ...own, licenses: [{ expression: license }] },
    },
    components,
    dependencies: [{
      ref: purl,
      dependsOn: components.map((part) => part["bom-ref"]),
    }],
  };
}

if (import.meta.main) {
  console.log(JSON.stringify(documentOf(await partsOf()), undefined, 2));
}
