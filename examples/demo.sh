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

bold '5. A component, built once, in every cell'
run make -s -C examples/orders-api pipeline-build
# Nothing pulls it here: the local cloud records services and runs no containers.
image="$(node -p 'JSON.parse(fs.readFileSync(process.env.CELL_FACTORY_ACCOUNTS)).control.tooling').dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0"
run cellctl component deploy orders-api --all --from examples/orders-api/dist --image "$image" --release 1.0.0

bold '6. The registry, which now knows that the cells are active'
run cellctl publish
run cellctl registry diff 1
run cellctl registry verify

bold '7. What there is, and the proof that cells share nothing'
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
