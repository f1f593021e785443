#!/usr/bin/env bash
# Fetches one revision, with its .git, into /var/workdir/source.
set -euo pipefail
umask 022

# shellcheck source=common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"

number() {
  [[ $2 =~ ^[0-9]{1,6}$ ]] || fail "param $1 is not a number" "  found: '$2'"
}

refuse refspec "$REFSPEC" ''
refuse submodulePaths "$SUBMODULE_PATHS" ''
refuse sparseCheckoutDirectories "$SPARSE_CHECKOUT_DIRECTORIES" ''
refuse symlinkCheckIgnorePattern "$SYMLINK_CHECK_IGNORE_PATTERN" ''
refuse mergeTargetBranch "$MERGE_TARGET_BRANCH" false
refuse httpProxy "$CLONE_HTTP_PROXY" ''
refuse httpsProxy "$CLONE_HTTPS_PROXY" ''
number depth "$DEPTH"
number shortCommitLength "$SHORT_COMMIT_LENGTH"
[[ $SSH_DIRECTORY_BOUND != true ]] ||
  fail 'workspace ssh-directory is not supported by this stand-in' '  hint: clone over https, with the workspace basic-auth'
revision=${REVISION:-HEAD}
malformed='^[-+]|[[:space:]:*?\[\\^~]'
[[ ! $revision =~ $malformed ]] || fail 'the revision is malformed' "  found: '$revision'"

# Without a password that is in it.
shown=$URL
if [[ $URL =~ //[^/@]*@ ]]; then shown=${URL/"${BASH_REMATCH[0]}"/\/\/}; fi
# Both may be somewhere else than the Task says: on somebody's own machine, in folders of that run.
cd -P -- "$WORKDIR"
source=$PWD/source
from=${FETCH_FROM:-$URL}
# Of this step alone: credentials never reach the folder that becomes the artifact.
private=$(mktemp -d)
trap 'rm -rf -- "$private"' EXIT
export GIT_CONFIG_GLOBAL=$private/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_ALLOW_PROTOCOL=git:http:https

# Nobody else's configuration counts: it could name hooks, filters and helpers, all of which run programs.
{
  printf '[core]\n\thooksPath = /dev/null\n\tlogAllRefUpdates = false\n\tautocrlf = false\n'
  # With more threads the pack, and so the artifact, would differ from run to run.
  # Nor does anything look for what could be packed closer: that is half of a fetch from a folder of this machine.
  printf '[pack]\n\tthreads = 1\n\twindow = 0\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[advice]\n\tdetachedHead = false\n'
  if [[ $SSL_VERIFY != true ]]; then printf '[http]\n\tsslVerify = false\n'; fi
} >"$GIT_CONFIG_GLOBAL"
if [[ -n ${FETCH_FROM:-} ]]; then
  export GIT_ALLOW_PROTOCOL=file:git:http:https:ssh GIT_SSH_COMMAND='ssh -oBatchMode=yes'
  # Whoever runs this named the folder, whoever owns it.
  folder=${FETCH_FROM#file://}
  folder=${folder//\\/\\\\}
  folder=${folder//\"/\\\"}
  printf '[safe]\n\tdirectory = "%s"\n\tdirectory = "%s/.git"\n' "$folder" "$folder" >>"$GIT_CONFIG_GLOBAL"
fi

if [[ -f $CA_BUNDLE ]]; then
  # git reads one file, so that the usual authorities have to be in it as well.
  cat "$CA_BUNDLE" >"$private/ca-bundle.crt"
  for bundle in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt; do
    if [[ -f $bundle ]]; then
      cat "$bundle" >>"$private/ca-bundle.crt"
      break
    fi
  done
  git config --global http.sslCAInfo "$private/ca-bundle.crt"
fi

if [[ $BASIC_AUTH_BOUND == true ]]; then
  credentials=$private/credentials
  if [[ -f $BASIC_AUTH_PATH/.git-credentials ]]; then
    (umask 077 && cat "$BASIC_AUTH_PATH/.git-credentials" >"$credentials")
  elif [[ -f $BASIC_AUTH_PATH/username && -f $BASIC_AUTH_PATH/password ]]; then
    [[ $URL =~ ^https://([^/@]+@)?([^/]+)/ ]] || fail 'credentials are only sent over https' "  found: '$shown'"
    host=${BASH_REMATCH[2]}
    # Line ends are of whoever made the secret, not of the password.
    encode() { jq -jRs 'rtrimstr("\n") | @uri' "$BASIC_AUTH_PATH/$1"; }
    (umask 077 && printf 'https://%s:%s@%s\n' "$(encode username)" "$(encode password)" "$host" >"$credentials")
  else
    fail 'workspace basic-auth holds no credentials' '  expected: .git-credentials, or username and password'
  fi
  git config --global credential.helper "store --file=$credentials"
fi

git init --quiet --template= --initial-branch=main "$source"
cd "$source"
options=(--quiet --no-write-fetch-head)
if [[ $FETCH_TAGS == true ]]; then options+=(--tags); else options+=(--no-tags); fi
if [[ $DEPTH != 0 ]]; then options+=("--depth=$DEPTH"); fi
# A ref is needed for what is fetched. It is removed again, so that nothing but HEAD names the commit.
git fetch "${options[@]}" -- "$from" "$revision:refs/stand-in/revision"
git checkout --quiet --detach refs/stand-in/revision
git update-ref -d refs/stand-in/revision
# The index holds inodes and times of this machine; without them, the artifact is the same wherever it is made.
rm -f .git/index
git read-tree HEAD
git remote add origin "$URL"
read -r commit short timestamp < <(git show --no-patch "--abbrev=$SHORT_COMMIT_LENGTH" --format='tformat:%H %h %ct' HEAD)
printf 'Fetched %s of %s: commit %s\n' "$revision" "$shown" "$commit"

if [[ $SUBMODULES == true && -e .gitmodules ]]; then
  fail 'submodules are not supported by this stand-in' '  found: .gitmodules' \
    '  hint: set the param submodules to "false", or build on Konflux'
fi
if [[ $ENABLE_SYMLINK_CHECK == true ]]; then
  while IFS= read -r -d '' link; do
    target=$(readlink -- "$link")
    real=$(realpath --canonicalize-missing -- "$link")
    [[ $target != /* && $real/ == "$source"/* ]] ||
      fail 'a link leads out of the source' '  expected: a relative target inside' "  found: ${link#./} → $target"
  done < <(find . -type l -print0)
fi

printf '%s' "$URL" >"$URL_RESULT"
printf '%s' "$URL" >"$CHAINS_URL_RESULT"
printf '%s' "$commit" >"$COMMIT_RESULT"
printf '%s' "$commit" >"$CHAINS_COMMIT_RESULT"
printf '%s' "$short" >"$SHORT_COMMIT_RESULT"
printf '%s' "$timestamp" >"$TIMESTAMP_RESULT"
