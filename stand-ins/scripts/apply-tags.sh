#!/usr/bin/env bash
# Puts an image's own manifest, byte for byte, under more tags: the arguments.
set -euo pipefail

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

tls=()
if [[ ${PLAIN_HTTP:-} == true ]]; then tls=(--src-tls-verify=false --dest-tls-verify=false); fi

[[ $IMAGE_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] ||
  fail 'IMAGE_DIGEST is not a digest' '  expected: sha256: and 64 hexadecimal digits' "  found: $IMAGE_DIGEST"
repository=$(repository "$IMAGE_URL")
# All are looked at first: none is moved where one can't be.
for tag; do
  [[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] ||
    fail 'a tag is malformed' '  expected: 1 to 128 letters, digits, _, . and -' "  found: $tag"
done

if [[ $# == 0 ]]; then printf 'No tags to apply.\n'; fi
for tag; do
  # An index alone: what it lists is in the repository already.
  again skopeo copy --quiet --preserve-digests --multi-arch=index-only "${tls[@]}" \
    "docker://$repository@$IMAGE_DIGEST" "docker://$repository:$tag"
  printf '%s:%s is now %s\n' "$repository" "$tag" "$IMAGE_DIGEST"
done
