# Sourced by the tests here: the pages built, and what tests them fetched.
cd "$(dirname "$0")" || exit 1
../../tools/web || exit 1
mkdir -p ../../build
exec 8>../../build/browser.lock
flock 8
lock=$(sha256sum package.json package-lock.json | sha256sum)
if [ "$(cat node_modules/.made 2>/dev/null)" != "$lock" ]; then
	npm ci --no-audit --no-fund --loglevel=error --ignore-scripts >/dev/null || exit 1
	echo "$lock" >node_modules/.made
fi
flock -u 8
