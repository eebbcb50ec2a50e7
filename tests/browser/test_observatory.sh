#!/bin/sh
# The pages of a running monomi in a real browser, on stored and on made-up packets (observatory.mjs).
. "$(dirname "$0")/lib.sh"
exec node observatory.mjs
