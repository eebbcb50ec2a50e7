#!/bin/bash
# usage: fuzz_finds_plants.sh [NAME…]: can each harness find a bug?
#
# tests/fault/plants/HARNESS-NAME.patch (made with `git diff --no-prefix`) puts one bug into the code that fuzz/fuzz_HARNESS.c
# runs. Each is applied to a copy of the tree, built, and must be found within 60 seconds from the seeds; before that,
# the harness must be content with the code as it is. NAME: only patches whose names begin so.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
limit=${LIMIT:-60}

command -v clang >/dev/null || { echo "SKIP: no clang"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/monomi-plants-XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
(cd "$source" && git ls-files -z | xargs -0 cp --parents -t "$tree")
CC=clang cmake -S "$tree" -B "$work/build" -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DMONOMI_FUZZ=ON >/dev/null

# Builds a harness and runs it on its seeds for so many seconds; fails when the harness finds something.
run() {
	local harness=$1 seconds=$2 corpus=$work/corpus seeds=$tree/fuzz/corpus/$1
	ninja -C "$work/build" --quiet "fuzz_$harness" >"$work/build.log" 2>&1 ||
		{ cat "$work/build.log"; echo "fuzz_$harness does not build"; exit 1; }
	rm -rf "$corpus" && mkdir "$corpus"
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086  # no seeds: no argument
	"$work/build/fuzz/fuzz_$harness" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -seed=1 \
		-artifact_prefix="$work/" "$corpus" $seeds >"$work/run.log" 2>&1
}

wanted() {
	local name=$1
	shift
	[ $# -gt 0 ] || return 0
	for prefix in "$@"; do
		[[ $name == "$prefix"* ]] && return 0
	done
	return 1
}

missed=0 found=0 clean=
for patch in "$source"/tests/fault/plants/*.patch; do
	name=$(basename "$patch" .patch)
	harness=${name%%-*}
	wanted "$name" "$@" || continue
	if [[ " $clean " != *" $harness "* ]]; then
		run "$harness" 5 || { tail -n 20 "$work/run.log"; echo "fuzz_$harness finds something without a plant"; exit 1; }
		clean+=" $harness"
	fi
	patch -d "$tree" -p0 -s --forward <"$patch" || { echo "$name: does not apply any more: make it again"; exit 1; }
	started=$SECONDS
	if run "$harness" "$limit"; then
		echo "$name: NOT found in $limit s"
		missed=$((missed + 1))
	else
		echo "$name: found in $((SECONDS - started)) s with the build: $(grep -aoE -m1 'does not hold.*|runtime error.*|ERROR: .*' "$work/run.log" | cut -c1-80)"
		found=$((found + 1))
	fi
	patch -d "$tree" -p0 -s -R <"$patch"
done
echo "$found planted bugs found, $missed missed"
[ $missed -eq 0 ] && [ $found -gt 0 ]
