/**
 * The calls that libc.ts makes, as the C library has them. Data only. Names
 * that end in `Aside` run off the main thread; their errno stays there.
 */

export const SYMBOLS = {
  openat2Aside: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "buffer", "i64"],
    result: "i64",
    nonblocking: true,
  },
  openat2: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "buffer", "i64"],
    result: "i64",
  },
  statx: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "i64", "i64", "buffer"],
    result: "i64",
  },
  getdents64: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "i64"],
    result: "i64",
  },
  fsopen: {
    name: "syscall",
    parameters: ["i64", "buffer", "i64"],
    result: "i64",
  },
  fsconfig: {
    name: "syscall",
    parameters: ["i64", "i64", "i64", "buffer", "buffer", "i64"],
    result: "i64",
  },
  mount: {
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
  },
  mountAside: {
    name: "mount",
    parameters: ["buffer", "buffer", "buffer", "u64", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  umount2Aside: {
    name: "umount2",
    parameters: ["buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  readlinkat: {
    parameters: ["i32", "buffer", "buffer", "usize"],
    result: "i64",
  },
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  unlinkatAside: {
    name: "unlinkat",
    parameters: ["i32", "buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchownat: {
    parameters: ["i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
  fchmodat: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  pollAside: {
    name: "poll",
    parameters: ["buffer", "u64", "i32"],
    result: "i32",
    nonblocking: true,
  },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  /** Of the GNU C library alone. */
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true },
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i64" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i64" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i64" },
  preadAside: {
    name: "pread",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i64",
    nonblocking: true,
  },
  readAside: {
    name: "read",
    parameters: ["i32", "buffer", "usize"],
    result: "i64",
    nonblocking: true,
  },
  writeAside: {
    name: "write",
    parameters: ["i32", "buffer", "usize"],
    result: "i64",
    nonblocking: true,
  },
  fsyncAside: {
    name: "fsync",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "i64",
  },
  // Its argument holds addresses, so it lies where we have one: see `malloc`.
  recvmsg: { parameters: ["i32", "usize", "i32"], result: "i64" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  malloc: { parameters: ["usize"], result: "usize" },
  free: { parameters: ["usize"], result: "void" },
  /** Into memory of `malloc`, and out of it. */
  copyIn: {
    name: "memcpy",
    parameters: ["usize", "buffer", "usize"],
    result: "void",
  },
  copyOut: {
    name: "memcpy",
    parameters: ["buffer", "usize", "usize"],
    result: "void",
  },
  __errno_location: { parameters: [], result: "pointer" },
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;
