#!/usr/bin/env bash
# What several scripts need.

# Says what is wrong, and ends the step.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Says something about the whole run that a person has to know even where logs are not shown: a local run takes it from
# descriptor 3.
note() {
  printf '%s\n' "$@"
  if [[ -n ${NOTES:-} ]]; then printf '%s\n' "$@" >&"$NOTES"; fi
}

# What the catalog's task does with these params, a stand-in does not: a value that is dropped would build something
# else.
refuse() {
  local name=$1 value=$2 default=${3:-}
  [[ $value == "$default" ]] ||
    fail "param $name is not supported by this stand-in" "  expected: its default, '$default'" "  found: '$value'"
}

# Runs a command that talks to a registry, and runs it again where it fails. The tools come back by themselves after some
# failures, but give up at the first 500, which CNCF distribution 2 answers about what another request writes meanwhile.
again() {
  local pause
  for pause in 1 2 4; do
    if "$@"; then return; fi
    printf 'This may pass: once more in %s s.\n' "$pause" >&2
    sleep "$pause"
  done
  "$@"
}

# The repository of a reference: neither tag nor digest.
repository() {
  local name=${1%%@*}
  if [[ ${name##*/} == *:* ]]; then name=${name%:*}; fi
  printf '%s' "$name"
}
