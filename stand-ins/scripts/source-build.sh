#!/usr/bin/env bash
# Says that no source image is built, as Konflux' task does of a binary image that is gone: the status is drop and the
# image's results are empty. The arguments are those results.
set -euo pipefail

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=image.sh
. "${BASH_SOURCE[0]%/*}/image.sh"

read_image
message='only Konflux builds source images'
note "No source image of $IMAGE_URL: $message."
printf '{"status":"drop","message":"%s"}' "$message" >"$BUILD_RESULT"
for result; do printf '' >"$result"; done
