#!/bin/bash
# usage: mutants.sh [NAME…]: would the tests see a bug?
#
# tests/fault/mutants/TEST-NAME.patch (made with `git diff -U1 --no-prefix`) changes one line of the program. Each is
# applied to a copy of the tree and built; test_TEST.py must then fail, and must pass on the code as it is.
# NAME: only patches whose names begin so. A longer target: about ten minutes.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
export MONOMI_CAPTURES=${MONOMI_CAPTURES:-$source/../shared/captures}
export MONOMI_TRACE_PACKETS=${MONOMI_TRACE_PACKETS:-200000}
[ -d "$MONOMI_CAPTURES" ] || { echo "SKIP: captures absent"; exit 77; }

work=$(mktemp -d "${TMPDIR:-/tmp}/monomi-mutants-XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
(cd "$source" && git ls-files -z | xargs -0 cp --parents -t "$tree")
cmake -S "$tree" -B "$work/build" -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Debug -DMONOMI_TESTS=ON >/dev/null

build() {
	ninja -C "$work/build" --quiet monomi monomi-fault monomi-steps monomi-sql onset-run >"$work/build.log" 2>&1 ||
		{ cat "$work/build.log"; echo "it does not build"; exit 1; }
}

run() {
	SOURCE_DIR=$tree BUILD_DIR=$work/build MONOMI=$work/build/monomi \
		"$(find "$tree/tests" -name "test_$1.py")" >"$work/run.log" 2>&1
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

lived=0 killed=0 clean=
for patch in "$source"/tests/fault/mutants/*.patch; do
	name=$(basename "$patch" .patch)
	test=${name%%-*}
	wanted "$name" "$@" || continue
	if [[ " $clean " != *" $test "* ]]; then
		build
		run "$test" || { tail -n 20 "$work/run.log"; echo "test_$test.py fails without a mutant"; exit 1; }
		clean+=" $test"
	fi
	patch -d "$tree" -p0 -s --forward <"$patch" || { echo "$name: does not apply any more: make it again"; exit 1; }
	build
	if run "$test"; then
		echo "$name: LIVES"
		lived=$((lived + 1))
	else
		echo "$name: killed: $(grep -a -m1 -E '^FAIL|Error' "$work/run.log" | cut -c1-100)"
		killed=$((killed + 1))
	fi
	patch -d "$tree" -p0 -s -R <"$patch"
done
echo "$killed killed, $lived lived"
[ "$lived" -eq 0 ]
