/**
 * `OwnProcess` on Linux. The files are opened by the C library, as Deno allows
 * nobody below /proc.
 * Compat: kubelet 1.36 isProcessRunningInHost, applyOOMScoreAdj.
 */
import type { OwnProcess } from "../port/processes.ts";
import { AT_FDCWD, cString, O_WRONLY } from "./abi.ts";
import { failure } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { kernelText } from "./node_texts.ts";

/** The kernel's first namespace has this number on every machine. */
const FIRST_NAMESPACE = "pid:[4026531836]";
const SCORE = "/proc/self/oom_score_adj";

export class LinuxOwnProcess implements OwnProcess {
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  get pid(): number {
    return Deno.pid;
  }

  isOfHost(): boolean | string {
    const [first, own] = ["1", "self"].map((who) =>
      this.#libc.readLinkAt(AT_FDCWD, cString(`/proc/${who}/ns/pid`))
    );
    // Not everybody may look at the first process.
    if (own === FIRST_NAMESPACE) return true;
    if (typeof first === "number") {
      return failure("Cannot look at the first process", -first).message;
    }
    return first === own;
  }

  setOomScoreAdj(score: number): string | undefined {
    const text = String(score);
    if (kernelText(this.#libc, SCORE)?.trim() === text) return undefined;
    const how = { flags: O_WRONLY, resolve: 0 };
    const fd = this.#libc.openAt(AT_FDCWD, cString(SCORE), how);
    if (fd < 0) return failure(`Cannot write ${SCORE}`, -fd).message;
    const done = this.#libc.writeNow(fd, new TextEncoder().encode(text));
    this.#libc.closeFd(fd);
    if (done >= 0) return undefined;
    return failure(`Cannot write ${text} to ${SCORE}`, -done).message;
  }
}
