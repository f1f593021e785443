#!/usr/bin/env bash
# Brings the images that a build stands on, so that the network can be cut off. SUBSTITUTES names those that are replaced
# by an image which this machine has: a line each, with the image, the other's name and its id. Leaves `substitutes` (by
# image) and `digests` (by image: as pinned, and without a pin as the registry says), `contexts`
# (options of buildah), and adds to `build_args`.
# shellcheck disable=SC2004,SC2034,SC2154
declare -A substitutes=() digests=()
contexts=()
# Ids and names of the images that the build stands on, as far as this machine has them.
own_bases=()

bring_bases() {
  local base to id argument found
  local -A pulled=()
  while read -r base to id; do
    if [[ -z $base || -z ${bases[$base]+used} ]]; then continue; fi
    substitutes[$base]=$to digests[$base]=$id
    own_bases+=("${id#*:}" "$to")
  done <<<"${SUBSTITUTES:-}"
  for base in "${!bases[@]}"; do
    if [[ -z ${substitutes[$base]-} ]]; then pull_base "$base"; fi
  done
  see_images
  for base in "${!pulled[@]}"; do
    found=$(platform_of "${pulled[$base]}")
    # What stands alone is pulled for whatever platform it is, and then not found. Some images of nothing but files say none.
    if [[ $found == "linux/$architecture" || $found != */?* ]]; then continue; fi
    fail "base $base is not for linux/$architecture" '  expected: an image or an index of that platform' "  found: $found" \
      '  hint: pin the digest of the index, not that of one of its images'
  done
  for base in "${!substitutes[@]}"; do
    if [[ $architecture != "$node" ]]; then require_platform "$base"; fi
    contexts+=("--build-context=$base=docker-image://${substitutes[$base]}")
  done
  # buildah finds literal names alone.
  for argument in "${!by_argument[@]}"; do
    base=${by_argument[$argument]}
    if [[ -z ${substitutes[$base]-} ]]; then continue; fi
    build_args[$argument]=${substitutes[$base]}
    printf '%s: %s is replaced by %s\n' "$argument" "$base" "${substitutes[$base]}"
  done
}

# Lets the build use those images of this machine, under lists of its own and the layers as they lie there. Used as it is,
# a second store is locked in another order than whoever works in it locks it, podman for one: each can come to wait for
# the other for ever, and then everything else on this machine that asks for an image does. Nothing else is in the lists:
# a layer that somebody is just writing or removing would be taken for one that the build need not make. Nor may it be
# among the layers: what has the name of a layer that the build makes, the driver removes, or fails to.
see_images() {
  local index option store driver='' part view tops layers
  for index in "${!storage[@]}"; do
    option=${storage[index]}
    if [[ $option == --storage-driver=* ]]; then driver=${option#*=}; fi
    if [[ $option != --storage-opt=*.imagestore=* ]]; then continue; fi
    store=${option##*.imagestore=} view=$work/images-$index
    mkdir "$view"
    for part in "$driver-images" "$driver-layers"; do
      if [[ ! -d $store/$part ]]; then continue; fi
      mkdir -m 700 "$view/$part"
      sandbox_sees+=("$store/$part")
      find "$store/$part" -mindepth 1 -maxdepth 1 ! -name '*.json' ! -name '*.lock' -exec ln -s -t "$view/$part" {} +
    done
    if [[ -f $store/$driver-images/images.json ]]; then
      jq 'map(select(any(.id, .names[]?; IN($ARGS.positional[]))))' "$store/$driver-images/images.json" \
        --args "${own_bases[@]}" >"$view/$driver-images/images.json"
      tops=$(jq --compact-output 'map(.layer, ."mapped-layers"[]? | strings)' "$view/$driver-images/images.json")
      jq --argjson tops "$tops" \
        'INDEX(.id) as $all | [$tops[] | recurse($all[.].parent | strings)] as $used | map(select(.id | IN($used[])))' \
        "$store/$driver-layers/layers.json" >"$view/$driver-layers/layers.json"
      mapfile -t layers < <(jq --raw-output '.[].id' "$view/$driver-layers/layers.json")
      see_layers "$store/$driver" "$view/$driver" "${layers[@]}"
    fi
    storage[index]=${option%"$store"}$view
  done
}

# see_layers FROM TO LAYER…: the folder of a driver, with these layers alone.
see_layers() {
  local from=$1 to=$2 path
  shift 2
  if [[ $# == 0 ]]; then return; fi
  if [[ ${to##*/} == vfs ]]; then
    from+=/dir
    # It copies what a link is, not what it leads to. In a sandbox nothing else is where the link of the folder leads.
    if [[ ${ISOLATION:-} == chroot ]]; then
      mkdir -m 700 "$to" "$to/dir"
      apart -- cp --archive --reflink=auto --target-directory="$to/dir" -- "${@/#/"$from"/}"
    else
      ln -s "${from%/dir}" "$to"
      sandbox_sees+=("${@/#/"$from"/}")
    fi
    return
  fi
  mkdir -m 700 "$to"
  for path in "${@/#/"$from"/}" "$from/l"; do
    if [[ -e $path ]]; then ln -s -t "$to" "$path"; fi
    sandbox_sees+=("$path")
  done
}

# On somebody's own machine, where it is kept and found again.
pull_base() {
  local base=$1 policy_of_pull=always id
  local -a from=("--tls-verify=$(verify_tls "$base")")
  printf 'Pulling %s\n' "$base"
  if [[ $base == *@sha256:* ]]; then
    # A digest can't change; what only has a tag is looked for anew.
    policy_of_pull=missing digests[$base]=${base##*@}
  else
    digests[$base]=$(as_user again skopeo inspect "${from[@]}" --raw "docker://$base" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/') ||
      fail_to_pull "$base"
  fi
  # What is said last is the image's id.
  id=$(as_user again apart -- buildah pull "${policy[@]}" --quiet "--policy=$policy_of_pull" \
    "--platform=linux/$architecture" "${from[@]}" "$base" | tail -n 1) || fail_to_pull "$base"
  own_bases+=("$id") pulled[$base]=$id
}

fail_to_pull() {
  fail "base $1 can't be pulled" '  expected: an image that can be had from here, as it is named' '  found: what is above' \
    "  hint: skopeo inspect docker://$1 looks for it; podman login lets you in where it is private"
}

platform_of() {
  # Pipelines as Code takes two braces in a row for its own.
  buildah "${storage[@]}" inspect --type=image '--format={''{.OCIv1.OS}''}/{''{.OCIv1.Architecture}''}' "$1"
}

# A substitute of another architecture is never passed off as a base: its programs would be in an image that claims to
# run them. In its place comes an image of the platform that holds nothing, and says so in a label that the built image
# inherits. It has the same bytes each time, whatever the machine.
require_platform() {
  local base=$1 found option folder=$work/without-base own=()
  local empty=localhost/stand-in/without-base:linux-$architecture
  found=$(platform_of "${substitutes[$base]}")
  if [[ $found == "linux/$architecture" ]]; then return; fi
  printf '%s is replaced by nothing: its substitute %s is for %s, not for linux/%s.\n' \
    "$base" "${substitutes[$base]}" "$found" "$architecture"
  printf "The image has all that its Containerfile adds, and none of its base's programs: it can't run.\n"
  mkdir -p "$folder"
  # It stands on nothing, so it need not see this machine's images.
  for option in "${storage[@]}"; do
    if [[ $option != *.imagestore=* ]]; then own+=("$option"); fi
  done
  printf 'FROM scratch\nLABEL tekton-local.without-base="%s"\n' \
    "the base image for linux/$architecture could not be had: this image can not run" >"$folder/Containerfile"
  buildah "${own[@]}" build --quiet --isolation=chroot "--platform=linux/$architecture" --timestamp=0 \
    --identity-label=false --omit-history --format=oci "--tag=$empty" "$folder" >"$work/without-base.id"
  substitutes[$base]=$empty digests[$base]=sha256:$(tail -n 1 "$work/without-base.id")
}
