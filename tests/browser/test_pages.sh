#!/bin/sh
# Every view in a real browser, in both languages, light and dark, on a desk and on a phone (pages.mjs).
. "$(dirname "$0")/lib.sh"
exec node pages.mjs
