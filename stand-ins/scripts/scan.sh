#!/usr/bin/env bash
# Says that no scanner ran: SKIPPED, never SUCCESS. The image's manifest is read all the same, so that the check of an
# image that isn't there fails as it does on Konflux. The arguments are results that a scanner would fill.
set -euo pipefail
export TZ=UTC

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=image.sh
. "${BASH_SOURCE[0]%/*}/image.sh"

read_image

note="Task $TASK was skipped: $REASON."
printf '%s\n' "$note"
# The fields of Konflux' TEST_OUTPUT, in its order. Nothing in here has to be escaped: the texts are the Task's own.
printf '{"result":"SKIPPED","timestamp":"%(%Y-%m-%dT%H:%M:%S+00:00)T","note":"%s","namespace":"%s","successes":0,"failures":0,"warnings":0}' \
  -1 "$note" "$NAMESPACE" >"$TEST_OUTPUT"
if [[ -n ${IMAGES_PROCESSED:-} ]]; then
  printf '{"image":{"pullspec":"%s","digests":["%s"]}}' "$IMAGE_URL" "$IMAGE_DIGEST" >"$IMAGES_PROCESSED"
fi
# No counts: zeros would say that nothing was found.
for result; do printf '%s' "${UNKNOWN-"{}"}" >"$result"; done
