#!/usr/bin/env bash
# Runs a program on somebody's own machine so that nothing of that machine can be changed or looked into, by it or by
# what it starts: in namespaces of its own (mounts, processes, System V IPC, host name), on a root that has this machine's
# programs read-only, a few device nodes, and nothing of /home, /root, /var, /run, /tmp and most of /etc. It keeps the
# user's rights, which it needs to mount things in there, and the network unless `--net` takes that away.

# Of this machine's files, what a build needs. No secret is in any of them.
sandbox_sees=(/usr /bin /sbin /lib /lib32 /lib64 /libx32 /opt /nix /gnu /etc/{passwd,group,subuid,subgid}
  /etc/{hosts,resolv.conf,nsswitch.conf,ld.so.cache,localtime,alternatives,ca-certificates}
  /etc/ssl/certs /etc/pki/tls/certs /etc/pki/ca-trust/extracted)
for of_containers in /etc/containers "${XDG_CONFIG_HOME:-${HOME:-/root}/.config}/containers"; do
  sandbox_sees+=("$of_containers"/{containers,registries,storage,mounts}.conf
    "$of_containers"/{containers.conf.d,registries.conf.d,policy.json})
done
sandbox_sees+=("${CONTAINERS_CONF:-}" "${CONTAINERS_STORAGE_CONF:-}" "${CONTAINERS_REGISTRIES_CONF:-}")

# sandbox [OPTION OF unshare]… -- FOLDER COMMAND…
# FOLDER is where the root is put together. `sandbox_writes` names folders that are seen and can be written to.
sandbox() {
  local options=() rootless=()
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  if [[ $EUID != 0 ]]; then rootless=(buildah unshare --); fi
  : "${sandbox_writes:=}"
  # pivot_root is where a user's PATH does not lead. Descriptor 3 is for words to a person, not for whoever is in there.
  PATH=$PATH:/usr/sbin:/sbin "${rootless[@]}" unshare --mount --propagation=private --pid --fork --kill-child --ipc --uts \
    "${options[@]}" -- bash -c "$(declare -p sandbox_sees sandbox_writes)
    $(declare -f enter_sandbox)"'
    enter_sandbox "$@"' sandbox "${@:2}" 3>&-
}

# Puts the root together, moves there, and becomes the command.
enter_sandbox() {
  set -euo pipefail
  local root=$1 at field path table folders files=()
  shift
  # As a table of mounts has it (fstab(5)).
  field() {
    field=${1//\\/\\134} field=${field// /\\040} field=${field//$'\t'/\\011}
  }
  field "$root"
  at=$field
  mount -t tmpfs -o mode=755,nosuid,nodev,size=64m tmpfs "$root"
  folders=("$root"/{proc,sys,dev/shm,dev/pts,tmp,run,old}
    # Places that programs look for, with nothing in them.
    "$root${HOME:-/root}" "$root${TMPDIR:-/tmp}" "$root${XDG_RUNTIME_DIR:-/run}")
  table="proc $at/proc proc nosuid,nodev,noexec
/sys $at/sys none rbind,ro
tmpfs $at/sys/fs/cgroup tmpfs ro,size=4k
tmpfs $at/dev/shm tmpfs mode=1777,nosuid,nodev
devpts $at/dev/pts devpts newinstance,ptmxmode=0666,mode=0620"
  # As in containers: what a user whose id is 0 could write to without any capability.
  for path in /proc/{sys,irq,bus,fs,sysrq-trigger}; do
    if [[ -e $path ]]; then table+=$'\n'"$at$path $at$path none bind,ro"; fi
  done
  add() {
    if [[ -d $2 ]]; then folders+=("$root$2"); elif [[ -e $2 ]]; then folders+=("$root${2%/*}") && files+=("$root$2"); else return 0; fi
    field "$2"
    table+=$'\n'"$field $at$field none rbind,$1"
  }
  for path in "${sandbox_sees[@]}"; do add ro "$path"; done
  for path in "${sandbox_writes[@]}" /dev/{null,zero,full,random,urandom,tty,fuse}; do add rw "$path"; done
  mkdir -p -- "${folders[@]}"
  for path in "${files[@]}"; do : >"$path"; done
  chmod 1777 "$root/tmp"
  # Under their own names: dev/ptmx and dev/fd.
  ln -s -t "$root/dev" pts/ptmx /proc/self/fd
  printf '%s\n' "$table" >"$root/mounts"
  mount --all --fstab "$root/mounts"
  cd "$root"
  pivot_root . old
  umount -l old
  cd /
  exec "$@"
}
