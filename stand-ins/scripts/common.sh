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
# RETRY_PAUSES are the seconds before each time but the first.
again() {
  local pause
  for pause in ${RETRY_PAUSES-1 2 4}; do
    if "$@"; then return; fi
    printf 'This may pass: once more in %s s.\n' "$pause" >&2
    sleep "$pause"
  done
  "$@"
}

# A local run has to do with its own registry and with no other, whatever a pipeline names: the tools have no logins,
# and what they ask of any other host goes to a proxy at which nobody answers. A base alone may come from elsewhere.
users_logins=${REGISTRY_AUTH_FILE-}
if [[ -n ${ONLY_REGISTRY:-} ]]; then
  nowhere=http://127.0.0.1:1
  export HTTP_PROXY=$nowhere HTTPS_PROXY=$nowhere http_proxy=$nowhere https_proxy=$nowhere NO_PROXY=$ONLY_REGISTRY
  # A step of such a run has a folder of its own for what is temporary.
  export REGISTRY_AUTH_FILE=${TMPDIR:-$(mktemp -d)}/no-logins.json
  printf '{"auths":{}}' >"$REGISTRY_AUTH_FILE"
fi

# Runs a command as this machine's user would: with the user's logins, and with every registry in reach.
as_user() {
  (
    if [[ -n ${ONLY_REGISTRY:-} ]]; then
      unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy NO_PROXY REGISTRY_AUTH_FILE
      if [[ -n $users_logins ]]; then export REGISTRY_AUTH_FILE=$users_logins; fi
    fi
    "$@"
  )
}

# The repository of a reference: neither tag nor digest.
repository() {
  local name=${1%%@*}
  [[ -z ${ONLY_REGISTRY:-} || $name == "$ONLY_REGISTRY"/* ]] ||
    fail "this run has to do with its own registry alone" "  expected: an image in $ONLY_REGISTRY" "  found: '$1'"
  if [[ ${name##*/} == *:* ]]; then name=${name%:*}; fi
  printf '%s' "$name"
}
