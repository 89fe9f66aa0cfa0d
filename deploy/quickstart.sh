#!/bin/sh
# Shows denolet at work on a bare Debian or Ubuntu machine: a scratch
# containerd and the agent, with three pods from a folder of manifests or as
# the node of a scratch cluster. May be run again at any time.
#
#   sh deploy/quickstart.sh             without a cluster
#   sh deploy/quickstart.sh --cluster   etcd, API server, scheduler, controllers
#   sh deploy/quickstart.sh --clean     removes all it made, except for the cache
set -eu

cd "$(dirname "$0")/.."
world=quickstart
root=/var/tmp/denolet/$world
manifests=$root/etc/kubernetes/manifests
cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
patience=120

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

use_tools() {
  # shellcheck disable=SC1091 # written by prepare.sh
  . "$cache/env.sh"
  [ -n "${DENO:-}" ] || fail "no Deno: run sh deploy/prepare.sh"
  PATH=$(dirname "$DENO"):$PATH
  export PATH
}

world() { deno run -A deploy/world.ts "$1" "$world"; }

# The command line of denolet, under the permission set the agent has.
denolet() {
  verb=$1
  shift
  deno run -q --no-prompt -P=scratch main.ts "$verb" --host-root="$root" "$@" \
    2>"$root/quickstart.err"
}

# see WHAT COMMAND...: asks until the command says yes.
see() {
  what=$1
  shift
  while ! "$@"; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      echo "--- denolet pods" >&2
      denolet pods >&2 || cat "$root/quickstart.err" >&2
      echo "--- the end of $root/denolet.log" >&2
      tail -n 20 "$root/denolet.log" >&2 || true
      fail "waited $patience s in vain for $what"
    fi
    sleep 0.3
  done
}

# row NAME PATTERN: whether the pod's row of `denolet pods` matches.
row() {
  denolet pods | grep -E "(^|[[:space:]])${1}-${world}[[:space:]].*${2}" \
    >/dev/null
}

has_log() {
  denolet logs "web-$world" -c visitor | grep "hello from" >/dev/null
}

if [ "${1:-}" = --clean ]; then
  if [ ! -e "$cache/env.sh" ] && [ ! -e "$root" ]; then
    echo "nothing to clean"
    exit 0
  fi
  [ -e "$cache/env.sh" ] || sh deploy/prepare.sh tools
  use_tools
  deno run -A deploy/cluster.ts down "$world"
  world down
  echo "kept: $cache (remove it by hand to be back where you were)"
  exit 0
fi
show_cluster() {
  sh deploy/control_plane.sh server
  deno run -A deploy/cluster.ts up "$world"
  deno run -A deploy/cluster.ts agent "$world"
  kubectl=$(command -v kubectl || echo "$cache/bin/kubectl")
  KUBECONFIG=$root/cluster/admin.kubeconfig
  export KUBECONFIG
  "$kubectl" apply -f deploy/samples/deployment.yaml
  "$kubectl" rollout status deployment/web --timeout="${patience}s"
  echo
  echo "\$ kubectl get nodes,pods -A"
  "$kubectl" get nodes,pods -A
  cat <<END

To look further:
  export KUBECONFIG=$KUBECONFIG
  kubectl get nodes,pods -A -o wide
  kubectl get events
  kubectl scale deployment web --replicas=10
  less $root/denolet.log
To stop it all and remove it:
  sh deploy/quickstart.sh --clean
END
}

if [ $# -gt 1 ] || { [ $# = 1 ] && [ "$1" != --cluster ]; }; then
  fail "usage: sh deploy/quickstart.sh [--cluster|--clean]"
fi

sh deploy/prepare.sh
use_tools
world up
if [ "${1:-}" = --cluster ]; then
  show_cluster
  exit 0
fi
for manifest in web hello crasher; do
  # The agent must never read half a file, so it is renamed into place.
  cp "deploy/samples/$manifest.yaml" "$manifests/.$manifest.new"
  mv "$manifests/.$manifest.new" "$manifests/$manifest.yaml"
done
world agent

deadline=$(($(date +%s) + patience))
see "pod web to run" row web "2/2.*Running"
see "pod hello to run" row hello "1/1.*Running"
see "pod crasher to back off" row crasher CrashLoopBackOff
see "a log line" has_log

echo
echo "\$ denolet pods"
denolet pods
echo
echo "\$ denolet logs web-$world -c visitor | tail -n 1"
denolet logs "web-$world" -c visitor | tail -n 1
echo
echo "\$ denolet explain crasher-$world"
denolet explain "crasher-$world"
cat <<END

To look further, from $(pwd):
  denolet() { '$DENO' run -q --no-prompt -P=scratch main.ts "\$@" --host-root=$root; }
  denolet pods -o json
  denolet logs web-$world -c visitor -f
  denolet explain web-$world
  less $root/denolet.log
Add, change or remove a pod: edit the manifests in
  $manifests
To stop it all and remove it:
  sh deploy/quickstart.sh --clean
END
