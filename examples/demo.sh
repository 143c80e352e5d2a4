#!/usr/bin/env bash
# The whole factory on this machine: local cloud, organization, accounts, four cells, one component in each.
# What it prints is what it does: every line behind a $ is a command that you can type yourself.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH"
began=$SECONDS

bold() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}
be() {
  printf '$ eval "$(cellctl local env --as %s)"\n' "$1"
  eval "$(cellctl local env --as "$1")"
}

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

bold '8. A bad version: in its first cell of production an alarm fires (a drill sets it off: nothing here serves customers)'
release 3.0.0
run cellctl rollout start orders-api --release 3.0.0 --time-scale 0.0003 --yes
first_wave() { cellctl rollout status orders-api --json | node -p "const { plan, waves } = JSON.parse(fs.readFileSync(0)); $1"; }
(
  cell="$(first_wave 'plan.waves[1].cells[0]')"
  until [ "$(first_wave 'waves[1].status')" = baking ]; do sleep 0.1; done
  cellctl drill alarm --cell "$cell" --for 3s >/dev/null
) &
drill=$!
# It ends with 1, as it should: the version did not get through.
! run cellctl rollout watch orders-api
wait $drill
run cellctl rollout history orders-api
run cellctl versions

bold '9. A commit: the component as a repository of its own, whose pipeline takes every commit to every cell'
repository="$(mktemp -d)/orders-api"
trap 'rm -rf "$(dirname "$repository")"' EXIT
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
