#!/usr/bin/env bash
# Says that no scanner ran: SKIPPED, never SUCCESS. The image's manifest is read all the same, so that the check of an
# image that isn't there fails as it does on Konflux. The arguments are results that a scanner would fill.
set -euo pipefail
export TZ=UTC

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

tls=()
if [[ ${PLAIN_HTTP:-} == true ]]; then tls=(--tls-verify=false); fi

[[ $IMAGE_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] ||
  fail "the image's digest is malformed" '  expected: sha256: and 64 hexadecimal digits' "  found: $IMAGE_DIGEST"
[[ $IMAGE_URL =~ ^[A-Za-z0-9._:/@-]+$ ]] || fail "the image's name is malformed" "  found: $IMAGE_URL"
repository=$(repository "$IMAGE_URL")
again skopeo inspect --raw "${tls[@]}" "docker://$repository@$IMAGE_DIGEST" >/dev/null

note="Task $TASK was skipped: $REASON."
printf '%s\n' "$note"
# The fields of Konflux' TEST_OUTPUT, in its order. Nothing in here has to be escaped: the texts are the Task's own.
printf '{"result":"SKIPPED","timestamp":"%(%Y-%m-%dT%H:%M:%S+00:00)T","note":"%s","namespace":"%s","successes":0,"failures":0,"warnings":0}' \
  -1 "$note" "$NAMESPACE" >"$TEST_OUTPUT"
printf '{"image":{"pullspec":"%s","digests":["%s"]}}' "$IMAGE_URL" "$IMAGE_DIGEST" >"$IMAGES_PROCESSED"
# No counts: zeros would say that nothing was found.
for result; do printf '{}' >"$result"; done
