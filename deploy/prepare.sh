#!/bin/sh
# Makes a bare Debian or Ubuntu machine able to run and test denolet: root, and
# only package registries within reach. Does what is missing and nothing else;
# prints nothing when there is nothing to do.
#
#   sh deploy/prepare.sh [all]      everything below
#   sh deploy/prepare.sh tools      Deno and the npm packages of deno.json
#   sh deploy/prepare.sh runtime    runc, CNI plugins, containerd, images
#   sh deploy/prepare.sh vm         qemu, and what makes deploy/vm/image.sh; not
#                                   in `all`
#
# What is fetched or built is kept in ${XDG_CACHE_HOME:-$HOME/.cache}/denolet:
#   bin/      deno, containerd, ctr, containerd-shim-runc-v2
#   runc/     a runc for user namespaces, where the machine's own is too old
#   images/   *.tar, OCI layouts made on the spot from busybox
#   env.sh    to be sourced: DENO, DENOLET_CONTAINERD_BIN, DENOLET_RUNC,
#             DENOLET_CACHE
#
# DENOLET_BIN_DIR names a folder of ready-made binaries, which is looked at
# before PATH and before the cache.
set -eu

DENO_WANTED=2.9.0
DENO_RELEASE=2.9.6
CONTAINERD_WANTED=2.0.0
CONTAINERD_RELEASE=2.4.2
# The first that gives pods ids of their own, and the one that is built.
RUNC_WANTED=1.2.0
RUNC_RELEASE=1.4.3
# Grows with every change of make_images, so that old tars are made anew.
IMAGE_RECIPE=1

checkout=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
# A login shell's PATH may lack these, and Go's own installer uses the last.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
export PATH

say() { echo "prepare: $*" >&2; }
fail() {
  say "$*"
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# at_least HAVE WANTED
at_least() {
  [ -n "$1" ] &&
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# need_packages PACKAGE...: installs Debian packages; the lists are fetched
# only when the ones on the machine do not do.
need_packages() {
  has apt-get || fail "needs apt-get to install: $*"
  [ "$(id -u)" = 0 ] || fail "needs root to install: $*"
  say "installing Debian packages: $*"
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  if ! install_packages "$@" >"$cache/apt.log" 2>&1; then
    apt-get update -q >>"$cache/apt.log" 2>&1 || true
    install_packages "$@" >>"$cache/apt.log" 2>&1 || {
      tail -n 20 "$cache/apt.log" >&2
      fail "cannot install: $*"
    }
  fi
}
install_packages() { apt-get install -q -y --no-install-recommends "$@"; }

# first_of NAME CHECK: the first binary called NAME that passes CHECK.
first_of() {
  for candidate in ${DENOLET_BIN_DIR:+"$DENOLET_BIN_DIR/$1"} \
    "$(command -v "$1" || true)" "$cache/bin/$1"; do
    if [ -x "$candidate" ] && "$2" "$candidate"; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

is_deno() {
  at_least "$("$1" --version 2>/dev/null | awk 'NR == 1 { print $2 }')" \
    "$DENO_WANTED"
}

containerd_version() {
  "$1" --version 2>/dev/null | awk '{ sub(/^v/, "", $3); print $3 }'
}
has_companions() {
  for companion in ctr containerd-shim-runc-v2; do
    [ -x "$(dirname "$1")/$companion" ] || return 1
  done
}
is_containerd() {
  has_companions "$1" &&
    at_least "$(containerd_version "$1")" "$CONTAINERD_WANTED"
}
is_any_containerd() { has_companions "$1"; }

get_deno() {
  first_of deno is_deno >/dev/null && return 0
  scratch=$(mktemp -d "$cache/deno.XXXXXX")
  if has npm; then
    say "getting Deno $DENO_RELEASE by npm"
    # The postinstall script only links the binary we copy ourselves.
    npm install --silent --ignore-scripts --no-audit --no-fund \
      --prefix "$scratch" "deno@$DENO_RELEASE" >"$cache/deno.log" 2>&1 || {
      tail -n 20 "$cache/deno.log" >&2
      fail "npm cannot install deno@$DENO_RELEASE"
    }
    found=$(find "$scratch/node_modules/@deno" -name deno -type f | head -n 1)
  else
    python3 -m pip --version >/dev/null 2>&1 ||
      need_packages python3-minimal python3-pip
    say "getting Deno $DENO_RELEASE by pip"
    python3 -m pip install --quiet --no-deps --target "$scratch" \
      "deno==$DENO_RELEASE" >"$cache/deno.log" 2>&1 || {
      tail -n 20 "$cache/deno.log" >&2
      fail "pip cannot install deno==$DENO_RELEASE"
    }
    found=$scratch/bin/deno
  fi
  [ -f "$found" ] || fail "the deno package has no binary for $(uname -m)"
  install -D -m 0755 "$found" "$cache/bin/deno"
  rm -rf "$scratch"
  is_deno "$cache/bin/deno" || fail "$cache/bin/deno does not run"
}

get_npm_packages() {
  (cd "$checkout" && "$(first_of deno is_deno)" install --quiet) ||
    fail "cannot fetch the npm packages of deno.json"
}

get_packages() {
  missing=
  has runc || missing="$missing runc"
  has iptables || missing="$missing iptables"
  has ip || missing="$missing iproute2"
  # Only the program: a test starts one on a socket of its own.
  has dbus-daemon || missing="$missing dbus"
  [ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] ||
    missing="$missing containernetworking-plugins"
  [ -e /etc/ssl/certs/ca-certificates.crt ] ||
    missing="$missing ca-certificates"
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$missing" ] || need_packages $missing
}

get_vm_packages() {
  missing=
  has qemu-system-x86_64 || missing="$missing qemu-system-x86"
  has debootstrap || missing="$missing debootstrap"
  has cloud-localds || missing="$missing cloud-image-utils"
  has mke2fs || missing="$missing e2fsprogs"
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
    missing="$missing debian-archive-keyring"
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$missing" ] || need_packages $missing
}

get_containerd() {
  first_of containerd is_containerd >/dev/null && return 0
  # Go 1.21 and newer fetch the toolchain that a module asks for.
  if has go && at_least "$(go env GOVERSION | sed 's/^go//')" 1.21; then
    say "building containerd $CONTAINERD_RELEASE (about two minutes)"
    module=github.com/containerd/containerd/v2/cmd
    if GOBIN="$cache/bin" CGO_ENABLED=0 GOFLAGS=-trimpath go install \
      -ldflags "-s -w" \
      "$module/containerd@v$CONTAINERD_RELEASE" \
      "$module/ctr@v$CONTAINERD_RELEASE" \
      "$module/containerd-shim-runc-v2@v$CONTAINERD_RELEASE" \
      >"$cache/go.log" 2>&1; then
      return 0
    fi
    tail -n 20 "$cache/go.log" >&2
    say "containerd $CONTAINERD_RELEASE does not build here"
  fi
  first_of containerd is_any_containerd >/dev/null || unpack_containerd
  warn_of_old "$(first_of containerd is_any_containerd)"
}

runc_for_user_namespaces() {
  for candidate in "$(command -v runc || true)" "$cache/runc/runc"; do
    [ -x "$candidate" ] || continue
    version=$("$candidate" --version | awk 'NR == 1 { print $3 }')
    at_least "$version" "$RUNC_WANTED" || continue
    echo "$candidate"
    return 0
  done
  return 1
}

# Beside the machine's own runc, which stays what containers are run by. Its
# tests say that they are skipped where this cannot be had.
get_runc() {
  runc_for_user_namespaces >/dev/null && return 0
  has go && at_least "$(go env GOVERSION | sed 's/^go//')" 1.21 || {
    say "no Go 1.21 or newer: no runc $RUNC_RELEASE for user namespaces"
    return 0
  }
  missing=
  has gcc || missing="$missing gcc libc6-dev"
  has pkg-config || missing="$missing pkg-config"
  has pkg-config && pkg-config --exists libseccomp ||
    missing="$missing libseccomp-dev"
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$missing" ] || need_packages $missing
  say "building runc $RUNC_RELEASE (about half a minute)"
  GOBIN="$cache/runc" CGO_ENABLED=1 GOFLAGS=-trimpath go install \
    -tags seccomp -ldflags "-s -w" \
    "github.com/opencontainers/runc@v$RUNC_RELEASE" >"$cache/go.log" 2>&1 || {
    tail -n 20 "$cache/go.log" >&2
    say "runc $RUNC_RELEASE does not build here"
  }
}

# Debian's containerd, unpacked rather than installed: its package would start
# a containerd of the machine's own.
unpack_containerd() {
  say "no Go 1.21 or newer: taking Debian's containerd"
  scratch=$(mktemp -d "$cache/containerd.XXXXXX")
  chmod 0755 "$scratch"
  download="cd '$scratch' && apt-get download -q containerd"
  sh -c "$download" >"$cache/apt.log" 2>&1 ||
    (apt-get update -q && sh -c "$download") >>"$cache/apt.log" 2>&1 || {
    tail -n 20 "$cache/apt.log" >&2
    fail "cannot download Debian's containerd"
  }
  dpkg-deb -x "$scratch"/containerd_*.deb "$scratch/root"
  for name in containerd ctr containerd-shim-runc-v2; do
    install -D -m 0755 "$scratch/root/usr/bin/$name" "$cache/bin/$name"
  done
  rm -rf "$scratch"
}

warn_of_old() {
  at_least "$(containerd_version "$1")" 1.7.0 && return 0
  say "WARNING: containerd $(containerd_version "$1") has no GetContainerEvents:"
  say "WARNING: changes will be noticed by relisting only, so more slowly"
}

# The root file system that all images share: busybox, its names, and /pause.
make_rootfs() {
  root=$1
  static=$(command -v busybox)
  mkdir -p "$root/bin" "$root/etc" "$root/home" "$root/root" "$root/tmp" \
    "$root/usr/bin" "$root/var/www"
  chmod 0700 "$root/root"
  chmod 1777 "$root/tmp"
  cp "$static" "$root/bin/busybox"
  for name in $("$static" --list); do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
  done
  ln -s ../../bin/env "$root/usr/bin/env"
  cat >"$root/etc/passwd" <<END
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
  cat >"$root/etc/group" <<END
root:x:0:
daemon:x:1:
nobody:x:65534:
END
  # As PID 1, sleep would ignore SIGTERM; a shell with a trap dies of it at
  # once, and its wait collects the orphans of a shared PID namespace.
  cat >"$root/pause" <<'END'
#!/bin/sh
trap 'exit 0' TERM INT
while :; do
  sleep 2147483647 &
  wait $!
done
END
  chmod 0755 "$root/pause"
}

# make_image FILE TAG UMOCI-CONFIG...: one small tar with one OCI image.
make_image() {
  file=$1
  reference=$scratch/$1:$2
  shift 2
  umoci init --layout "$scratch/$file"
  umoci new --image "$reference"
  umoci insert --rootless --image "$reference" "$scratch/rootfs" /
  umoci config --image "$reference" --config.env \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  umoci gc --layout "$scratch/$file"
  tar -C "$scratch/$file" -cf "$scratch/$file.tar" .
}

is_static_busybox() {
  has busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1
}

make_images() {
  [ "$(cat "$cache/images/recipe" 2>/dev/null)" = "$IMAGE_RECIPE" ] && return 0
  missing=
  has umoci || missing="$missing umoci"
  is_static_busybox || missing="$missing busybox-static"
  # shellcheck disable=SC2086 # a list of words on purpose
  [ -z "$missing" ] || need_packages $missing
  say "making images from busybox"
  scratch=$(mktemp -d "$cache/images.XXXXXX")
  make_rootfs "$scratch/rootfs"
  # File names are the image names of deploy/world/facts.ts.
  {
    make_image pause 3.10.2 \
      --config.entrypoint /pause --config.user 65535:65535
    make_image e2e-busybox 1.37.0-1 --config.cmd sh
    make_image busybox latest --config.cmd sh
  } >"$cache/images.log" 2>&1 || {
    tail -n 20 "$cache/images.log" >&2
    fail "cannot make the images"
  }
  mkdir -p "$cache/images"
  mv "$scratch"/*.tar "$cache/images/"
  rm -rf "$scratch"
  echo "$IMAGE_RECIPE" >"$cache/images/recipe"
}

write_environment() {
  deno=$(first_of deno is_deno || true)
  containerd=$(first_of containerd is_containerd ||
    first_of containerd is_any_containerd || true)
  {
    echo "export DENOLET_CACHE='$cache'"
    [ -z "$deno" ] || echo "export DENO='$deno'"
    [ -z "$containerd" ] ||
      echo "export DENOLET_CONTAINERD_BIN='$(dirname "$containerd")'"
    if runc=$(runc_for_user_namespaces); then
      echo "export DENOLET_RUNC='$runc'"
    fi
  } >"$cache/env.sh.new"
  mv "$cache/env.sh.new" "$cache/env.sh"
}

part=${1:-all}
case $part in
all | tools | runtime | vm) ;;
*) fail "usage: sh deploy/prepare.sh [all|tools|runtime|vm]" ;;
esac
mkdir -p "$cache/bin"
# Two at a time, say tests and quickstart, must not build the same thing.
if has flock; then
  exec 9>"$cache/lock"
  flock 9
fi
if [ "$part" != runtime ]; then
  get_deno
  get_npm_packages
fi
if [ "$part" != tools ]; then
  get_packages
  get_containerd
  get_runc
  make_images
fi
[ "$part" != vm ] || get_vm_packages
write_environment
