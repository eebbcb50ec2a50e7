# The commands of the README; each only calls cmake and the scripts in tools/, and each is enough by itself.
.PHONY: figures install build run summary onsets test test-fresh test-kill test-long check check-secrecy bench fuzz sample clean

build:
	@tools/install build
	@tools/build

# The observatory; its first line is the address of its pages. make run IFACE=eth0: live; make run PCAP="file …": captures;
# neither: a made-up telescope, the week before now and on. DB= its store, LISTEN=host:port.
run: build
	@IFACE="$(IFACE)" PCAP="$(PCAP)" DB="$(DB)" LISTEN="$(LISTEN)" tools/run

# make summary [PCAP=file]: the numbers of a capture (without PCAP of the committed sample) and the page build/summary.html.
summary: build
	@tools/install run
	@tools/summary $(PCAP)

# make install [prefix=/usr/local] [DESTDIR=]: program, manual, systemd unit, completion; /etc/monomi/monomi.yaml if absent.
install: build
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(or $(prefix),/usr/local)" >/dev/null

# All tests, or with TESTS=REGEX those of these names.
test:
	@tools/test $(if $(value TESTS),-R '$(value TESTS)')

# Roles killed at random, for ten minutes of a made-up telescope and ten of an interface (SECONDS=n): each time back within
# 5 s, and the rows as if nothing had been.
test-kill: build
	@tools/install test
	@tools/test-kill $(SECONDS)

# The two commands of the README on a fresh Debian 12 (root): TESTS=REGEX, or all; what is left out takes a default.
test-fresh:
	@tools/test-fresh $(if $(value TESTS),'$(value TESTS)')

# What is left out of `make test` because it takes hours: a store stopped at every one of its durable steps.
test-long: build
	@tools/install test
	@tools/test-long

# The early mode of attacks: delays at floods of every rate and size, and months of nobody (SEEDS="1 2", MONTHS=12, PARAMS=file
# of the simulator's parameters). The last line has the figures.
onsets:
	@tools/install test
	@SEEDS="$(SEEDS)" MONTHS="$(MONTHS)" PARAMS="$(PARAMS)" tools/onsets

# The checks that need no build: seconds.
check:
	@tools/install check
	@tools/check

# No monitored address in any public output, in any form; the last line is the figure.
check-secrecy:
	@tools/install build test
	@tools/secrecy

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
