# The commands of the README; each only calls cmake and the scripts in tools/, and each is enough by itself.
.PHONY: figures build run test test-long check bench fuzz sample clean

build:
	@tools/install build
	@tools/build

# make run [PCAP=file]: the numbers of a capture (without PCAP of the committed sample) and the page build/summary.html.
run: build
	@tools/install run
	@tools/run $(PCAP)

test:
	@tools/test

# What is left out of `make test` because it takes hours: a store stopped at every one of its durable steps.
test-long: build
	@tools/install test
	@tools/test-long

# The checks that need no build: seconds.
check:
	@tools/install check
	@tools/check

bench: build
	@tools/install bench
	@bench/run
	@bench/store
	@bench/bytes

# make fuzz [SECONDS=n]: every harness for so long (60 s each without SECONDS).
fuzz:
	@tools/install build test
	@tools/leg fuzz $(or $(SECONDS),60)

# make figures OUT=dir [DAYS=n]: five simulated years in dir/db, and the yearly figures they come to (n: days of each month).
figures: build
	@tools/install run
	@tools/figures $(or $(OUT),build/figures) $(DAYS)

# Makes samples/scans.pcap anew with real scanners in network namespaces (root).
sample:
	@tools/install sample
	@samples/make.sh

clean:
	rm -rf build build-*
