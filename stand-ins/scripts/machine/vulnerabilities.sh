#!/usr/bin/env bash
# Looks for known vulnerabilities with this machine's grype or trivy, with the database that it has or fetches.
# Sourced: its variables are also those of who does.
# shellcheck disable=SC2034

# Reports that a scan was made, as Konflux' clair-scan does, whatever it found: the first argument is the result for the
# counts. Returns with the REASON where there is no scanner.
scan_for_vulnerabilities() {
  local work scanner said level counts fixed='' open='' separator=''
  for scanner in grype trivy none; do
    if command -v "$scanner" >/dev/null; then break; fi
  done
  if [[ $scanner == none ]]; then
    REASON='there is no grype and no trivy on this machine'
    return
  fi
  work=$(mktemp -d)
  copy_image "oci:$work/image:image"
  # In a template's own braces it would look like what Pipelines as Code fills in.
  template() { tr '[]' '{}' <<<"$1" >"$work/lines"; }
  # A line for each: its severity, and whether there is a version without it.
  if [[ $scanner == grype ]]; then
    template '[[range .Matches]][[.Vulnerability.Severity]] [[.Vulnerability.Fix.State]][["\n"]][[end]]'
    as_user grype "oci-dir:$work/image" --quiet --output template --template "$work/lines" >"$work/said" ||
      fail 'grype failed'
  else
    template '[[range .]][[range .Vulnerabilities]][[.Severity]] [[if .FixedVersion]]fixed[[else]]open[[end]][["\n"]][[end]][[end]]'
    as_user trivy image --quiet --scanners vuln --input "$work/image" --format template --template "@$work/lines" \
      >"$work/said" || fail 'trivy failed'
  fi
  said=$(tr '[:upper:]' '[:lower:]' <"$work/said")
  rm -rf "$work"
  for level in critical high medium low unknown; do
    counts=$(grep -c "^$level fixed$" <<<"$said" || true)
    fixed+="$separator\"$level\":$counts"
    counts=$(grep "^$level " <<<"$said" | grep -vc ' fixed$' || true)
    open+="$separator\"$level\":$counts"
    separator=,
  done
  printf '{"vulnerabilities":{%s},"unpatched_vulnerabilities":{%s}}' "$fixed" "$open" >"$1"
  if (($# > 1)); then for result in "${@:2}"; do printf '%s' "${UNKNOWN-"{}"}" >"$result"; done; fi
  report SUCCESS "$scanner scanned it: the counts are in SCAN_OUTPUT" 1
}
