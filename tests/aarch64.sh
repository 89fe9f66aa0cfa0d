#!/bin/sh
# Runs tests as a program for aarch64 on a machine of another kind: Deno for
# aarch64, its system calls translated by qemu. What speaks to the kernel by
# numbers and layouts (lib/host) is right there, too. Takes root and Debian's
# apt; nothing is installed, all is kept in ${XDG_CACHE_HOME:-$HOME/.cache}.
#
#   sh tests/aarch64.sh             lib/host, a minute
#   sh tests/aarch64.sh lib         all fast tests, about ten minutes
#   sh tests/aarch64.sh package     the package of that machine, started as it
#                                   is there, runs a pod on this containerd
#
# Left out are tests that start this very program once more: the kernel does not
# know it by itself.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
# openat2 is translated since qemu 9.2, which Debian has since this.
SUITE=trixie
PACKAGES="qemu-user libc6-arm64-cross libgcc-s1-arm64-cross busybox-static"
PROGRAMS="sh cat dd echo false kill ls mkdir mkfifo printf rm sleep true yes"
LEFT_OUT=/denolet/lib/host/listener_test.ts,/denolet/lib/host/programs_test.ts

say() { echo "aarch64: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

[ -e "$cache/env.sh" ] || fail "needs deploy/prepare.sh first"
# shellcheck disable=SC1091 # written by prepare.sh
. "$cache/env.sh"
version=$("$DENO" --version | sed -n 's/^deno \([0-9.]*\).*/\1/p')
key=$(printf '%s\n' "$version" | cat "$0" - | sha256sum | cut -c 1-16)
root=$cache/aarch64/$key

# fetch FOLDER: Debian packages unpacked below it, from lists of their own.
fetch() {
  apt=$1/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  # shellcheck disable=SC2016 # for apt
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
    grep '/debian/*$' | head -n 1)
  [ -n "$mirror" ] || fail "apt of this machine has no mirror of Debian"
  echo "deb $mirror $SUITE main" >"$apt/sources.list"
  set -- -qq -o "Dir::Etc::sourcelist=$apt/sources.list" \
    -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists" \
    -o "Dir::Cache=$apt/cache" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User=root
  (
    cd "$apt"
    # shellcheck disable=SC2086 # a list of words on purpose
    apt-get "$@" update && apt-get "$@" download $PACKAGES &&
      for each in ./*.deb; do dpkg -x "$each" tree || exit 1; done
  ) >"$apt/log" 2>&1 || {
    tail -n 20 "$apt/log" >&2
    fail "apt cannot fetch $PACKAGES of $SUITE"
  }
}

make() {
  say "getting Deno $version for aarch64, and what it runs on"
  new=$(mktemp -d "$cache/aarch64.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  trap 'exit 1' INT TERM HUP
  fetch "$new"
  (cd "$new" && npm pack --silent "@deno/linux-arm64-glibc@$version" >/dev/null) ||
    fail "npm cannot get @deno/linux-arm64-glibc@$version"
  tar -xzf "$new"/*.tgz -C "$new"
  tree=$new/root
  for each in bin cache/npm dev etc lib proc sys tmp denolet; do
    mkdir -p "$tree/$each"
  done
  cp -a "$new/apt/tree/usr/aarch64-linux-gnu/lib" "$tree/lib/aarch64-linux-gnu"
  ln -s aarch64-linux-gnu/ld-linux-aarch64.so.1 "$tree/lib/"
  install "$new/apt/tree/usr/bin/qemu-aarch64" "$new/package/deno" \
    "$new/apt/tree/usr/bin/busybox" "$tree/bin/"
  for each in $PROGRAMS; do ln -s busybox "$tree/bin/$each"; done
  cp /etc/hosts /etc/passwd /etc/group "$tree/etc/"
  mkdir -p "$cache/aarch64"
  rm -rf "$root"
  mv "$tree" "$root"
  rm -rf "$new"
  trap - EXIT INT TERM HUP
}

[ "$(id -u)" = 0 ] || fail "needs root"
[ -x "$root/bin/deno" ] || make
[ "${1:-}" != package ] || exec sh "$here/tests/aarch64_package.sh" "$root"
packages=$("$DENO" info --json | sed -n 's/.*"npmCache": *"\(.*\)".*/\1/p')
[ -d "$packages" ] || fail "no npm packages: deploy/prepare.sh tools gets them"

# Mounts of a namespace of its own go with it.
# shellcheck disable=SC2016 # for the inner shell
exec unshare --mount --propagation private sh -euc '
  root=$1 checkout=$2 packages=$3
  shift 3
  mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  mount --bind "$checkout" "$root/denolet"
  mount --bind "$packages" "$root/cache/npm"
  mount -o remount,bind,ro "$root/denolet"
  cd /
  export PATH="$PATH:/usr/sbin:/sbin"
  exec chroot "$root" /bin/busybox env -i PATH=/bin HOME=/tmp NO_COLOR=1 \
    DENO_DIR=/cache /bin/qemu-aarch64 /bin/deno test -A --no-check --quiet \
    --cached-only --frozen --config=/denolet/deno.json "$@"
' sh "$root" "$here" "$packages" "--ignore=$LEFT_OUT" "/denolet/${1:-lib/host}"
