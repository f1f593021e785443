#!/usr/bin/env bash
# Looks for viruses with this machine's ClamAV. CLAMAV_DATABASE is a folder or file of signatures in place of the machine's.
# Sourced: its variables are also those of who does.
# shellcheck disable=SC2034

# Reports what clamscan says of every layer; returns with the REASON where there is none, or it has no signatures.
scan_for_viruses() {
  local database=${CLAMAV_DATABASE:-/var/lib/clamav} work said names status=0
  if ! command -v clamscan >/dev/null; then
    REASON='there is no clamscan on this machine'
    return
  fi
  if [[ ! -f $database ]] && ! compgen -G "$database/*.[chlmn][bdlsv][bd]" >/dev/null; then
    REASON='clamscan has no signatures: freshclam fetches them'
    return
  fi
  work=$(mktemp -d)
  # As archives: what is in them is never unpacked here with its names, links and rights. Of an index all images.
  copy_image "dir:$work/image" --all --dest-decompress
  # What is larger than it looks into counts as found: nothing passes unseen.
  clamscan --database="$database" --no-summary --infected --alert-exceeds-max=yes --max-filesize=2000M \
    --max-scansize=4000M --max-files=0 --max-scantime=0 "$work/image" --recursive >"$work/said" || status=$?
  said=$(<"$work/said")
  rm -rf "$work"
  ((status <= 1)) || fail "clamscan failed with exit code $status" "${said:-it said nothing}"
  if ((status == 0)); then
    report SUCCESS "$(clamscan --database="$database" --version | tr -cd 'A-Za-z0-9 .:/-') found nothing" 1
    return
  fi
  names=$(sed -n 's/^.*: \(.*\) FOUND$/\1/p' <<<"$said" | sort -u | tr -c 'A-Za-z0-9._-' ' ')
  printf '%s\n' "$said"
  report FAILURE "clamscan found ${names% }" 0 1
}
