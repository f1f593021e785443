#!/usr/bin/env bash
# Reads from a Containerfile which images it is built from, so that they can be there before the network is cut off.
# Heeded is what decides that: ARG before the first FROM, FROM, COPY --from and RUN --mount=…from=. The build itself is
# buildah's. It needs `build_args`, `architecture` and `node`, and leaves `bases` (its keys are the images), `by_argument` (those
# that a build argument names whole, by its name), `stages` (what each one stands on in the end, by name and number),
# `last` (the last stage's number), `image_writes` (mounts of RUN that write to a path of an image, or may) and
# `takes_time` (whether there is an ARG SOURCE_DATE_EPOCH).
# shellcheck disable=SC2034,SC2154
declare -A arguments=() stages=([scratch]='') bases=() by_argument=()
image_writes=() takes_time=''
stage=0 last=scratch

# Fills in build arguments and takes quotes away. What is not known stays as it is.
expand() {
  local text=$1 name value
  # shellcheck disable=SC2016
  local reference='^([^$]*)\$(\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))(.*)$'
  if [[ $text =~ ^\"(.*)\"$ || $text =~ ^\'(.*)\'$ ]]; then text=${BASH_REMATCH[1]}; fi
  expanded=''
  while [[ $text =~ $reference ]]; do
    name=${BASH_REMATCH[3]}${BASH_REMATCH[6]} value=${BASH_REMATCH[5]}
    if [[ -z $value ]]; then value='$'$name; fi
    expanded+=${BASH_REMATCH[1]}${arguments[$name]-$value}
    text=${BASH_REMATCH[7]}
  done
  expanded+=$text
}

note_base() {
  local name=$1
  if [[ -z $name || $name == *'$'* || $name =~ ^[0-9]+$ || -n ${stages[${name,,}]+known} ]]; then return; fi
  # A base is an image of a registry. buildah would take a folder or an archive of this machine as well.
  if [[ $name =~ ^(dir|oci|oci-archive|docker-archive|docker-daemon|containers-storage|ostree|sif|tarball): ]]; then
    fail 'the Containerfile is built from what is no image of a registry' "  found: $name"
  fi
  bases[$name]=1
}

read_instruction() {
  local words word base operands=()
  read -ra words <<<"$1"
  case ${words[0]^^} in
    ARG)
      for word in "${words[@]:1}"; do
        if [[ ${word%%=*} == SOURCE_DATE_EPOCH ]]; then takes_time=1; fi
      done
      if [[ $stage != 0 ]]; then return; fi
      for word in "${words[@]:1}"; do
        local name=${word%%=*}
        if [[ -z $name ]]; then continue; fi
        if [[ -n ${build_args[$name]+given} ]]; then
          arguments[$name]=${build_args[$name]}
        elif [[ $word == *=* ]]; then
          expand "${word#*=}"
          arguments[$name]=$expanded
        fi
      done
      ;;
    FROM)
      for word in "${words[@]:1}"; do
        if [[ $word != --* ]]; then
          operands+=("$word")
        elif [[ $word == --platform* && $architecture != "$node" ]]; then
          fail 'FROM --platform is not supported where an image is built for another platform' "  found: $1"
        fi
      done
      expand "${operands[0]-}"
      base=$expanded
      if [[ ${operands[0]-} =~ ^\"?\$(\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))\"?$ ]]; then
        word=${BASH_REMATCH[2]}${BASH_REMATCH[3]}
        if [[ -n ${arguments[$word]+given} ]]; then by_argument[$word]=$base; fi
      fi
      note_base "$base"
      if [[ -n $base && -n ${stages[${base,,}]+known} ]]; then base=${stages[${base,,}]}; fi
      last=$stage stages[$stage]=$base
      if [[ ${operands[1]-} == [Aa][Ss] && -n ${operands[2]-} ]]; then stages[${operands[2],,}]=$base; fi
      stage=$((stage + 1))
      ;;
    COPY | ADD | RUN)
      for word in "${words[@]:1}"; do
        if [[ $word != --* ]]; then break; fi
        if [[ $word =~ ^--from=(.*)$ || $word =~ ^--mount=(.*,)?from=([^,]*) ]]; then
          expand "${BASH_REMATCH[2]-${BASH_REMATCH[1]}}"
          note_base "$expanded"
        fi
        # A variable may stand for any part of it.
        if [[ $word =~ ^--mount= && $word =~ (from=|\$) && $word =~ ([=,\"]rw|readwrite|\$) ]]; then image_writes+=("$word"); fi
      done
      ;;
  esac
}

read_containerfile() {
  local line instruction=''
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    if [[ $line =~ ^[[:space:]]*# ]]; then continue; fi
    if [[ $line =~ ^(.*)\\[[:space:]]*$ ]]; then
      instruction+="${BASH_REMATCH[1]} "
      continue
    fi
    instruction+=$line
    if [[ -n ${instruction//[[:space:]]/} ]]; then read_instruction "$instruction"; fi
    instruction=''
  done <"$1"
}
