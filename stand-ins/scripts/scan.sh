#!/usr/bin/env bash
# Says that no scanner ran: SKIPPED, never SUCCESS. The image's manifest is read all the same, so that the check of an
# image that isn't there fails as it does on Konflux. The arguments are results that a scanner would fill.
set -euo pipefail

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

tls=()
if [[ ${PLAIN_HTTP:-} == true ]]; then tls=(--tls-verify=false); fi

[[ $IMAGE_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] ||
  fail "the image's digest is malformed" '  expected: sha256: and 64 hexadecimal digits' "  found: $IMAGE_DIGEST"
repository=$(repository "$IMAGE_URL")
again skopeo inspect --raw "${tls[@]}" "docker://$repository@$IMAGE_DIGEST" >/dev/null

note="Task $TASK was skipped: $REASON."
printf '%s\n' "$note"
# The fields of Konflux' TEST_OUTPUT, in its order.
jq -cjn --arg timestamp "$(date --utc +%Y-%m-%dT%H:%M:%S+00:00)" --arg note "$note" --arg namespace "$NAMESPACE" \
  '{result: "SKIPPED", $timestamp, $note, $namespace, successes: 0, failures: 0, warnings: 0}' >"$TEST_OUTPUT"
jq -cjn --arg url "$IMAGE_URL" --arg digest "$IMAGE_DIGEST" \
  '{image: {pullspec: $url, digests: [$digest]}}' >"$IMAGES_PROCESSED"
# No counts: zeros would say that nothing was found.
for result; do printf '{}' >"$result"; done
