#!/usr/bin/env bash
# Builds an image with buildah and pushes it, for the platform of the node or another one. An SBOM is made where SCANNERS says
# that this machine's tools are used, and it has syft.
set -euo pipefail
umask 022

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=machine/sandbox.sh
. "${BASH_SOURCE[0]%/*}/machine/sandbox.sh"

# Plain HTTP is for the registry of the image. Bases come from others, whose certificates still count.
verify_tls() {
  if [[ $TLSVERIFY != true || (${PLAIN_HTTP:-} == true && ${1%%/*} == "${IMAGE%%/*}") ]]; then
    printf 'false'
  else
    printf 'true'
  fi
}

# Runs something with the rights to mount what a build needs. Options of unshare come first, then `--`.
if [[ -z ${BUILDAH_STORAGE:-} ]]; then
  # A container's root has them in a user namespace of its own. The ids are those that the image's /etc/subuid gives it.
  apart() { unshare --user --map-root-user --map-users=1,1,65535 --map-groups=1,1,65535 --keep-caps --mount "$@"; }
else
  # On somebody's own machine root has them, and for anybody else buildah gets them by itself.
  apart() {
    if [[ $1 == -- ]]; then "${@:2}"; elif [[ $EUID == 0 ]]; then unshare "$@"; else buildah unshare -- unshare "$@"; fi
  }
fi
# Runs buildah where it runs what a Containerfile says: in a Pod that is around it already, on a machine in a sandbox,
# unless whoever runs this has agreed to do without.
contained() {
  if [[ -z ${BUILDAH_STORAGE:-} || ${ISOLATION:-} == chroot ]]; then
    apart "$@"
  else
    local options=()
    while [[ $1 != -- ]]; do
      options+=("$1")
      shift
    done
    mkdir "$work/sandbox"
    sandbox "${options[@]}" -- "$work/sandbox" "${@:2}"
  fi
}

refuse ACTIVATION_KEY "$ACTIVATION_KEY" activation-key
refuse ADDITIONAL_SECRET "$ADDITIONAL_SECRET" does-not-exist
refuse ADD_CAPABILITIES "$ADD_CAPABILITIES"
refuse ANNOTATIONS_FILE "$ANNOTATIONS_FILE"
refuse CACHI2_ARTIFACT "$CACHI2_ARTIFACT"
refuse ENTITLEMENT_SECRET "$ENTITLEMENT_SECRET" etc-pki-entitlement
refuse HTTP_PROXY "$BUILD_HTTP_PROXY"
refuse INHERIT_BASE_IMAGE_LABELS "$INHERIT_BASE_IMAGE_LABELS" true
refuse PREFETCH_INPUT "$PREFETCH_INPUT"
refuse PRIVILEGED_NESTED "$PRIVILEGED_NESTED" false
refuse WORKINGDIR_MOUNT "$WORKINGDIR_MOUNT"
refuse YUM_REPOS_D_FETCHED "$YUM_REPOS_D_FETCHED" fetched.repos.d
refuse YUM_REPOS_D_SRC "$YUM_REPOS_D_SRC" repos.d
refuse YUM_REPOS_D_TARGET "$YUM_REPOS_D_TARGET" /etc/yum.repos.d
for name in CONTEXT DOCKERFILE BUILD_ARGS_FILE; do
  [[ ${!name} != /* ]] || fail "the param $name leads out of the source" "  found: '${!name}'"
done
case $BUILDAH_FORMAT in
  oci) format=oci ;;
  docker) format=v2s2 ;;
  *) fail 'param BUILDAH_FORMAT is unknown' '  expected: oci or docker' "  found: '$BUILDAH_FORMAT'" ;;
esac
time=${EPOCH:-$BUILD_TIMESTAMP}
[[ $time =~ ^[0-9]{0,12}$ ]] ||
  fail 'param SOURCE_DATE_EPOCH or BUILD_TIMESTAMP is not a time' '  expected: seconds since 1970' "  found: '$time'"

# The array params: an option that none of them can be, and then name=value.
declare -A build_args=()
labels=() annotations=() kind='' kinds=''
for word; do
  case $word in
    --build-args | --labels | --annotations | --envs)
      [[ $kinds != *"$word "* ]] || fail 'an array param holds something that is not name=value' "  found: '$word'"
      kind=$word kinds+="$word "
      continue
      ;;
  esac
  [[ $word == ?*=* ]] || fail "${kind#--}: not name=value" "  found: '$word'"
  case $kind in
    --build-args) build_args[${word%%=*}]=${word#*=} ;;
    --labels) labels+=("--label=$word") ;;
    --annotations) annotations+=("--annotation=$word") ;;
    *) refuse ENV_VARS "$word" ;;
  esac
done

declare -A machines=([amd64]=x86_64 [arm64]=aarch64 [ppc64le]=ppc64le [s390x]=s390x)
node='' architecture='' machine=$(uname -m)
[[ $PLATFORM == local || $PLATFORM == localhost ]] && written=$machine || written=${PLATFORM##*/}
for name in "${!machines[@]}"; do
  if [[ ${machines[$name]} == "$machine" ]]; then node=$name; fi
  if [[ $written == "$name" || $written == "${machines[$name]}" ]]; then architecture=$name; fi
done
[[ -n $architecture && $PLATFORM =~ ^(local|localhost|linux(-[a-z0-9]+)*/[a-z0-9_]+)$ ]] ||
  fail 'param PLATFORM is not one that images are built for here' \
    '  expected: linux/x86_64, linux/arm64, linux/ppc64le, linux/s390x, local or localhost' "  found: '$PLATFORM'"
if [[ $IMAGE_APPEND_PLATFORM == true ]]; then IMAGE+=-${PLATFORM//[^a-zA-Z0-9]/-}; fi
[[ $IMAGE =~ ^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$ ]] ||
  fail 'param IMAGE is no reference of an image' "  found: '$IMAGE'"
into=$(repository "$IMAGE")
target=${IMAGE%%@*}
if [[ $target == "$into" ]]; then target=$into:latest; fi

cd -P -- "$WORKDIR"
source=$PWD/source
# Where the params lead, whether there is anything or not.
named=("$CONTEXT" "$CONTEXT/$DOCKERFILE" "$DOCKERFILE" "$BUILD_ARGS_FILE")
mapfile -d '' -t real < <(realpath --zero --canonicalize-missing -- "${named[@]/#/"$source"/}")
[[ ${#real[@]} == "${#named[@]}" ]] || fail 'the params CONTEXT, DOCKERFILE and BUILD_ARGS_FILE lead nowhere'
inside() {
  [[ ${real[$2]} == "$source" || ${real[$2]} == "$source"/* ]] ||
    fail "the param $1 leads out of the source" "  found: '${named[$2]}'"
}

[[ ! -e $source/$YUM_REPOS_D_SRC ]] ||
  fail "the source holds $YUM_REPOS_D_SRC, and this stand-in gives no repositories to the build"
inside CONTEXT 0
folder=${real[0]}
[[ -d $folder ]] || fail 'the param CONTEXT is not a folder of the source' "  found: '$CONTEXT'"
inside DOCKERFILE 1
containerfile=${real[1]}
if [[ ! -f $containerfile ]]; then
  inside DOCKERFILE 2
  containerfile=${real[2]}
fi
[[ -f $containerfile ]] ||
  fail 'there is no such Containerfile in the source' "  expected: a file in '$CONTEXT' or in the source" "  found: '$DOCKERFILE'"

if [[ -n $BUILD_ARGS_FILE ]]; then
  inside BUILD_ARGS_FILE 3
  file=${real[3]}
  [[ -f $file ]] || fail 'the param BUILD_ARGS_FILE is not in the source' "  found: '$BUILD_ARGS_FILE'"
  while read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    if [[ -z $line || $line == '#'* ]]; then continue; fi
    [[ $line == ?*=* ]] || fail "$BUILD_ARGS_FILE: not name=value" "  found: '$line'"
    # BUILD_ARGS come before it.
    if [[ -z ${build_args[${line%%=*}]+given} ]]; then build_args[${line%%=*}]=${line#*=}; fi
  done <"$file"
fi

# shellcheck source=containerfile.sh
. "${BASH_SOURCE[0]%/*}/containerfile.sh"
read_containerfile "$containerfile"
version=$(buildah --version)
[[ $version =~ ^buildah\ version\ ([0-9]+)\.([0-9]+)(\.([0-9]+))? ]] || fail 'the version of buildah is not understood' "  found: '$version'"
version=${BASH_REMATCH[1]}.${BASH_REMATCH[2]}.${BASH_REMATCH[4]:-0}
number=$((BASH_REMATCH[1] * 1000000 + BASH_REMATCH[2] * 1000 + ${BASH_REMATCH[4]:-0}))
if [[ ${#image_writes[@]} != 0 ]] && ((number < 1035001)); then
  # CVE-2024-1753. Some older releases have the fix, which their version does not tell.
  fail "this buildah may follow a link of an image out of the build, with the right to write there" \
    "  expected: buildah 1.35.1 or newer, or no RUN that mounts an image's path to write to it" \
    "  found: buildah $version, and $(printf '%q ' "${image_writes[@]}")"
fi

work=$(mktemp -d -p "$WORKDIR")
# What buildah keeps meanwhile is as large as the image: it goes to a volume.
export TMPDIR=$work
storage=() policy=() isolation=()
if [[ -n ${BUILDAH_STORAGE:-} ]]; then
  # A storage of this build alone, in which this machine's images can be used as well: see `see_images`.
  mapfile -t storage <<<"$BUILDAH_STORAGE"
  storage+=("--root=$work/root" "--runroot=$work/run")
  sandbox_writes=("$PWD")
else
  # A Pod's fsGroup would be the group of all that is made in there, which no user namespace has.
  chown -R 0:0 "$WORKDIR"
  chown 0:0 /var/lib/containers
  chmod g-s "$WORKDIR" /var/lib/containers
  # As in Konflux' task: the policy of Red Hat's images asks for signatures on bases from its registries, and looks for
  # them on another host. Bases are named by digest.
  printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
  policy=(--signature-policy "$work/policy.json")
  apart -- true ||
    fail 'an image is built in a user namespace, and the node lets this step have none' \
      '  expected: user namespaces for containers, and the capability SETFCAP' \
      '  hint: see user.max_user_namespaces and the AppArmor or seccomp profile of the node'
fi
if [[ $HERMETIC == true ]]; then
  if apart --net -- true; then
    isolation=(--net)
  elif [[ -n ${BUILDAH_STORAGE:-} ]]; then
    note 'HERMETIC is not enforced: this machine does not let a build be cut off from the network'
  else
    fail 'HERMETIC: the node does not let a build be cut off from the network' \
      '  hint: build with the param hermetic set to "false", knowing that the network may be in the image'
  fi
fi

# shellcheck source=bases.sh
. "${BASH_SOURCE[0]%/*}/bases.sh"
bring_bases

# As on Konflux, another format is a matter of pushing. buildah's own docker format also holds a random host name.
options=(--isolation=chroot --no-cache --pull-never --http-proxy=false --identity-label=false --format=oci)
# Of its own accord buildah raises these, which root in a container may not. Its own it has lowered to what is said here.
for limit in 'nofile n 1048576' "nproc u $(</proc/sys/kernel/pid_max)"; do
  read -r name letter most <<<"$limit"
  hard=$(ulimit "-H$letter")
  if [[ $hard == unlimited ]] || ((hard > most)); then hard=$most; fi
  options+=("--ulimit=$name=$hard:$hard")
done
if [[ -n $time && -n $takes_time ]]; then
  # Only where it is asked for: buildah warns about arguments that nothing uses.
  build_args[SOURCE_DATE_EPOCH]=$time
fi
if ((number >= 1041000)); then
  # Needed where the node's SELinux policy is older than this buildah.
  options+=(--security-opt=unmask=/proc/interrupts)
  if [[ -n $EPOCH ]]; then options+=("--source-date-epoch=$time"); elif [[ -n $time ]]; then options+=("--timestamp=$time"); fi
  if [[ $REWRITE_TIMESTAMP == true ]]; then options+=(--rewrite-timestamp); fi
elif [[ -n $time ]]; then
  # Before 1.41 there is one option for both, which gives every file of the image this time.
  options+=("--timestamp=$time")
fi
if [[ $OMIT_HISTORY == true ]]; then options+=(--omit-history); fi
if [[ $SQUASH == true ]]; then options+=(--squash); fi
if [[ $SKIP_UNUSED_STAGES != true ]]; then options+=(--skip-unused-stages=false); fi
if [[ -n $TARGET_STAGE ]]; then options+=("--target=$TARGET_STAGE"); fi
if [[ $architecture != "$node" ]]; then options+=("--platform=linux/$architecture"); fi
for name in "${!build_args[@]}"; do options+=("--build-arg=$name=${build_args[$name]}"); done
# The base as the Containerfile says it: buildah writes any of the names and digests that the image has where it is stored.
base=${TARGET_STAGE,,}
base=${stages[${base:-$last}]-}
if [[ -n $base ]]; then
  options+=("--annotation=org.opencontainers.image.base.name=${substitutes[$base]-$base}")
  options+=("--annotation=org.opencontainers.image.base.digest=${digests[$base]}")
fi

# The labels that Konflux' build gives every image; a later one replaces an earlier one of the same name.
label() { if [[ -n $2 ]]; then options+=("--label=$1=$2"); fi; }
TZ=UTC printf -v date '%(%Y-%m-%dT%H:%M:%SZ)T' "$((10#${time:-$EPOCHSECONDS}))"
label architecture "${machines[$architecture]}"
label vcs-type git
label vcs-ref "$COMMIT_SHA"
label vcs-url "$SOURCE_URL"
label build-date "$date"
label org.opencontainers.image.created "$date"
label org.opencontainers.image.revision "$COMMIT_SHA"
label org.opencontainers.image.source "$SOURCE_URL"
label quay.expires-after "$IMAGE_EXPIRES_AFTER"

name=localhost/stand-in/build:image
if [[ $architecture != "$node" ]]; then printf 'Building for linux/%s on linux/%s: no RUN.\n' "$architecture" "$node"; fi
if ! contained "${isolation[@]}" -- buildah "${storage[@]}" build "${policy[@]}" "${options[@]}" "${contexts[@]}" "${labels[@]}" \
  "${annotations[@]}" "--tag=$name" "--file=$containerfile" "$folder" 2>&1 | tee "$work/log"; then
  # What was begun last. A RUN may have failed for any reason, of which this one is the likeliest.
  step=$(sed -n 's/^.*STEP [0-9]*\/[0-9]*: //p' "$work/log" | tail -n 1)
  [[ $architecture == "$node" || ${step^^} != 'RUN '* ]] ||
    fail "a RUN for linux/$architecture failed on linux/$node" \
      "  expected: programs of linux/$architecture that run here: a base that can be pulled, and an emulator" \
      "  found: $step" '  hint: install qemu-user-static, build on a node of that platform, or without RUN'
  exit 1
fi
again apart -- buildah "${storage[@]}" push "${policy[@]}" --quiet "--format=$format" "--digestfile=$work/digest" \
  "--tls-verify=$(verify_tls "$target")" "$name" "docker://$target"
digest=$(<"$work/digest")
# The catalog's task also leaves a tag that no other run can move. It is made of the registry's own bytes, by digest.
again skopeo copy --quiet --preserve-digests "--src-tls-verify=$(verify_tls "$target")" \
  "--dest-tls-verify=$(verify_tls "$target")" "docker://$into@$digest" "docker://$into:$TASK_RUN"

printf 'Pushed %s@%s\n' "$target" "$digest"
# shellcheck source=machine/sbom.sh
. "${BASH_SOURCE[0]%/*}/machine/sbom.sh"
sbom=
if [[ ${SCANNERS:-} == machine ]]; then make_sbom; else printf 'No SBOM is made by this stand-in: SBOM_BLOB_URL is empty.\n'; fi
printf '%s' "$target" >"$URL_RESULT"
printf '%s' "$digest" >"$DIGEST_RESULT"
printf '%s@%s' "$target" "$digest" >"$REF_RESULT"
printf '%s' "$sbom" >"$SBOM_RESULT"
