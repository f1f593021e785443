#!/usr/bin/env bash
# There is no caching proxy without Konflux, so the results are empty, as they are there without one.
set -euo pipefail

if [[ $ENABLE_CACHE_PROXY == true ]]; then printf 'No caching proxy here: none is used.\n'; fi
printf '' >"$HTTP_PROXY_RESULT"
printf '' >"$NO_PROXY_RESULT"
