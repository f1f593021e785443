#!/usr/bin/env bash
# Makes an SBOM of the image that was just pushed, and attaches it as buildah's task of Konflux does: at the tag that spells
# the image's digest.
# Sourced by build.sh, whose variables it uses.
# shellcheck disable=SC2154

# Sets `sbom` to where the document is, unless none is made.
make_sbom() {
  local blob config
  if ! command -v syft >/dev/null; then
    printf 'No SBOM is made, since there is no syft on this machine: SBOM_BLOB_URL is empty.\n'
    return
  fi
  mkdir "$work/sbom"
  SYFT_REGISTRY_INSECURE_USE_HTTP=${PLAIN_HTTP:-false} SYFT_CHECK_FOR_APP_UPDATE=false \
    syft scan --quiet --output "spdx-json=$work/sbom.json" "registry:$into@$digest"
  add_blob() {
    blob=$(sha256sum "$1" | cut -d ' ' -f 1)
    cp "$1" "$work/sbom/$blob"
  }
  printf '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' >"$work/sbom-config.json"
  add_blob "$work/sbom-config.json"
  config=$blob
  add_blob "$work/sbom.json"
  printf 'Directory Transport Version: 1.1\n' >"$work/sbom/version"
  size() { stat --format=%s "$work/sbom/$1"; }
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"text/spdx+json","digest":"sha256:%s","size":%s}]}' \
    "$config" "$(size "$config")" "$blob" "$(size "$blob")" >"$work/sbom/manifest.json"
  again skopeo copy --quiet --preserve-digests "--dest-tls-verify=$(verify_tls "$target")" "dir:$work/sbom" \
    "docker://$into:${digest/:/-}.sbom"
  sbom=$into@sha256:$blob
  printf 'SBOM: %s\n' "$sbom"
}
