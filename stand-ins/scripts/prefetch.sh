#!/usr/bin/env bash
# With nothing to prefetch the source is handed on, as the catalog's task does then. With something it refuses, since
# only Konflux has the tool.
set -euo pipefail

if [[ -n $INPUT ]]; then
  {
    printf 'dependencies are not prefetched by this stand-in\n'
    printf '  expected: an empty param input\n  found: %s\n' "$INPUT"
    printf '  hint: build on Konflux what needs prefetched dependencies\n'
  } >&2
  exit 1
fi
printf 'No prefetch: no input was given.\n'
printf '%s' "$SOURCE_ARTIFACT" >"$SOURCE_RESULT"
printf '' >"$CACHI2_RESULT"
