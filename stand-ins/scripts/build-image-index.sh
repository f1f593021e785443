#!/usr/bin/env bash
# One index over images that are in the registry already: the arguments, each with its digest. No SBOM is made.
set -euo pipefail

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

result() { printf '%s' "$2" >"$1"; }

verify=true
if [[ ${PLAIN_HTTP:-} == true || $TLSVERIFY != true ]]; then verify=false; fi
inspect=(again skopeo inspect --raw "--tls-verify=$verify")
copy=(again skopeo copy --quiet --preserve-digests "--src-tls-verify=$verify" "--dest-tls-verify=$verify")

for entry; do
  [[ $entry =~ @sha256:[0-9a-f]{64}$ ]] || fail 'an entry of IMAGES has no digest' "  found: $entry"
done
case $BUILDAH_FORMAT in
  oci) type=application/vnd.oci.image.index.v1+json ;;
  docker) type=application/vnd.docker.distribution.manifest.list.v2+json ;;
  *) fail 'param BUILDAH_FORMAT is unknown' '  expected: oci or docker' "  found: $BUILDAH_FORMAT" ;;
esac

if [[ $ALWAYS_BUILD_INDEX != true ]]; then
  [[ $# == 1 ]] ||
    fail 'without an index there is exactly one image' \
      '  expected: one entry in IMAGES, or ALWAYS_BUILD_INDEX "true"' "  found: $#"
  printf 'No index is built: the one image is handed on.\n'
  reference=$(repository "$1")@${1##*@}
  result "$URL_RESULT" "${1%%@*}"
  result "$DIGEST_RESULT" "${1##*@}"
  result "$REF_RESULT" "$reference"
  result "$IMAGES_RESULT" "$reference"
  result "$SBOM_RESULT" ''
  exit
fi

into=$(repository "$IMAGE")
target=${IMAGE%%@*}
if [[ $target == "$into" ]]; then target=$into:latest; fi
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
: >"$work/entries"
for entry; do
  from=$(repository "$entry")
  digest=${entry##*@}
  "${inspect[@]}" "docker://$from@$digest" >"$work/manifest"
  # A registry without OCI 1.1 may serve manifests that do not name their type: an image has a config.
  kind=$(jq -r '.mediaType // (if .config then "application/vnd.oci.image.manifest.v1+json" else "" end)' "$work/manifest")
  case $kind in
    application/vnd.oci.image.manifest.v1+json | application/vnd.docker.distribution.manifest.v2+json) ;;
    *) fail "$from@$digest is not an image manifest" "  found: '$kind'" ;;
  esac
  "${inspect[@]}" --config "docker://$from@$digest" >"$work/config"
  if [[ $from != "$into" ]]; then "${copy[@]}" "docker://$from@$digest" "docker://$into@$digest"; fi
  jq -c --arg mediaType "$kind" --arg digest "$digest" --argjson size "$(stat --format=%s "$work/manifest")" \
    '{$mediaType, $digest, $size, platform: ({architecture, os, variant} | with_entries(select(.value // "" != "")))}' \
    "$work/config" >>"$work/entries"
done

# A folder as skopeo writes one: what is in it is pushed as it is.
mkdir "$work/index"
printf 'Directory Transport Version: 1.1\n' >"$work/index/version"
jq -cjs --arg mediaType "$type" '{schemaVersion: 2, $mediaType, manifests: .}' "$work/entries" >"$work/index/manifest.json"
digest=sha256:$(sha256sum "$work/index/manifest.json" | cut -d ' ' -f 1)
# The catalog's task also leaves a tag that no other run can move.
for tag in "$target" "$into:$TASK_RUN"; do
  "${copy[@]}" --multi-arch=index-only "dir:$work/index" "docker://$tag"
done

printf 'Pushed the index %s@%s over %s images\n' "$target" "$digest" "$#"
printf 'No SBOM is made by this stand-in: SBOM_BLOB_URL is empty.\n'
result "$URL_RESULT" "$target"
result "$DIGEST_RESULT" "$digest"
result "$REF_RESULT" "$into@$digest"
result "$IMAGES_RESULT" "$(jq -js --arg into "$into" 'map("\($into)@\(.digest)") | join(",")' "$work/entries")"
result "$SBOM_RESULT" ''
