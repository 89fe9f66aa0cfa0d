#!/bin/sh
# Passes all tests on a bare machine: does its own set-up, then runs the quick
# checks and the tests on a real containerd. The last line is the sum of all
# `deno test` runs: `N passed, N failed`, and `, N skipped` where some were.
# A step that fails without saying which test did counts as one failure.
set -eu

cd "$(dirname "$0")/.."
export NO_COLOR=1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
results=$(mktemp -d "${TMPDIR:-/tmp}/denolet-tests.XXXXXX")
passed=0
failed=0
skipped=0
DENO=

finish() {
  trap - EXIT INT TERM HUP
  if [ -n "$DENO" ]; then
    "$DENO" run -A deploy/cluster.ts down test >"$results/down" 2>&1 ||
      cat "$results/down"
    "$DENO" run -A deploy/world.ts down test >"$results/down" 2>&1 || {
      cat "$results/down"
      echo "FAILED STEP: world test down"
      failed=$((failed + 1))
    }
  fi
  if [ "$skipped" -gt 0 ]; then
    echo
    echo "SKIPPED, with the reasons the tests gave:"
    cat "$results/skipped"
  fi
  if [ -s "$results/errors" ]; then
    echo
    echo "FAILED, or FLAKY below, with the first lines of what was said:"
    head -n 120 "$results/errors"
  fi
  if [ -s "$results/flaky" ]; then
    echo
    cat "$results/flaky"
  fi
  rm -rf "$results"
  [ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || failed=1
  echo
  summary="$passed passed, $failed failed"
  [ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
  echo "$summary"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}
trap finish EXIT
# An interrupted run has not passed.
trap 'failed=$((failed + 1)); finish' INT TERM HUP

# total KIND: the sum over the summary lines of `deno test` in the output.
total() {
  awk -v kind="$1" '/^(ok|FAILED) \| [0-9]+ passed/ {
    for (i = 2; i <= NF; i++) if ($i == kind) sum += $(i - 1)
  } END { print sum + 0 }' "$results/output"
}

# first_errors: of each failed test its name and the first lines of its error, of
# a table its failed rows: a record of a run may hold no more than its end.
first_errors() {
  awk '/^ ERRORS /{p = 1; next} /^ FAILURES /{p = 0}
    p && / => /{print; left = 6; next}
    p && left > 0 && NF > 0 && !/^    at /{print "  " substr($0, 1, 300); left--}
    /^FAILED  *[0-9.]+ s  /{rows[$0] = 1}
    END { for (row in rows) print row }' "$results/output"
}

# step NAME COMMAND...: runs it, shows it, counts it; fails as the command does.
step() {
  name=$1
  shift
  echo
  echo "=== $name"
  { "$@" 2>&1 && echo 0 >"$results/code" || echo "$?" >"$results/code"; } |
    tee "$results/output"
  code=$(cat "$results/code")
  failures=$(total failed)
  if [ "$code" -ne 0 ] && [ "$failures" -eq 0 ]; then
    echo "FAILED STEP: $name (exit code $code)" | tee -a "$results/errors"
    tail -n 5 "$results/output" >>"$results/errors"
    failures=1
  fi
  first_errors >>"$results/errors"
  passed=$((passed + $(total passed)))
  failed=$((failed + failures))
  skipped=$((skipped + $(total ignored)))
  # Tests print their reason as `SKIP: …`; the name alone tells little.
  grep -E '^SKIP: |\.\.\. ignored' "$results/output" >>"$results/skipped" ||
    true
  return "$code"
}

# again: what failed among the tests on containerd is run once more, alone: a
# machine that others share stands still now and then. What passes then is told
# as FLAKY, here and at the end; it is to be mended all the same. Where much has
# failed nothing is run again.
again() {
  awk '/^ FAILURES /{p = 1; next} /^(ok|FAILED) \|/{p = 0} p && / => /' \
    "$results/output" | sed 's/ => .*//' >"$results/failures"
  [ "$(wc -l <"$results/failures")" -le 15 ] || return 0
  while IFS= read -r test; do
    echo
    echo "=== again: $test"
    if "$DENO" test -A --no-check tests/contract tests/node \
      --filter "$test" >"$results/again" 2>&1 </dev/null; then
      echo "FLAKY: $test: failed at first, and passed alone" |
        tee -a "$results/flaky"
      failed=$((failed - 1))
      passed=$((passed + 1))
    else
      cat "$results/again"
    fi
  done <"$results/failures"
}

# Without the tools nothing else can be said.
step "prepare" sh deploy/prepare.sh || exit 1
# shellcheck disable=SC1091 # written by prepare.sh
. "$cache/env.sh"
PATH=$(dirname "$DENO"):$PATH
export PATH DENO DENOLET_CONTAINERD_BIN DENOLET_CACHE

step "quick checks: deno task ok" "$DENO" task ok || true

# What an interrupted run left behind must not decide this one.
step "clean up" "$DENO" run -A deploy/cluster.ts down test || true
step "clean up the world" "$DENO" run -A deploy/world.ts down test || true
if step "bring up world test" "$DENO" run -A deploy/world.ts up test; then
  DENOLET_TEST_WORLD="test"
  DENOLET_TEST_SOCKET=/var/tmp/denolet/test/run/containerd.sock
  DENOLET_TEST_IMAGE=docker.io/library/busybox:latest
  export DENOLET_TEST_WORLD DENOLET_TEST_SOCKET DENOLET_TEST_IMAGE
  # What checks metrics: its tests would else wait for the build.
  step "build promtool and metrics-server" \
    sh deploy/control_plane.sh metrics || true
  # A control plane beside it, for the contracts of the API server.
  if step "bring up a control plane in world test" \
    "$DENO" run -A deploy/cluster.ts up test; then
    DENOLET_TEST_KUBECONFIG=/var/tmp/denolet/test/cluster/admin.kubeconfig
    export DENOLET_TEST_KUBECONFIG
  fi
  # What agents use of their grants is held against these afterwards.
  DENOLET_TEST_AUDIT=$results/audit
  mkdir "$DENOLET_TEST_AUDIT"
  export DENOLET_TEST_AUDIT
  step "tests on containerd: deno task test" "$DENO" task test || again
  unset DENOLET_TEST_AUDIT
  step "grants and uses" "$DENO" run --allow-read tests/audit/main.ts \
    "$results/audit" || true
  # A fixed fifth of the upstream suite; `deno task conformance` is the whole.
  step "upstream suite: deno task conformance fifth" \
    "$DENO" task conformance fifth || true
fi
# A node with systemd and cgroup v2, and its power cut: `whole` has more steps.
# Its processor is translated: where others share this one it may come too late.
vm="virtual machine: deno task vm short"
step "$vm" "$DENO" task vm short || {
  first=$failures
  if step "again: $vm" "$DENO" task vm short; then
    echo "FLAKY: $vm: failed at first, and passed then" | tee -a "$results/flaky"
    failed=$((failed - first))
  fi
}
