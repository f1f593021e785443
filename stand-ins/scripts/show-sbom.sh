#!/usr/bin/env bash
# Says that there is no SBOM to show: only Konflux' builds make one.
set -euo pipefail

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=image.sh
. "${BASH_SOURCE[0]%/*}/image.sh"

read_image
printf '%s has no SBOM: only the builds of Konflux make one.\n' "$IMAGE_URL"
