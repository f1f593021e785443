#!/usr/bin/env bash
# Scans an image with what this machine has, where SCANNERS says so and there is a scanner; else it says that none ran:
# SKIPPED, never SUCCESS. The image's manifest is read all the same, so that the check of an image that isn't there fails as
# it does on Konflux. The arguments are results that a scanner fills.
set -euo pipefail
export TZ=UTC

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=image.sh
. "${BASH_SOURCE[0]%/*}/image.sh"

reported=
# Writes the fields of Konflux' TEST_OUTPUT, in its order. Notes are this script's own, and names that
# were found in there hold nothing that has to be escaped.
report() {
  local result=$1 note=$2 successes=${3:-0} failures=${4:-0}
  printf '%s\n' "$note"
  printf '{"result":"%s","timestamp":"%(%Y-%m-%dT%H:%M:%S+00:00)T","note":"%s","namespace":"%s","successes":%s,"failures":%s,"warnings":0}' \
    "$result" -1 "$note" "$NAMESPACE" "$successes" "$failures" >"$TEST_OUTPUT"
  if [[ -n ${IMAGES_PROCESSED:-} ]]; then
    printf '{"image":{"pullspec":"%s","digests":["%s"]}}' "$IMAGE_URL" "$IMAGE_DIGEST" >"$IMAGES_PROCESSED"
  fi
  reported=yes
}

# shellcheck source=machine/clamav.sh
. "${BASH_SOURCE[0]%/*}/machine/clamav.sh"
# shellcheck source=machine/vulnerabilities.sh
. "${BASH_SOURCE[0]%/*}/machine/vulnerabilities.sh"

read_image
if [[ ${SCANNERS:-} == machine ]]; then
  case $TASK in
    clamav-scan) scan_for_viruses ;;
    clair-scan) scan_for_vulnerabilities "$@" ;;
  esac
fi
if [[ -z $reported ]]; then
  # No counts: zeros would say that nothing was found.
  for result; do printf '%s' "${UNKNOWN-"{}"}" >"$result"; done
  report SKIPPED "Task $TASK was skipped: $REASON."
fi
