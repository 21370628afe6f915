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
[ -n "${INPUT_PROFILE:-}" ] && arguments+=(--profile "$(echo "$INPUT_PROFILE" | tr -s ' \n' ',,' | sed 's/^,*//; s/,*$//')")
[ -n "${INPUT_BASELINE:-}" ] && arguments+=(--baseline "$INPUT_BASELINE")
[ -n "${INPUT_FAIL_ON:-}" ] && arguments+=(--fail-on "$INPUT_FAIL_ON")
[ -n "${INPUT_SARIF_FILE:-}" ] && arguments+=(--format "sarif=$INPUT_SARIF_FILE")
[ "${INPUT_SUMMARY:-true}" = true ] && arguments+=(--format "markdown=$work/summary.md")
[ "${INPUT_ANNOTATIONS:-true}" = true ] && arguments+=(--format "github=$work/annotations.txt")
arguments+=(--format "ndjson=$work/findings.ndjson")
list "${INPUT_ARGS:-}"
arguments+=(${words[@]+"${words[@]}"})

# SARIF links the pages of rules in the repository that the Action is from.
ref=${INPUT_VERSION:+v$INPUT_VERSION}
ref=${ref:-${ACTION_REF:-}}
if [ -n "${ACTION_REPOSITORY:-}" ] && [ -n "$ref" ] && [ -z "${WARIFU_RULE_PAGES:-}" ]; then
  case "${GITHUB_SERVER_URL:-}" in
    http://* | https://*) export WARIFU_RULE_PAGES="$GITHUB_SERVER_URL/$ACTION_REPOSITORY/blob/$ref/docs/rules/{code}.md" ;;
  esac
fi

warifu "${arguments[@]}"
code=$?

# GitHub finds files by their path from the root of the repository. What was checked from a folder below it is
# given that folder's path before its own; absolute paths stay.
folder=
if [ -n "${GITHUB_WORKSPACE:-}" ]; then
  root=$(cd "$GITHUB_WORKSPACE" && pwd -P) here=$(pwd -P)
  case "$here" in "$root"/*) folder="${here#"$root"/}/" ;; esac
fi
# As a value of an annotation, and as a URI.
escaped=${folder//'%'/%25} escaped=${escaped//':'/%3A} escaped=${escaped//','/%2C}
uri=$(printf '%s' "$folder" | LC_ALL=C sed 's/[^A-Za-z0-9._~/-]/\n&\n/g' | while IFS= read -r part || [ -n "$part" ]; do
  case "$part" in
    [A-Za-z0-9._~/-]*) printf '%s' "$part" ;;
    ?*) printf '%s' "$part" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' | tr '[:lower:]' '[:upper:]' ;;
  esac
done)
# A text put into the second half of `s|…|…|`.
literal() { printf '%s' "$1" | sed 's/[&|\\]/\\&/g'; }

if [ -f "$work/annotations.txt" ]; then
  sed "s|^\\(::[a-z]* [^:]*[ ,]file=\\)\\([^/]\\)|\\1$(literal "$escaped")\\2|" "$work/annotations.txt"
fi
sarif=${INPUT_SARIF_FILE:-}
if [ -n "$sarif" ] && [ -n "$folder" ] && [ -f "$sarif" ]; then
  sed "s|\\(ocation\":{\"uri\":\"\\)\\([^/\"]\\)|\\1$(literal "$uri")\\2|g" "$sarif" > "$work/sarif" && cat "$work/sarif" > "$sarif"
  case "$sarif" in /*) ;; *) sarif=$folder$sarif ;; esac
fi
if [ -f "$work/summary.md" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  # In the last cell of a row a file is named as code; a grave accent or a bar in it stands there as otherwise.
  cell=${folder//\`/\'} cell=${cell//|/\\|}
  sed "s|^\\(.* \\| [0-9]* \\| \`\\)\\([^/]\\)|\\1$(literal "$cell")\\2|" "$work/summary.md" >> "$GITHUB_STEP_SUMMARY"
fi

# The last line counts; what the baseline holds is not in it.
summary=$(tail -n 1 "$work/findings.ndjson" 2> /dev/null)
count() { echo "$summary" | grep -o "\"$1\":[0-9]*" | grep -o '[0-9]*$' || echo 0; }
errors=$(count errors) warnings=$(count warnings) infos=$(count infos)
{
  echo "errors=$errors"
  echo "warnings=$warnings"
  echo "infos=$infos"
  echo "new=$((errors + warnings + infos))"
  echo "sarif-file=$sarif"
  echo "exit-code=$code"
} >> "${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
