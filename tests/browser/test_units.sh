#!/bin/sh
# The pages' types (a word missing in one language is a fault of these), and unit tests of what they say and draw.
. "$(dirname "$0")/lib.sh"
../../web/node_modules/.bin/tsc --noEmit -p ../../web/tsconfig.json || exit 1
exec node_modules/.bin/vitest run --no-cache --pool=threads 2>&1
