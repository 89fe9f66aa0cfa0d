#!/bin/sh
# Builds a real control plane, and what tests and benchmarks compare with, from
# Go modules: nothing but the Go module proxy has to be within reach. Builds
# what is missing and nothing else; prints nothing when there is nothing to do.
#
#   sh deploy/control_plane.sh [all]    server and kubelet
#   sh deploy/control_plane.sh server   etcd, kube-apiserver, kube-scheduler,
#                                       kube-controller-manager, kubectl
#   sh deploy/control_plane.sh kubelet  the real kubelet, as the peer
#   sh deploy/control_plane.sh e2e      e2e.test, ginkgo, agnhost, nnp
#   sh deploy/control_plane.sh metrics  promtool, metrics-server
#
# The outcome is in ${XDG_CACHE_HOME:-$HOME/.cache}/denolet/bin.
# DENOLET_CONTROL_PLANE_BIN names a folder of ready-made binaries, each of
# which is taken as it is, whatever its version. A kubectl on PATH will do.
# DENOLET_CONTROL_PLANE=skip builds nothing, and fails when something is
# missing.
set -eu

KUBERNETES_RELEASE=1.36.3
ETCD_RELEASE=3.6.7
# Prometheus 3.x is 0.3xx as a Go module.
PROMETHEUS_RELEASE=0.316.0
METRICS_SERVER_RELEASE=0.9.0
GO_WANTED=1.21

cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
# Go's own installer uses this folder, and a login shell's PATH may lack it.
PATH=$PATH:/usr/local/go/bin
export PATH

say() { echo "control_plane: $*" >&2; }
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

# Packages of each part, as NAME=PACKAGE: what is built, and from where.
packages_of() {
  case $1 in
  server)
    for name in kube-apiserver kube-controller-manager kube-scheduler; do
      echo "$name=k8s.io/kubernetes/cmd/$name"
    done
    # Any kubectl will do, as it only asks.
    has kubectl || echo kubectl=k8s.io/kubernetes/cmd/kubectl
    echo etcd=go.etcd.io/etcd/server/v3
    ;;
  kubelet) echo kubelet=k8s.io/kubernetes/cmd/kubelet ;;
  e2e)
    echo e2e.test=k8s.io/kubernetes/test/e2e
    echo ginkgo=github.com/onsi/ginkgo/v2/ginkgo
    echo agnhost=k8s.io/kubernetes/test/images/agnhost
    echo nnp=k8s.io/kubernetes/test/images/nonewprivs
    ;;
  metrics)
    echo promtool=github.com/prometheus/prometheus/cmd/promtool
    echo metrics-server=sigs.k8s.io/metrics-server/cmd/metrics-server
    ;;
  all)
    packages_of server
    packages_of kubelet
    ;;
  *) fail "usage: sh deploy/control_plane.sh [all|server|kubelet|e2e|metrics]" ;;
  esac
}

# A release of ours has a stamp: e2e.test and agnhost cannot tell theirs.
release_of() {
  case $1 in
  etcd) echo "$ETCD_RELEASE" ;;
  promtool) echo "$PROMETHEUS_RELEASE" ;;
  metrics-server) echo "$METRICS_SERVER_RELEASE" ;;
  *) echo "$KUBERNETES_RELEASE" ;;
  esac
}
is_there() {
  [ -x "${DENOLET_CONTROL_PLANE_BIN:-/nonexistent}/$1" ] && return 0
  [ -x "$cache/bin/$1" ] &&
    [ "$(cat "$cache/build/$1.release" 2>/dev/null)" = "$(release_of "$1")" ]
}

# missing_of PART: as packages_of, without those that are there.
missing_of() {
  for line in $(packages_of "$1"); do
    is_there "${line%%=*}" || echo "$line"
  done
}

# The go.mod that k8s.io/kubernetes can be built below. Its own one names its
# sister modules by path, which holds only in its repository: elsewhere each
# is replaced by the release of the same minor and patch number.
make_kubernetes_module() {
  folder=$cache/build/kubernetes-$KUBERNETES_RELEASE
  [ -f "$folder/ready" ] && return 0
  rm -rf "$folder"
  mkdir -p "$folder"
  source=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES_RELEASE" |
    sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
  [ -f "$source/go.mod" ] || return 1
  {
    echo "module denolet.invalid/control-plane"
    grep -E '^(go|godebug) ' "$source/go.mod"
    echo "require k8s.io/kubernetes v$KUBERNETES_RELEASE"
    sed -n "s|^.*\(k8s\.io/[a-z-]*\) => \./staging/.*\$|replace \1 => \1 v0.${KUBERNETES_RELEASE#1.}|p" \
      "$source/go.mod"
  } >"$folder/go.mod"
  # The sums it was released with, so that only sister modules are looked up.
  install -m 0644 "$source/go.sum" "$folder/go.sum"
  touch "$folder/ready"
}

# make_module NAME MODULE: the go.mod that what NAME is of can be built below.
make_module() {
  folder=$cache/build/$1-$(release_of "$1")
  mkdir -p "$folder"
  cat >"$folder/go.mod" <<END
module denolet.invalid/$1
go 1.24
require $2 v$(release_of "$1")
END
}

linker_flags() {
  flags="-s -w"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=v$KUBERNETES_RELEASE"
    flags="$flags -X $package.gitMajor=${KUBERNETES_RELEASE%%.*}"
    minor=${KUBERNETES_RELEASE#*.}
    flags="$flags -X $package.gitMinor=${minor%.*}"
  done
  echo "$flags"
}

# build NAME PACKAGE
build() {
  case $2 in
  go.etcd.io/*) make_module "$1" go.etcd.io/etcd/server/v3 ;;
  github.com/prometheus/*) make_module "$1" github.com/prometheus/prometheus ;;
  sigs.k8s.io/*) make_module "$1" sigs.k8s.io/metrics-server ;;
  *) make_kubernetes_module ;;
  esac
  cd "$folder"
  case $1 in
  *.test) set -- test "$1" "$2" -c ;;
  # It checks texts here, and need not know where others find their targets.
  promtool) set -- build "$1" "$2" -tags remove_all_sd ;;
  *) set -- build "$1" "$2" ;;
  esac
  verb=$1 name=$2 package=$3
  shift 3
  # A moment's name keeps an interrupted build from passing for a whole one.
  go "$verb" "$@" -mod=mod -trimpath -buildvcs=false -ldflags "$(linker_flags)" \
    -o "$cache/build/$name.new" "$package" || return 1
  mv "$cache/build/$name.new" "$cache/bin/$name"
  release_of "$name" >"$cache/build/$name.release"
}

part=${1:-all}
packages_of "$part" >/dev/null
[ -n "$(missing_of "$part")" ] || exit 0
if [ "${DENOLET_CONTROL_PLANE:-}" = skip ]; then
  fail "DENOLET_CONTROL_PLANE=skip, and missing:" \
    "$(missing_of "$part" | sed 's/=.*//' | tr '\n' ' ')"
fi
if ! has go || ! at_least "$(go env GOVERSION | sed 's/^go//')" "$GO_WANTED"; then
  fail "needs Go $GO_WANTED or newer, which fetches the toolchain it is asked for"
fi

mkdir -p "$cache/bin" "$cache/build"
# Two at a time must not build the same thing.
if has flock; then
  exec 9>"$cache/control_plane.lock"
  flock 9
fi
CGO_ENABLED=0
GOFLAGS=
GOWORK=off
export CGO_ENABLED GOFLAGS GOWORK
for line in $(missing_of "$part"); do
  name=${line%%=*}
  say "building $name $(release_of "$name")"
  (build "$name" "${line#*=}") >"$cache/build/$name.log" 2>&1 || {
    tail -n 20 "$cache/build/$name.log" >&2
    fail "cannot build $name; see $cache/build/$name.log"
  }
done
