#!/usr/bin/env bash
# The whole factory on this machine: local cloud, organization, accounts, four cells, one component in each.
# What it prints is what it does: every line behind a $ is a command that you can type yourself.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH"
# What a shell has that was turned to AWS, or to the local cloud of another clone, must not lead this one there.
unset "${!AWS_@}" CELL_FACTORY_ORGANIZATION CELL_FACTORY_ACCOUNTS CELL_FACTORY_RESOLVER CELL_FACTORY_TIME_SCALE
began=$SECONDS
# Seconds that one command may take. The longest takes less than a minute on two quiet cores; beside other work it takes longer.
most=${DEMO_COMMAND_SECONDS:-900}
step='' what='' child='' watch='' repository=''

bold() {
  step=$1
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi
}

# Sleeps for so many seconds, then ends the process group. Whoever ends this ends its sleep, too.
end_after() {
  local nap
  trap 'kill "$nap" 2>/dev/null; exit' TERM
  sleep "$1" & nap=$!
  wait "$nap"
  kill -TERM -- "-$2" 2>/dev/null
  sleep 20 & nap=$!
  wait "$nap"
  kill -KILL -- "-$2" 2>/dev/null
}

# Runs a command that may take so many seconds. In the background, so that a signal is heard at once, and as a process group,
# so that whatever the command has started ends with it.
within() {
  local seconds=$1 from=$SECONDS code=0
  shift
  what=$*
  set -m
  "$@" </dev/null & child=$!
  set +m
  end_after "$seconds" "$child" >/dev/null 2>&1 </dev/null & watch=$!
  wait "$child" || code=$?
  child=''
  kill "$watch" 2>/dev/null || true
  wait "$watch" 2>/dev/null || true
  watch=''
  if [ "$code" -eq 0 ]; then what=''
  elif [ $((SECONDS - from)) -ge "$seconds" ]; then what="$what, which took longer than $seconds s (DEMO_COMMAND_SECONDS allows another)"; fi
  return "$code"
}

run() {
  printf '$ %s\n' "$*"
  within "$most" "$@"
}

# A command that is to exit with this code.
fails_with() {
  local expected=$1 code=0
  shift
  run "$@" || code=$?
  if [ "$code" -eq "$expected" ]; then what=''; return 0; fi
  what="$*, which was to exit with code $expected, and did with $code"
  return 1
}

be() {
  local file
  printf '$ eval "$(cellctl local env --as %s)"\n' "$1"
  file=$(mktemp)
  within "$most" cellctl local env --as "$1" >"$file"
  eval "$(cat "$file")"
  rm -f "$file"
}

# However it ends: nothing of it goes on, and what is left is said.
ended() {
  local code=$?
  trap - EXIT INT TERM HUP
  [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
  if [ -n "$child" ]; then kill -TERM -- "-$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; fi
  [ -z "$repository" ] || rm -rf "$(dirname "$repository")"
  if [ "$code" -ne 0 ]; then
    printf '\nThe demo ended with code %s after %s s, in step %s\n' "$code" "$((SECONDS - began))" "$step"
    [ -z "$what" ] || printf '  in: %s\n' "$what"
    printf 'The local cloud is left as it is: `eval "$(./bin/cellctl local env)"` turns you to it, `./bin/cellctl local down` ends it.\n'
  fi >&2
  exit "$code"
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

bold '1. A cloud on this machine'
run cellctl local up

bold '2. The organization: control accounts, and a registry in tooling'
be management
run cellctl init

bold '3. The definitions in registry/, and an account for each cell'
be tooling
run cellctl validate
run cellctl accounts
run cellctl publish

bold '4. The cells: network, database, cache, queue, entrance with name and certificate, alarms, probe'
run cellctl plan alpha
run cellctl deploy --all

bold '5. The registry, which now knows that the cells are active'
run cellctl publish
run cellctl registry diff 1
run cellctl registry verify

# Nothing pulls the image here: the local cloud records services and runs no containers.
image="$(node -p 'JSON.parse(fs.readFileSync(process.env.CELL_FACTORY_ACCOUNTS)).control.tooling').dkr.ecr.{region}.amazonaws.com/orders-api"
# Bakes of hours take seconds: one factor on every wait.
scale=0.0001
release() {
  run make -s -C examples/orders-api pipeline-build COMPONENT_VERSION="$1"
  run cellctl component publish orders-api --from examples/orders-api/dist --image "$image:$1"
}

bold '6. A component, built once, published once, and taken through staging and every wave'
release 1.0.0
run cellctl rollout plan orders-api
run cellctl rollout start orders-api --release 1.0.0 --time-scale $scale --yes --watch

bold '7. The next version, the same way'
release 2.0.0
run cellctl rollout start orders-api --release 2.0.0 --time-scale $scale --yes --watch

bold '8. A version that turns bad late: while the next wave bakes, an alarm fires in the first cell (a drill sets it off: nothing here serves customers)'
release 3.0.0
# Started for a drill: however slow the machine, that wave waits for the alarm, and the version gets no further.
run cellctl rollout start orders-api --release 3.0.0 --time-scale $scale --drill alpha --drill-wave 2 --yes
run cellctl drill alarm --cell alpha --during orders-api --wait 10m
# The version did not get through, and that is what the exit code says. Every cell that had it runs the one before.
fails_with 1 cellctl rollout watch orders-api
run cellctl rollout history orders-api
run cellctl versions

bold '9. A commit: the component as a repository of its own, whose pipeline takes every commit to every cell'
repository="$(mktemp -d)/orders-api"
mkdir "$repository"
git -C examples/orders-api ls-files -z | (cd examples/orders-api && xargs -0 tar -cf -) | tar -xf - -C "$repository"
commit() { git -C "$repository" -c user.name=Ada -c user.email=ada@example.com -c commit.gpgsign=false commit --quiet "$@"; }
git -C "$repository" init --quiet --initial-branch=main
git -C "$repository" add --all
commit --message 'Take orders'
# No container engine builds an image for a cloud that starts no containers.
export CELL_FACTORY_ALLOW_UNBUILT=1
run cellctl pipelines show orders-api
run cellctl pipelines run orders-api --repository "$repository" --time-scale $scale --yes
run cellctl versions

bold '10. What there is, and the proof that cells share nothing'
run cellctl status --resources
run cellctl verify isolation --component orders-api=examples/orders-api/dist
run cellctl plan
run cellctl local status

bold "Done in $((SECONDS - began)) s. The local cloud is still up; try next:"
cat <<'TEXT'
  eval "$(./bin/cellctl local env)"              you are tooling, on the local cloud
  npx cdk diff Cell-alpha                        the plain CDK sees the same cells
  $EDITOR registry/cells/alpha.ts                make it size: 'medium', then:
  ./bin/cellctl plan && ./bin/cellctl deploy alpha
  ./bin/cellctl cell add delta --like bravo      a new cell is a new file
  make clean                                     end the cloud, remove everything
TEXT
