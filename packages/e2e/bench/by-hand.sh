#!/bin/sh
# What the pipeline of the default chain comes down to, as one would type it: the same programs, on the same registry.
# Usage: by-hand.sh FOLDER HOST REPOSITORY REVISION BASE_IMAGE [ARGUMENTS OF podman run]...
set -eu
folder=$1 host=$2 repository=$3 revision=$4 base=$5
shift 5
image1=$host/o/image1
image2=$host/o/image2
cd "$folder"

blob() { # blob REPOSITORY FILE: uploads it, and says its digest
  digest=sha256:$(sha256sum "$2" | cut -d' ' -f1)
  place=$(curl -sSf -X POST -o /dev/null -w '%header{location}' "http://$host/v2/$1/blobs/uploads/")
  curl -sSf -o /dev/null -X PUT -H 'content-type: application/octet-stream' --data-binary "@$2" "$place&digest=$digest"
  echo "$digest"
}
tag() { # tag REPOSITORY TAG FILE
  curl -sSf -o /dev/null -X PUT -H 'content-type: application/vnd.oci.image.manifest.v1+json' \
    --data-binary "@$3" "http://$host/v2/$1/manifests/$2"
}
manifest() { # manifest REPOSITORY NAME
  curl -sSf -H 'accept: application/vnd.oci.image.manifest.v1+json' "http://$host/v2/$1/manifests/$2"
}
source_for() { # source_for FOLDER: the source, out of the registry
  mkdir "$1"
  curl -sSf -o "$1.tar.gz" "http://$host/v2/o/image1/blobs/$source"
  tar --extract --gzip --same-permissions --no-same-owner --file "$1.tar.gz" --directory "$1"
}
build() { # build NAME IMAGE [ARGUMENTS]: says the digest
  name=$1 image=$2
  shift 2
  source_for "$name-source"
  (cd "$name-source" && unshare --net -- buildah bud --isolation=chroot --no-cache --pull-never --http-proxy=false \
    --identity-label=false --format=oci --omit-history "--timestamp=$time" "--tag=localhost/by-hand/$name" \
    "--file=$name/Containerfile" "--build-arg=BASE_IMAGE=$base" "$@" \
    "--label=org.opencontainers.image.revision=$revision" "--label=vcs-ref=$revision" . >../"$name.log" 2>&1)
  buildah push --quiet --tls-verify=false --format=oci "--digestfile=$name.digest" "localhost/by-hand/$name" \
    "docker://$image"
  cat "$name.digest"
}

# clone-repository
git init --quiet clone
git -C clone fetch --quiet --no-tags --depth=1 "$repository" "$revision"
git -C clone checkout --quiet --detach FETCH_HEAD
time=$(git -C clone show --no-patch --format=%ct)
tar --create '--use-compress-program=gzip -n' --sort=name "--mtime=@$time" --owner=0 --group=0 --numeric-owner \
  --file source.tar.gz --directory clone .
source=$(blob o/image1 source.tar.gz)
printf '{}' >config.json
config=$(blob o/image1 config.json)
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%s}]}' \
  "$config" "$source" "$(stat -c %s source.tar.gz)" >source.json
tag o/image1 by-hand.git source.json

# build-image-1, build-image-2
origin=$(build image1 "$image1:by-hand-unsealed")
metadata=$(build image2 "$image2:by-hand" "--build-arg=IMAGE1_DIGEST=$origin" "--build-arg=IMAGE1_URL=$image1@$origin")

# label-image-1
source_for label
chain() {
  podman run --rm --network host --http-proxy=false --security-opt label=disable "$@"
}
cli=/var/workdir/label/packages/digest-chain/src/cli.ts
chain "$@" "--volume=$folder:/var/workdir" --entrypoint '["node"]' "$base" "$cli" seal "--tag=$image1:by-hand" \
  --prefix=io.konflux.poc -- "$image1:by-hand-unsealed@$origin" "metadata=$image2:by-hand@$metadata" >seal.log
chain "$@" "--volume=$folder:/var/workdir" --entrypoint '["node"]' "$base" "$cli" verify "--revision=$revision" \
  --prefix=io.konflux.poc -- "$image1:by-hand" >verify.log

# The scans look at the manifest; then latest moves.
for scan in 1 2 3 4; do manifest o/image1 by-hand >"scan-$scan"; done
manifest o/image2 "$metadata" >latest-2
tag o/image2 latest latest-2
manifest o/image1 by-hand >latest-1
tag o/image1 latest latest-1
