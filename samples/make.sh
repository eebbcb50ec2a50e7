#!/bin/bash
# Makes samples/scans.pcap: what a telescope of 65,536 addresses sees of real scanners, in under a minute.
#
# Three network namespaces of our own: `scan` (zmap, masscan, nmap, hping3 and ordinary clients), `dark` (the telescope
# 198.18.0.0/16, RFC 2544's range; nobody answers there, tcpdump listens) and `hurt` (a victim that answers packets whose
# source was forged to lie in the telescope: its replies are the backscatter). No packet leaves them: they have no other
# interface. Needs root. Bounded in packets (-n, -c, --rate) and in time (timeout), and taken down even when it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
out=samples/scans.pcap
work=$(mktemp -d)
tag=mon$$
scan=$tag-scan dark=$tag-dark hurt=$tag-hurt
dark_mac=02:00:00:00:00:01 victim=198.19.50.80

down() {
	local ns pid
	for ns in $scan $dark $hurt; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill "$pid" 2>/dev/null || true
		done
		ip netns delete "$ns" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap down EXIT

in_scan() { ip netns exec $scan timeout "$@" >>"$work/tools.log" 2>&1 || true; }

# One interface a namespace towards the telescope, all on a bridge that lives in `dark`.
attach() { # namespace, name, address
	ip link add "$2" netns "$1" type veth peer name "p$2" netns $dark
	ip -n $dark link set "p$2" master b0 up
	# The kernel leaves checksums to the interface, and a veth never fills them in.
	ip netns exec "$1" ethtool -K "$2" tx off >/dev/null
	ip -n "$1" link set "$2" up
	ip -n "$1" link set lo up
	ip -n "$1" address add "$3" dev "$2"
	ip -n "$1" route add 198.18.0.0/16 dev "$2"
}

up() {
	local ns
	for ns in $scan $dark $hurt; do
		ip netns add "$ns"
		# Router solicitations and the like would be noise in the sample.
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	ip -n $dark link add b0 address $dark_mac type bridge
	ip -n $dark link set b0 up
	attach $scan s0 198.19.7.10/24
	ip -n $scan address add 198.19.7.13/32 dev s0 # nmap sends from addresses of its interface only
	ip -n $scan address add 198.19.7.14/32 dev s0
	attach $hurt h0 $victim/24
	# The telescope is reached through one router whose MAC is known: no ARP, as nobody would answer it.
	ip -n $scan route replace 198.18.0.0/16 via 198.19.7.1 dev s0
	ip -n $scan neighbor replace 198.19.7.1 lladdr $dark_mac dev s0 nud permanent
	ip -n $hurt route replace 198.18.0.0/16 via 198.19.50.1 dev h0
	ip -n $hurt neighbor replace 198.19.50.1 lladdr $dark_mac dev h0 nud permanent
	ip netns exec $scan sysctl -qw net.ipv6.conf.s0.disable_ipv6=0
	ip -n $scan address add 2001:db8:ffff::7/64 dev s0 nodad
	ip -n $scan route add 2001:db8:18::/48 via 2001:db8:ffff::1
	ip -n $scan neighbor replace 2001:db8:ffff::1 lladdr $dark_mac dev s0 nud permanent
	ip -n $scan route add $victim via 198.19.7.2 dev s0
	ip -n $scan neighbor replace 198.19.7.2 lladdr "$(ip netns exec $hurt cat /sys/class/net/h0/address)" dev s0 nud permanent
}

# What every telescope sees: scanners of the whole Internet, each with its own marks in the headers.
scanners() {
	local zmap=(zmap -q -b /dev/null -i s0 -G $dark_mac -o /dev/null -c 1 -r 2000)
	local nmap=(nmap -n -e s0 -Pn -T5 --max-retries 0 --min-rate 1000)
	in_scan 30 "${zmap[@]}" --source-ip=198.19.7.11 --seed=7 -p 80 -n 1200 198.18.0.0/16
	in_scan 30 "${zmap[@]}" --source-ip=198.19.7.11 --seed=7 -M udp -p 53 -n 300 \
		--probe-args=hex:1234010000010000000000000776657273696f6e0462696e640000100003 198.18.0.0/16
	in_scan 30 "${zmap[@]}" --source-ip=198.19.7.11 --seed=7 -M icmp_echoscan -n 100 198.18.0.0/16
	# masscan may not come back after --wait: timeout ends it by its pid.
	in_scan 8 masscan 198.18.4.0/22 --adapter-ip 198.19.7.12 -e s0 --router-mac ${dark_mac//:/-} --wait 0 --rate 2000 \
		--seed 7 -p23,2323
	in_scan 30 "${nmap[@]}" -S 198.19.7.13 -sS -F 198.18.60.0/29
	in_scan 30 "${nmap[@]}" -S 198.19.7.13 -sU --top-ports 20 198.18.61.0/29
	in_scan 30 "${nmap[@]}" -S 198.19.7.14 -sX --top-ports 20 198.18.62.0/29
	in_scan 30 nmap -n -Pn -sT -T5 --max-retries 0 -p22,445,3389 198.18.63.0/28
	in_scan 30 nmap -6 -n -e s0 -Pn -T5 --max-retries 0 -sS -p22,80,443 2001:db8:18::100/125
	in_scan 20 hping3 -q -i u2000 -S -p 8080 -a 198.19.7.15 -c 300 198.18.70.1
}

# People who mean no harm and have the address wrong.
mistakes() {
	in_scan 6 hping3 -q -1 -c 3 198.18.80.1
	in_scan 6 python3 -c 'import socket; socket.create_connection(("198.18.80.2", 443), 5)'
}

# A flood against the victim with sources forged out of the telescope: an open port answers SYN-ACK (and again, as nobody
# completes the handshake), a closed one RST, a closed UDP port an ICMP error.
flood() {
	local n
	ip netns exec $hurt timeout 90 python3 -c '
import socket, time
s = socket.create_server(("198.19.50.80", 80), backlog=512)
time.sleep(90)' &
	sleep 0.5
	for n in $(seq 1 240); do
		in_scan 3 hping3 -q -S -p 80 -a 198.18.$((RANDOM % 256)).$((RANDOM % 254 + 1)) -c 1 $victim &
		[ $((n % 8)) -ne 0 ] || in_scan 3 hping3 -q -S -p 8888 -a 198.18.$((RANDOM % 256)).7 -c 1 $victim &
		[ $((n % 16)) -ne 0 ] || in_scan 3 hping3 -q -2 -p 7777 -d 24 -a 198.18.$((RANDOM % 256)).9 -c 1 $victim &
		sleep 0.1
	done
}

up
# Only what is routed to the telescope.
ip netns exec $dark timeout 150 tcpdump -q -n -i b0 -w "$work/dark.pcap" -s 512 -Z root \
	'dst net 198.18.0.0/16 or dst net 2001:db8:18::/48' 2>"$work/tcpdump.log" &
listener=$!
sleep 1
flood &
flooding=$!
scanners
mistakes
wait $flooding
sleep 20 # the victim goes on repeating its SYN-ACKs
for pid in $(ip netns pids $dark); do
	kill -INT "$pid"
done
wait $listener || true

grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || { cat "$work/tcpdump.log" >&2; exit 1; }
[ "$(stat -c %s "$work/dark.pcap")" -lt 1000000 ] || { echo "samples/make.sh: over 1 MB" >&2; exit 1; }
mv "$work/dark.pcap" $out
cat "$work/tcpdump.log"
