#!/usr/bin/env bash
# Reads the manifest of an image that a task only looks at, so that the task fails where the image isn't there, as it
# does on Konflux.

# Looks at IMAGE_URL with IMAGE_DIGEST. Where a task takes no digest, it is found out; where it may be called without an
# image, both are empty.
read_image() {
  local tls=() repository
  if [[ ${PLAIN_HTTP:-} == true ]]; then tls=(--tls-verify=false); fi
  if [[ -z $IMAGE_URL && -z ${IMAGE_DIGEST-unset} ]]; then return; fi
  [[ $IMAGE_URL =~ ^[A-Za-z0-9._:/@-]+$ ]] || fail "the image's name is malformed" "  found: $IMAGE_URL"
  repository=$(repository "$IMAGE_URL")
  if [[ -z ${IMAGE_DIGEST+set} ]]; then
    IMAGE_DIGEST=sha256:$(again skopeo inspect --raw "${tls[@]}" "docker://$IMAGE_URL" | sha256sum | cut -d ' ' -f 1)
  fi
  [[ $IMAGE_DIGEST =~ ^sha256:[0-9a-f]{64}$ ]] ||
    fail "the image's digest is malformed" '  expected: sha256: and 64 hexadecimal digits' "  found: $IMAGE_DIGEST"
  again skopeo inspect --raw "${tls[@]}" "docker://$repository@$IMAGE_DIGEST" >/dev/null
}

# Copies the image to a transport of this machine, with more of skopeo's options behind it.
copy_image() {
  local tls=()
  if [[ ${PLAIN_HTTP:-} == true ]]; then tls=(--src-tls-verify=false); fi
  again skopeo copy --quiet "${tls[@]}" "${@:2}" "docker://$(repository "$IMAGE_URL")@$IMAGE_DIGEST" "$1"
}
