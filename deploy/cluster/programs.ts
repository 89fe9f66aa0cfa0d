/**
 * Finds the programs that deploy/control_plane.sh makes, and has it make those
 * that are missing: minutes, once a machine.
 */
const SCRIPT = new URL("../control_plane.sh", import.meta.url).pathname;

/** Resolves when every program of `part` is there; fails with the reason. */
export async function needPrograms(
  part: "all" | "server" | "kubelet" | "e2e" | "metrics",
): Promise<void> {
  const child = new Deno.Command("/bin/sh", {
    args: [SCRIPT, part],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let words = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    // Shown as it comes: a build takes minutes.
    console.error(text.trimEnd());
    words += text;
  }
  if (!(await child.status).success) {
    throw new Error(`Cannot get the control plane: ${words.trim()}`);
  }
}

/** The path of one program, in the order that control_plane.sh looks. */
export async function findProgram(name: string): Promise<string> {
  const home = Deno.env.get("HOME") ?? "/root";
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`;
  const folders = [
    Deno.env.get("DENOLET_CONTROL_PLANE_BIN") ?? "",
    `${cache}/denolet/bin`,
    // Only kubectl is taken from the machine: of the rest, no other release.
    ...(name === "kubectl" ? (Deno.env.get("PATH") ?? "").split(":") : []),
  ];
  for (const folder of folders.filter((each) => each !== "")) {
    const path = `${folder}/${name}`;
    const found = await Deno.stat(path).catch(() => undefined);
    if (found?.isFile === true) return path;
  }
  throw new Error(`Cannot find ${name}: run sh deploy/control_plane.sh first`);
}
