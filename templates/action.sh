#!/usr/bin/env bash
# The step of action.yml: one run of `warifu check`. It sends nothing and needs no token.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "${INPUT_VERSION:-}" ]; then
  if [ -z "${INPUT_CHECKSUM:-}" ]; then
    echo "::error title=warifu::version needs checksum"
    exit 2
  fi
  archive="warifu-$INPUT_VERSION-$(uname -m)-$(uname -s | tr '[:upper:]' '[:lower:]').tar.gz"
  url="${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download/v$INPUT_VERSION/$archive"
  curl --fail --location --silent --show-error --output "$work/$archive" "$url" || exit 2
  if ! echo "$INPUT_CHECKSUM  $work/$archive" | sha256sum --check --quiet; then
    echo "::error title=warifu::the archive's checksum differs"
    exit 2
  fi
  tar --extract --gzip --file "$work/$archive" --directory "$work" || exit 2
  PATH="$work:$PATH"
fi

# Puts what a text lists into `words`: its lines if it has several, else what blanks separate. The shell
# expands nothing in it.
list() {
  words=()
  case "$1" in
    *$'\n'*) while IFS= read -r word; do [ -z "$word" ] || words+=("$word"); done <<< "$1" ;;
    *) read -r -a words <<< "$1" ;;
  esac
}

list "${INPUT_PATHS:-.}"
arguments=(check "${words[@]}")
list "${INPUT_IG:-}"
for package in ${words[@]+"${words[@]}"}; do arguments+=(--ig "$package"); done
[ -n "${INPUT_CONFIG:-}" ] && arguments+=(--config "$INPUT_CONFIG")
[ -n "${INPUT_PROFILE:-}" ] && arguments+=(--profile "$INPUT_PROFILE")
[ -n "${INPUT_BASELINE:-}" ] && arguments+=(--baseline "$INPUT_BASELINE")
[ -n "${INPUT_FAIL_ON:-}" ] && arguments+=(--fail-on "$INPUT_FAIL_ON")
[ -n "${INPUT_SARIF_FILE:-}" ] && arguments+=(--format "sarif=$INPUT_SARIF_FILE")
[ "${INPUT_SUMMARY:-true}" = true ] && arguments+=(--format "markdown=$work/summary.md")
[ "${INPUT_ANNOTATIONS:-true}" = true ] && arguments+=(--format "github=$work/annotations.txt")
arguments+=(--format "ndjson=$work/findings.ndjson")
list "${INPUT_ARGS:-}"
arguments+=(${words[@]+"${words[@]}"})

warifu "${arguments[@]}"
code=$?

[ -f "$work/annotations.txt" ] && cat "$work/annotations.txt"
[ -f "$work/summary.md" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ] && cat "$work/summary.md" >> "$GITHUB_STEP_SUMMARY"

# The last line counts; what the baseline holds is not in it.
summary=$(tail -n 1 "$work/findings.ndjson" 2> /dev/null)
count() { echo "$summary" | grep -o "\"$1\":[0-9]*" | grep -o '[0-9]*$' || echo 0; }
errors=$(count errors) warnings=$(count warnings) infos=$(count infos)
{
  echo "errors=$errors"
  echo "warnings=$warnings"
  echo "infos=$infos"
  echo "new=$((errors + warnings + infos))"
  echo "sarif-file=${INPUT_SARIF_FILE:-}"
  echo "exit-code=$code"
} >> "${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
