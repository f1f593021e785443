#!/usr/bin/env bash
# What several scripts need.

# Says what is wrong, and ends the step.
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# What the catalog's task does with these params, a stand-in does not: a value that is dropped would build something
# else.
refuse() {
  local name=$1 value=$2 default=${3:-}
  [[ $value == "$default" ]] ||
    fail "param $name is not supported by this stand-in" "  expected: its default, '$default'" "  found: '$value'"
}

# The repository of a reference: neither tag nor digest.
repository() {
  local name=${1%%@*}
  if [[ ${name##*/} == *:* ]]; then name=${name%:*}; fi
  printf '%s' "$name"
}
