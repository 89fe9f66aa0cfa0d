/**
 * The signals a container may ask to be stopped with.
 * Compat: kubelet 1.36 supportedStopSignalsLinux.
 */
const NAMED = "SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP " +
  "SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT " +
  "SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU " +
  "SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ";
const MOST_ABOVE_LEAST = 15;
const MOST_BELOW_GREATEST = 14;

export function linuxSignals(): readonly string[] {
  return [
    ...NAMED.split(" "),
    "SIGRTMIN",
    ...numbered("SIGRTMIN+", MOST_ABOVE_LEAST),
    ...numbered("SIGRTMAX-", MOST_BELOW_GREATEST).reverse(),
    "SIGRTMAX",
  ];
}

function numbered(prefix: string, most: number): string[] {
  return Array.from({ length: most }, (_, index) => `${prefix}${index + 1}`);
}
