#!/bin/sh
# The package for aarch64, started by its own first lines on a machine of
# another kind: in a user namespace the kernel is told whom to start such
# programs with (that is each namespace's own since Linux 6.7), and `uname` has
# another answer. There it runs a pod without a cluster on a scratch containerd
# of this machine. Called by aarch64.sh with the folder that has qemu and Deno.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tools=$1
# One of those that the set `scratch` knows.
world=test
place=/var/tmp/denolet/$world
own=$(mktemp -d)
agent=
WORDS="from a node of another kind"

say() { echo "aarch64: $*" >&2; }
fail() {
  say "$*"
  tail -n 20 "$own/log" >&2 || :
  exit 1
}
# until_true SECONDS WHAT COMMAND...
until_true() {
  left=$1 what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "waited in vain for $what"
    sleep 1
  done
}
denolet() {
  "$DENO" run -q --no-prompt -P=scratch main.ts "$@" --host-root="$place"
}
runs() { denolet pods | grep -q "pod-$world .* Running"; }
is_gone() { ! denolet pods | grep -q "pod-$world"; }
speaks() { denolet logs "pod-$world" | grep -qx "$WORDS"; }
ended() { ! kill -0 "$agent"; }
down() {
  [ -z "$agent" ] || kill "$agent" 2>/dev/null || :
  "$DENO" run -A deploy/world.ts down "$world" || :
  rm -rf "$own"
}

# shellcheck disable=SC1091 # written by prepare.sh
. "${XDG_CACHE_HOME:-$HOME/.cache}/denolet/env.sh"
cd "$here"
[ ! -e "$place" ] || {
  rm -rf "$own"
  say "world $world is in use: deno run -A deploy/world.ts down $world"
  exit 1
}
trap down EXIT
trap 'exit 1' INT TERM HUP

"$DENO" run -A deploy/package.ts --target=aarch64-unknown-linux-gnu \
  "--deno=$tools/bin/deno" --set=scratch "--output=$own/denolet.run"
"$DENO" run -A deploy/world.ts up "$world"

# The first 20 bytes of an ELF program, 64 bits, little-endian, for aarch64.
MAGIC='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '#!/bin/sh\necho aarch64\n' >"$own/uname"
chmod +x "$own/uname"
cat >"$own/start" <<SCRIPT
set -eu
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
printf %s ':aarch64:M::$MAGIC:$MASK:$tools/bin/qemu-aarch64:F' \
  >/proc/sys/fs/binfmt_misc/register
export PATH=$own:$PATH QEMU_LD_PREFIX=$tools DENOLET_HOME=$own/home
exec "\$@"
SCRIPT

start() { exec unshare --map-root-user --mount sh "$own/start" "$@"; }

(start "$own/denolet.run" version) >"$own/log" 2>&1 ||
  fail "it does not start; user namespaces have binfmt_misc since Linux 6.7"
grep -q "^form *package, aarch64-unknown-linux-gnu$" "$own/log" ||
  fail "it is not what it should be"
cat "$own/log"

start "$own/denolet.run" "--config=$place/etc/denolet/config.yaml" \
  "--hostname-override=$world" "--host-root=$place" >"$own/log" 2>&1 &
agent=$!
cat >"$place/etc/kubernetes/manifests/pod.yaml" <<POD
apiVersion: v1
kind: Pod
metadata: { name: pod }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: app
      image: docker.io/library/busybox:latest
      imagePullPolicy: IfNotPresent
      command: [sh, -c, "echo $WORDS; exec sleep 1000"]
POD
until_true 120 "the pod" runs
until_true 30 "its log" speaks
denolet pods
rm "$place/etc/kubernetes/manifests/pod.yaml"
until_true 60 "the pod to go" is_gone
kill "$agent"
until_true 30 "the agent to end" ended
agent=
say "ok: the package for aarch64 ran a pod, and ended it"
