#!/bin/sh
# denolet @VERSION@ with its own runtime, made by `deno task package`. The first
# start unpacks what follows this text below $DENOLET_HOME (/var/lib/denolet);
# each start checks that it is whole and is then replaced by the program.
set -eu
name=${0##*/}
fail() {
  echo "denolet: $*" >&2
  exit 1
}
machine=$(uname -m)
[ "$machine" = @MACHINE@ ] ||
  fail "Cannot start $0: it is for @MACHINE@, and this machine is $machine"
size=$(stat -L -c %s "$0") || fail "Cannot start $0: it cannot be read"
[ "$size" -eq @SIZE@ ] ||
  fail "Cannot start $0: it has $size bytes of @SIZE@; copy it again"
home=${DENOLET_HOME:-/var/lib/denolet}
own=$home/@DIGEST@

# unpack: all or nothing, also when two do it at once.
unpack() {
  found=$(tail -c +@OFFSET@ "$0" | sha256sum)
  [ "${found%% *}" = @SUM@ ] ||
    fail "Cannot start $0: its content has changed (SHA-256 is not @SUM@); copy it again"
  mkdir -p -m 0700 "$home" 2>/dev/null && new=$(mktemp -d "$home/.new.XXXXXX" 2>/dev/null) ||
    fail "Cannot unpack into $home: it cannot be written; name another directory: DENOLET_HOME=/path"
  trap 'rm -rf "$new"' EXIT
  trap 'exit 1' INT TERM HUP
  said=$(tail -c +@OFFSET@ "$0" | tar -xzC "$new" 2>&1) || {
    rm -rf "$new"
    free=$(df -Pm "$home" | awk 'NR == 2 { print $4 }')
    fail "Cannot unpack into $home: it takes @MEBIBYTES@ MiB, and $free MiB are free ($(echo "$said" | head -n 1))"
  }
  sync "$new/deno" "$new/denolet.js" "$new/deno.json" 2>/dev/null || :
  said=$("$new/deno" --version 2>&1) ||
    fail "Cannot run $home/…/deno: $(echo "$said" | head -n 1); it needs glibc 2.35 or newer, and a file system that allows programs"
  # Whoever comes second finds it there.
  mv -T "$new" "$own" 2>/dev/null || [ -d "$own" ] ||
    fail "Cannot move $new to $own"
  rm -rf "$new"
  trap - EXIT INT TERM HUP
}

[ -d "$own" ] || unpack
[ -O "$own" ] || fail "Cannot trust $own: it is not owned by the user who starts this"
[ "$(stat -c %s "$own/deno" 2>/dev/null)" = @DENO_SIZE@ ] &&
  printf '%s\n' "@SCRIPT_SUM@  $own/denolet.js" "@CONFIG_SUM@  $own/deno.json" |
  sha256sum --check --status 2>/dev/null ||
  fail "Cannot start from $own: it has changed; remove it, and the next start unpacks it again"
[ -e "$own/$name" ] || name=denolet
# Nothing of these may change what it is allowed.
unset DENO_V8_FLAGS DENO_PERMISSION_BROKER_PATH NODE_OPTIONS
export DENO_DIR="$own/cache" DENO_NO_UPDATE_CHECK=1
# Compiled code that is kept on the disk is mapped for as long as it runs.
exec "$own/$name" run --quiet --no-prompt --no-lock --cached-only \
  --no-code-cache "--config=$own/deno.json" -P=@SET@ "--v8-flags=@V8_FLAGS@" \
  "$own/denolet.js" "$@"
