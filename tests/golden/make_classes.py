#!/usr/bin/env python3
"""Writes classes.txt, a row per line of the class rule (DEFINITIONS 1, 3), and rules.txt, rows of evidence (2).

The expectations are written here by hand, never computed. A run writes both again; review the difference as text.
Columns, by tabs: what it shows, scope, class, reason, flags, tags, rules, packet (hex, link type 101). Needs
python3-cryptography for the three QUIC packets.
"""
import os
import struct

import quic
from packets import (ACK, CWR, DST, DST6, ECE, FIN, PSH, RST, SRC, SRC6, SYN, URG, dns, icmp, icmp6, ip4, ip6, ldap,
                     memcached, sctp, sctp_init, snmp, snmp3, tcp, tcp6, tcp_header, udp, udp6, utp)

ROWS = []


def row(what, packet, kind, reason="none", flags="", tags="", rules="", scope=""):
    ROWS.append("\t".join([what, scope or "-", kind, reason, flags or "-", tags or "-", rules or "-", packet.hex()]))


ASK, ASKS, UNSURE = "access,probe", "access,probe", "access,udp_unsure,probe"
REPLY = "erratic,reply"
MON, MON6 = "monitored=198.51.7.0/24", "monitored=2a0b:6b40::/32"

# ---- ignored ----
row("outgoing by the capture's mark", tcp(SYN), "ignored", "outgoing", scope="outgoing")
row("outgoing goes before own", tcp(SYN), "ignored", "outgoing", scope="outgoing own")
row("own by the sensor's mark", tcp(SYN), "ignored", "own", scope="own")
row("own address as source", tcp(SYN), "ignored", "own", scope="own=100.20.30.40/32")
row("own address as destination", tcp(SYN), "ignored", "own", scope=MON + " own=198.51.7.6/32")
row("own address elsewhere", tcp(SYN), "scan", flags=ASK, scope=MON + " own=198.51.7.7/32")
row("own IPv6", tcp6(SYN), "ignored", "own", scope="own=2a00:1450::/64")
row("not monitored", tcp(SYN), "ignored", "not_monitored", scope="monitored=198.51.8.0/24")
row("monitored", tcp(SYN), "scan", flags=ASK, scope=MON)
row("first address of a prefix", tcp(SYN, dst="198.51.7.0"), "scan", flags=ASK, scope=MON)
row("last address of a prefix", tcp(SYN, dst="198.51.7.255"), "scan", flags=ASK, scope=MON)
row("one past a prefix", tcp(SYN, dst="198.51.8.0"), "ignored", "not_monitored", scope=MON)
row("one before a prefix", tcp(SYN, dst="198.51.6.255"), "ignored", "not_monitored", scope=MON)
MANY = "monitored=198.51.1.0/24 monitored=198.51.3.0/24 monitored=198.51.5.0/24 monitored=198.51.7.0/24 " \
       "monitored=198.51.9.0/24 monitored=198.51.11.1/32 monitored=0.0.0.0/8"
row("many prefixes, inside", tcp(SYN), "scan", flags=ASK, scope=MANY)
row("many prefixes, between", tcp(SYN, dst="198.51.8.6"), "ignored", "not_monitored", scope=MANY)
row("many prefixes, last", tcp(SYN, dst="198.51.11.1"), "scan", flags=ASK, scope=MANY)
row("many prefixes, behind the last", tcp(SYN, dst="198.51.11.2"), "ignored", "not_monitored", scope=MANY)
row("IPv6 when only IPv4 is monitored", tcp6(SYN), "ignored", "not_monitored", scope=MON)
row("IPv6 monitored", tcp6(SYN), "scan", flags=ASK, scope=MON + " " + MON6)
row("IPv6 not monitored", tcp6(SYN, dst="2a0b:6b41::"), "ignored", "not_monitored", scope=MON6)
row("multicast", udp(b"x", dst="224.0.0.251"), "ignored", "local")
row("multicast beside monitored prefixes", udp(b"x", dst="239.1.2.3"), "ignored", "local", scope=MON)
row("multicast that is monitored", udp(b"x", dst="239.1.2.3"), "payload", flags=UNSURE, scope="monitored=239.1.2.0/24")
row("multicast over TCP", tcp(SYN, dst="224.0.0.251"), "ignored", "local")
row("broadcast over TCP", tcp(SYN, dst="255.255.255.255"), "ignored", "local")
row("broadcast", udp(b"x", dst="255.255.255.255"), "ignored", "local")
row("broadcast that is monitored", udp(b"x", dst="255.255.255.255"), "payload", flags=UNSURE,
    scope="monitored=255.255.255.255/32")
row("240/4 is no multicast", tcp(SYN, dst="240.1.2.3"), "scan", flags=ASK)
row("IPv6 multicast", udp6(b"x", dst="ff02::fb"), "ignored", "local")
row("IPv6 multicast that is monitored", udp6(b"x", dst="ff0e::1"), "payload", flags=UNSURE, scope="monitored=ff0e::/16")
row("DHCP, client", udp(b"\1\1\6\0", sport=68, dport=67), "ignored", "local")
row("DHCP, server, to a monitored address", udp(b"\2\1\6\0", sport=67, dport=68), "ignored", "local", scope=MON)
row("a scan of the DHCP port", udp(b"\1\1\6\0", dport=67), "payload", flags=UNSURE)
row("DHCPv6", udp6(b"\1\1\6\0", sport=546, dport=547), "ignored", "local")
for kind, name in ((133, "router solicitation"), (134, "router advertisement"), (135, "neighbour solicitation"),
                   (136, "neighbour advertisement"), (137, "redirect")):
    row("IPv6 " + name, icmp6(kind, hop=255), "ignored", "local")
row("ICMPv6 138 is no neighbour discovery", icmp6(138), "other")
row("local goes before not monitored", icmp6(135), "ignored", "local", scope=MON6.replace("2a0b", "2a0c"))

# ---- undecoded ----
row("IP header cut", tcp(SYN)[:15], "undecoded", "short")
row("TCP header cut", tcp(SYN)[:33], "undecoded", "short")
row("data offset below 5", tcp(SYN)[:32] + b"\x40" + tcp(SYN)[33:], "undecoded", "malformed")
row("options of a later fragment cut", b"\x47" + ip4(6, b"", offset=1808, total=76)[1:], "undecoded", "short", scope="wire=76")
row("undecoded to where nothing is monitored is ignored", tcp(SYN)[:33], "ignored", "not_monitored",
    scope="monitored=198.51.8.0/24")

# ---- backscatter ----
row("SYN+ACK", tcp(SYN | ACK), "backscatter", tags=REPLY)
row("SYN+ACK with data", tcp(SYN | ACK, b"220 x"), "backscatter", tags=REPLY)
row("SYN+ACK+ECE", tcp(SYN | ACK | ECE), "backscatter", tags=REPLY)
row("SYN+ACK+FIN", tcp(SYN | ACK | FIN), "backscatter", tags="spoofed,erratic,abnormal,reply")
row("RST", tcp(RST, window=0), "backscatter", tags=REPLY)
row("RST+ACK, which corsaro3 calls abnormal", tcp(RST | ACK, window=0), "backscatter", tags=REPLY)
row("RST with data", tcp(RST, b"go away"), "backscatter", tags=REPLY)
row("SYN+RST", tcp(SYN | RST), "backscatter", tags="spoofed,erratic,abnormal,reply")
row("SYN+ACK with ZMap's ip.id", tcp(SYN | ACK, id=54321), "backscatter", tags=REPLY, rules="reply-id")
row("SYN+ACK with masscan's ip.id", tcp(SYN | ACK, id=(0x0706 ^ 443 ^ 0x0304)), "backscatter", tags=REPLY,
    rules="reply-id")
row("RST with ZMap's ip.id", tcp(RST, id=54321), "backscatter", tags=REPLY)
row("IPv6 SYN+ACK", tcp6(SYN | ACK), "backscatter", tags=REPLY)


def quoting(src, dst=SRC, proto=17, ports=(40001, 53)):
    return ip4(proto, struct.pack(">HHHH", *ports, 8, 0), src=src, dst=dst)


def quoting6(src, dst=SRC6):
    return ip6(17, struct.pack(">HHHH", 40001, 53, 8, 0), src=src, dst=dst)


for kind in (0, 14, 16, 18):
    row("ICMP reply %d" % kind, icmp(kind), "backscatter", tags=REPLY)
for kind in (3, 4, 5, 11, 12):
    row("ICMP error %d" % kind, icmp(kind, 1, quoting(DST)), "backscatter", tags=REPLY)
row("ICMP error that quotes another source", icmp(3, 3, quoting("198.51.7.9")), "backscatter", flags="quote_mismatch",
    tags=REPLY)
row("ICMP error with nothing to read", icmp(3, 3, b""), "backscatter", tags=REPLY)
for kind in (1, 2, 3, 4):
    row("ICMPv6 error %d" % kind, icmp6(kind, 0, quoting6(DST6)), "backscatter", tags=REPLY)
row("ICMPv6 error that quotes another source", icmp6(1, 0, quoting6("2a0b:6b40::9")), "backscatter",
    flags="quote_mismatch", tags=REPLY)
row("ICMPv6 echo reply", icmp6(129), "backscatter", tags=REPLY)

# UDP replies by content
row("DNS answer", udp(dns(0x8180, 1), sport=53), "backscatter", tags="erratic,port,content,reply")
row("DNS answer from another port", udp(dns(0x8180, 1), sport=1053), "backscatter", tags="erratic,content")
row("DNS refusal", udp(dns(0x8105), sport=53), "backscatter", tags="erratic,port,reply")
row("DNS answer with the reserved flag", udp(dns(0x81C0, 1), sport=53), "backscatter", tags="erratic,port,reply")
row("DNS answer without a question", udp(dns(0x8181, questions=0, tail=b"\0" * 4), sport=53), "backscatter",
    tags="erratic,port,content,reply")
row("the same from another port", udp(dns(0x8181, questions=0, tail=b"\0" * 4), sport=1053), "payload", flags=UNSURE,
    tags="erratic,content")
row("the same to port 53", udp(dns(0x8181, questions=0, tail=b"\0" * 4), dport=53), "payload", flags=UNSURE,
    tags="erratic,port,content")
row("a DNS question", udp(dns(0x0100), dport=53), "payload", flags=ASKS, tags="erratic,port")
row("a DNS question from port 53", udp(dns(0x0100), sport=53, dport=53), "payload", flags=ASKS,
    tags="erratic,port,reply")
row("a DNS question to another port", udp(dns(0x0100)), "payload", flags=UNSURE)
row("from port 53, but no DNS", udp(b"\xff" * 30, sport=53), "payload", flags=UNSURE, tags="erratic,port,reply")
row("from port 53, a name that is none", udp(dns(0x8180, name=b"\xc0\x0c")[:-1] + b"\x77", sport=53), "payload",
    flags=UNSURE, tags="erratic,port,content,reply")
row("multicast DNS answer to one address", udp(dns(0x8400, 1, questions=0), sport=5353, dport=5353), "backscatter")
row("NetBIOS status answer", udp(dns(0x8400, 1, name=b"\x20" + b"CK" + b"A" * 30 + b"\0", kind=33), sport=137),
    "backscatter")
row("NetBIOS status question", udp(dns(0x0000, name=b"\x20" + b"CK" + b"A" * 30 + b"\0", kind=33), sport=137, dport=137),
    "payload", flags=ASKS, tags="erratic,content")
row("NTP server", udp(b"\x24\x02\x06\xe9" + b"\0" * 44, sport=123), "backscatter")
row("NTP server by mode, but from another port", udp(b"\x24\x02\x06\xe9" + b"\0" * 44), "payload", flags=UNSURE)
row("NTP server by mode, but to port 123", udp(b"\x24\x02\x06\xe9" + b"\0" * 44, dport=123), "payload", flags=UNSURE)
row("NTP server, too short", udp(b"\x24\x02\x06\xe9" + b"\0" * 20, sport=123), "payload", flags=UNSURE)
row("NTP client", udp(b"\x23\0\6\xec" + b"\0" * 44, dport=123), "payload", flags=ASKS)
row("NTP client between port 123 and itself", udp(b"\xe3\0\6\xec" + b"\0" * 44, sport=123, dport=123), "payload",
    flags=ASKS)
row("NTP symmetric", udp(b"\x21\0\6\xec" + b"\0" * 44, sport=123, dport=123), "payload", flags=UNSURE)
row("NTP mode 6 answer", udp(b"\x16\x82\0\1\0\0\0\0\0\0\0\0", sport=123), "backscatter")
row("NTP mode 6 question", udp(b"\x16\x02\0\1\0\0\0\0\0\0\0\0", dport=123), "payload", flags=ASKS)
row("NTP mode 7 answer (monlist)", udp(b"\xd7\0\3\x2a\0\6\0\x48" + b"\0" * 72, sport=123), "backscatter")
row("NTP mode 7 question (monlist)", udp(b"\x17\0\3\x2a\0\0\0\0", dport=123), "payload", flags=ASKS)
row("SSDP answer", udp(b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", sport=1900), "backscatter")
row("SSDP answer from another port", udp(b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", sport=40500), "backscatter")
row("SSDP search", udp(b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n", dport=1900), "payload", flags=ASKS)
row("HTTP request over UDP", udp(b"GET / HTTP/1.1\r\n\r\n", dport=1900), "payload", flags=UNSURE)
row("SNMP response", udp(snmp(1, 0xA2), sport=161), "backscatter")
row("SNMPv1 response from another port", udp(snmp(0, 0xA2), sport=5161), "backscatter")
for pdu in (0xA0, 0xA1, 0xA3, 0xA5, 0xA7):
    row("SNMP pdu %x" % pdu, udp(snmp(1, pdu), dport=161), "payload", flags=ASKS)
row("SNMP of no version", udp(snmp(7, 0xA2), sport=161), "payload", flags=UNSURE)
row("SNMPv3 discovery", udp(snmp3(True, 0xA0), dport=161), "payload", flags=ASKS)
row("SNMPv3, encrypted and reportable", udp(snmp3(True, 0xA0, sealed=True), dport=161), "payload", flags=ASKS)
row("SNMPv3, encrypted answer", udp(snmp3(False, 0xA2, sealed=True), sport=161), "backscatter")
row("SNMPv3, encrypted trap", udp(snmp3(False, 0xA7, sealed=True), sport=161, dport=162), "payload", flags=UNSURE)
row("SNMPv3, encrypted from another port", udp(snmp3(False, 0xA2, sealed=True)), "payload", flags=UNSURE)
row("SNMPv3 report", udp(snmp3(False, 0xA8), sport=161), "backscatter")
row("BER with a length past the end", udp(b"\x30\x7f" + snmp(1, 0xA2)[2:], sport=161), "payload", flags=UNSURE)
row("CLDAP search entry", udp(ldap(0x64), sport=389), "backscatter")
row("CLDAP done", udp(ldap(0x65), sport=389), "backscatter")
row("CLDAP search", udp(ldap(0x63), dport=389), "payload", flags=ASKS)
row("memcached STAT", udp(memcached(b"STAT pid 1\r\n"), sport=11211), "backscatter")
row("memcached VALUE, second of three", udp(memcached(b"aaaaaaaa", 1, 3), sport=11211), "backscatter")
row("memcached answer from another port", udp(memcached(b"STAT pid 1\r\n")), "payload", flags=UNSURE)
row("memcached question", udp(memcached(b"stats\r\n"), dport=11211), "payload", flags=ASKS)
row("CharGEN", udp(b"".join(bytes([33 + i]) for i in range(72)) + b"\r\n", sport=19), "backscatter")
row("from port 19, but no CharGEN", udp(b"hello, world, hello", sport=19), "payload", flags=UNSURE)
row("CharGEN's bytes from another port", udp(b"abcdefghijklmnop"), "payload", flags=UNSURE)
row("QUIC, a client's Initial", udp(quic.initial(), dport=443), "payload", flags=ASKS)
row("QUIC, a client's Initial from port 443", udp(quic.initial(), sport=443, dport=443), "payload", flags=ASKS)
row("QUIC version 2, a client's Initial from port 443", udp(quic.initial(0x6B3343CF), sport=443), "payload", flags=ASKS)
row("QUIC draft 29, a client's Initial from port 443", udp(quic.initial(0xFF00001D), sport=443), "payload", flags=ASKS)
row("QUIC, a server's Initial", udp(quic.initial(side=b"server in", dcid=b"", scid=b"\xf0\x67\xa5\x50\x2a\x42\x62\xb5"),
                                    sport=443), "backscatter")
row("QUIC, an Initial with another connection's keys", udp(quic.initial(key_cid=b"12345678"), sport=443), "backscatter")
row("the same to port 443", udp(quic.initial(key_cid=b"12345678"), dport=443), "payload", flags=UNSURE)
row("QUIC Handshake", udp(b"\xe5\0\0\0\1\0\4abcd\x40\x40" + b"\x99" * 64, sport=443), "backscatter")
row("QUIC Handshake from another port", udp(b"\xe5\0\0\0\1\0\4abcd\x40\x40" + b"\x99" * 64, sport=8443), "payload",
    flags=UNSURE)
row("QUIC Retry", udp(b"\xf0\0\0\0\1\0\4abcd" + b"\x99" * 40, sport=443), "backscatter")
row("QUIC Version Negotiation", udp(b"\x90\0\0\0\0\0\4abcd\0\0\0\1\xff\0\0\x1d", sport=443), "backscatter")
row("QUIC 0-RTT, which only clients send", udp(b"\xd5\0\0\0\1\4efgh\4abcd\x40\x40" + b"\x99" * 64, sport=443), "payload",
    flags=ASKS)
row("QUIC short header", udp(b"\x41" + b"\x99" * 60, sport=443), "payload", flags=UNSURE)
row("QUIC version unknown", udp(b"\xc1\0\0\0\7\0\4abcd\x40\x40" + b"\x99" * 64, sport=443), "payload", flags=UNSURE)
row("QUIC connection id too long", udp(b"\xe5\0\0\0\1\x15" + b"\x99" * 90, sport=443), "payload", flags=UNSURE)

# ---- P2P heads ----
ID = b"abcdefghij0123456789"
row("DHT question", udp(b"d1:ad2:id20:" + ID + b"e1:q4:ping1:t2:aa1:y1:qe"), "p2p", flags=ASKS,
    tags="erratic,bittorrent")
row("DHT answer", udp(b"d1:rd2:id20:" + ID + b"e1:t2:aa1:y1:re"), "p2p", tags="erratic,bittorrent")
row("DHT answer that begins with ip", udp(b"d2:ip6:abcdef1:rd2:id20:" + ID + b"e1:t2:aa1:y1:re"), "p2p")
row("DHT question that begins with bs", udp(b"d1:ad2:bsi1e2:id20:" + ID + b"6:target20:" + ID + b"e1:q9:find_node1:y1:qe"),
    "p2p", flags=ASKS)
row("DHT question by keys in no order", udp(b"d1:t2:aa1:y1:q1:q4:ping1:ad2:id20:" + ID + b"ee"), "p2p", flags=ASKS)
row("DHT error", udp(b"d1:eli203e3:bade1:t2:aa1:y1:ee"), "p2p")
row("a dictionary of no DHT", udp(b"d3:foo3:bare"), "payload", flags=UNSURE)
row("d, then no length", udp(b"dead beef, dead beef"), "payload", flags=UNSURE)
row("DHT with an id of 19 bytes", udp(b"d1:ad2:id19:" + ID[:19] + b"e1:q4:pinge"), "payload", flags=UNSURE)
HANDSHAKE = b"\x13BitTorrent protocol" + b"\0" * 8 + ID + ID
row("BitTorrent handshake over TCP", tcp(PSH | ACK, HANDSHAKE, dport=6881), "p2p", flags="probe")
row("BitTorrent handshake in a SYN", tcp(SYN, HANDSHAKE, dport=6881), "p2p", flags=ASK)
row("BitTorrent handshake over UDP", udp(HANDSHAKE), "p2p", flags=UNSURE, tags="erratic,length")
row("uTP SYN as libtorrent sends it", udp(utp(4, window=0, seq=0x4235), id=9), "p2p", flags=ASKS,
    tags="erratic,bittorrent")
row("uTP SYN with its two old extensions", udp(utp(4, first_extension=2, extension=b"\0\x08" + b"\0" * 8)), "p2p",
    flags=ASKS, tags="erratic,bittorrent")
row("uTP SYN that acknowledges", udp(utp(4, ack=7)), "payload", flags=UNSURE, tags="erratic,bittorrent")
row("uTP SYN that measured a delay", udp(utp(4, diff=7)), "payload", flags=UNSURE, tags="erratic,bittorrent")
row("uTP STATE", udp(utp(2, diff=99, ack=7)), "p2p", tags="erratic,bittorrent")
row("uTP RESET", udp(utp(3, ack=7, window=0)), "p2p")
row("uTP FIN", udp(utp(1, ack=7)), "p2p", flags=UNSURE, tags="erratic,bittorrent")
row("uTP DATA with a handshake", udp(utp(0, ack=7) + HANDSHAKE), "p2p", flags=UNSURE, tags="erratic,bittorrent")
row("uTP DATA with anything", udp(utp(0, ack=7) + b"x" * 40), "payload", flags=UNSURE)
row("uTP STATE with data", udp(utp(2, ack=7) + b"x" * 40), "payload", flags=UNSURE)
row("uTP STATE with a mad window", udp(utp(2, ack=7, window=0xF0000000)), "payload", flags=UNSURE,
    tags="erratic,bittorrent")
row("Kademlia hello", udp(b"\xe4\x11" + b"\x77" * 16 + b"\x36\x12\x09\0"), "p2p", flags=ASKS)
row("Kademlia ping", udp(b"\xe4\x60", dport=4672), "p2p", flags=ASKS)
row("Kademlia pong", udp(b"\xe4\x61\x40\x12", dport=4672), "p2p")
row("Kademlia of no operation", udp(b"\xe4\xf0" + b"\x77" * 20), "payload", flags=UNSURE)
row("Kademlia ping that is too long", udp(b"\xe4\x60\0"), "payload", flags=UNSURE)
row("Kademlia packed", udp(b"\xe5\x29\x78\x9c" + b"\x55" * 20), "p2p")
row("Kademlia packed, but no zlib", udp(b"\xe5\x29\x78\x9d" + b"\x55" * 20), "payload", flags=UNSURE)
row("eDonkey server status", udp(b"\xe3\x96\1\2\3\4", dport=4665), "p2p", flags=ASKS)
row("eMule reask", udp(b"\xc5\x90" + b"\x31" * 16, dport=4672), "p2p", flags=ASKS)
row("eDonkey hello over TCP", tcp(PSH | ACK, b"\xe3\x05\0\0\0\x01\x10\1\2\3", dport=4662), "p2p", flags="probe")
row("Modbus that looks like eDonkey", tcp(PSH | ACK, bytes.fromhex("c50700000006ff050001ff00"), dport=502), "payload",
    flags="probe")
row("eDonkey, two messages", tcp(PSH | ACK, b"\xe3\x02\0\0\0\x54\x01\xc5\x01\0\0\0\x81", dport=4662), "p2p", flags="probe")
row("eDonkey with bytes behind it", tcp(PSH | ACK, b"\xe3\x02\0\0\0\x54\x01\xe3\0", dport=4662), "payload", flags="probe")
row("eDonkey with a length of its own", tcp(PSH | ACK, b"\xe3\x06\0\0\0\x01\x10\1\2\3", dport=4662), "payload",
    flags="probe")
row("P2P goes after backscatter", tcp(RST, HANDSHAKE), "backscatter", tags=REPLY)

# ---- scan ----
row("SYN", tcp(SYN), "scan", flags=ASK)
row("SYN with ECE and CWR", tcp(SYN | ECE | CWR), "scan", flags=ASK)
row("SYN with data", tcp(SYN, b"GET /"), "scan", flags=ASK)
row("SYN+PSH+URG is an access", tcp(SYN | PSH | URG), "scan", flags=ASK, tags="spoofed,erratic,abnormal")
row("SYN+FIN is none", tcp(SYN | FIN), "scan", flags="probe")
row("NULL", tcp(0), "scan", flags="probe", tags="spoofed,erratic,abnormal")
row("NULL with ECE", tcp(ECE), "scan", flags="probe", tags="spoofed,erratic,abnormal")
row("FIN", tcp(FIN), "scan", flags="probe")
row("Xmas", tcp(FIN | PSH | URG), "scan", flags="probe", tags="spoofed,erratic,abnormal")
row("Maimon", tcp(FIN | ACK), "scan", flags="probe")
row("ACK", tcp(ACK), "scan", flags="probe")
row("IPv6 SYN", tcp6(SYN), "scan", flags=ASK)
row("IPv6 Xmas", tcp6(FIN | PSH | URG), "scan", flags="probe", tags="spoofed,erratic,abnormal")
row("SCTP INIT", sctp(sctp_init(0xAABBCCDD)), "scan", flags="probe", tags="spoofed,erratic,abnormal")
row("empty UDP", udp(), "scan", flags=UNSURE)
row("empty UDP over IPv6", udp6(), "scan", flags=UNSURE)
for kind in (8, 13, 15, 17):
    row("ICMP request %d" % kind, icmp(kind), "scan", flags=ASK)
row("ICMPv6 echo request", icmp6(128), "scan", flags=ASK)

# ---- payload ----
row("UDP data", udp(b"\xde\xad\xbe\xef"), "payload", flags=UNSURE)
row("UDP data over IPv6", udp6(b"\xde\xad\xbe\xef"), "payload", flags=UNSURE)
row("SIP OPTIONS", udp(b"OPTIONS sip:100@1.2.3.4 SIP/2.0\r\n", sport=5060, dport=5060), "payload", flags=UNSURE)
row("TCP data", tcp(PSH | ACK, b"GET / HTTP/1.0\r\n\r\n"), "payload", flags="probe")
row("TCP data without flags", tcp(0, b"hello"), "payload", flags="probe", tags="spoofed,erratic,abnormal")
row("TCP data with FIN", tcp(FIN, b"hello"), "payload", flags="probe")
row("data that the capture cut off", tcp(PSH | ACK, b"x" * 30)[:40], "payload", flags="probe", scope="wire=70")
row("options that the capture cut off are no data", tcp(ACK, options=b"\1\1\x08\x0a" + b"\0" * 8)[:40], "scan",
    flags="probe", scope="wire=52")
row("UDP data that the capture cut off", udp(b"x" * 30)[:28], "payload", flags=UNSURE, scope="wire=58")
row("padding of the link is no data", tcp(ACK) + b"\0" * 6, "scan", flags="probe")

# ---- misconfiguration: the erratic forms of what is left ----
row("PSH+ACK without data from port 80", tcp(PSH | ACK, sport=80), "misconfiguration", tags="erratic,port")
row("URG alone", tcp(URG), "misconfiguration", tags="spoofed,erratic,abnormal")
row("FIN+PSH+ACK without data to port 0", tcp(FIN | PSH | ACK, dport=0), "misconfiguration",
    tags="spoofed,erratic,port_zero")
row("router solicitation of IPv4 from .255", icmp(10, src="100.20.30.255"), "misconfiguration",
    tags="spoofed,erratic,last_byte")
row("SCTP that is no INIT", sctp(struct.pack(">BBHI", 3, 0, 16, 9) + b"\0" * 8), "misconfiguration",
    tags="spoofed,erratic,abnormal")
row("IGMP to one address", ip4(2, b"\x11\x64\0\0\0\0\0\0"), "misconfiguration", tags="spoofed,erratic,abnormal")
row("ESP", ip4(50, b"\0\0\0\1\0\0\0\1" + b"\x99" * 32), "misconfiguration", tags="spoofed,erratic,abnormal")

# ---- other ----
row("PSH+ACK without data", tcp(PSH | ACK), "other")
row("FIN+PSH+ACK without data", tcp(FIN | PSH | ACK), "other")
row("later fragment", ip4(17, b"\x33" * 40, flags=0, offset=1480), "other", tags="spoofed,erratic,fragment")
row("later fragment of TCP has no port 0", ip4(6, b"\0" * 40, flags=0, offset=1480), "other",
    tags="spoofed,erratic,fragment")
row("first fragment too short for flags", ip4(6, tcp_header(SYN)[:8], flags=1), "other")
row("first fragment with its header", ip4(6, tcp_header(SYN), flags=1), "scan", flags=ASK)
row("GRE", ip4(47, b"\0\0\x08\0" + b"\0" * 20), "other", tags="spoofed,erratic,abnormal")
row("IP in IP", ip4(4, tcp(SYN)), "other", tags="spoofed,erratic,abnormal")
row("6in4", ip4(41, tcp6(SYN)), "other")
row("ICMP 9", icmp(9), "other")
row("ICMP 40", icmp(40), "other")
row("ICMPv6 144", icmp6(144), "other")

# ---- tags ----
row("TTL 200", tcp(SYN, ttl=200), "scan", flags=ASK, tags="spoofed,erratic,ttl_spoofed,ttl_200")
row("TTL 199", tcp(SYN, ttl=199), "scan", flags=ASK)
row("TTL 250 of ICMP", icmp(8, ttl=250), "scan", flags=ASK)
row("hop limit 250 of ICMPv6", icmp6(128, hop=250), "scan", flags=ASK)
row("TTL 250 of a SYN like masscan's", tcp(SYN, ttl=250, window=1024), "scan", flags=ASK, tags="erratic,ttl_200")
row("TTL 250 of window 1024 with an option", tcp(SYN, ttl=250, window=1024, options=b"\1\1\1\0"), "scan", flags=ASK,
    tags="spoofed,erratic,ttl_spoofed,ttl_200")
row("TTL 250 of a ZMap SYN", tcp(SYN, ttl=250, id=54321), "scan", flags=ASK, tags="erratic,ttl_200", rules="zmap-id")
row("TTL 250 of a ZMap UDP probe", udp(b"x", ttl=250, id=54321), "payload", flags=UNSURE,
    tags="spoofed,erratic,ttl_spoofed,ttl_200", rules="zmap-id")
row("source ends in 0", tcp(SYN, src="100.20.30.0"), "scan", flags=ASK, tags="spoofed,erratic,last_byte")
row("source ends in 255", udp(b"x", src="100.20.30.255"), "payload", flags=UNSURE, tags="spoofed,erratic,last_byte")
row("source is destination", tcp(SYN, src=DST), "scan", flags=ASK, tags="spoofed,erratic,land")
row("source is destination, IPv6", tcp6(SYN, src=DST6), "scan", flags=ASK, tags="spoofed,erratic,land")
row("TCP port 0", tcp(SYN, dport=0), "scan", flags=ASK, tags="spoofed,erratic,port_zero")
row("UDP source port 0", udp(b"x", sport=0), "payload", flags=UNSURE, tags="spoofed,erratic,port_zero")
row("UDP port 80", udp(b"x", dport=80), "payload", flags=UNSURE, tags="spoofed,erratic,udp_80")
row("UDP from port 80", udp(b"x", sport=80), "payload", flags=UNSURE)
row("reserved flag", tcp(SYN, ip_flags=6), "scan", flags=ASK, tags="spoofed,erratic,fragment")
for port in (23, 80, 53, 5000):
    row("TCP port %d" % port, tcp(SYN, dport=port), "scan", flags=ASK, tags="erratic,port")
    row("TCP from port %d" % port, tcp(SYN, sport=port), "scan", flags=ASK, tags="erratic,port")
row("UDP port 23 is nothing", udp(b"x", dport=23), "payload", flags=UNSURE)
row("UDP of 96 bytes", udp(b"x" * 68), "payload", flags=UNSURE, tags="erratic,length")
row("UDP of 1500 bytes", udp(b"x" * 1472), "payload", flags=UNSURE, tags="erratic,length")
row("UDP of 97 bytes", udp(b"x" * 69), "payload", flags=UNSURE)
row("the 0x31 probe", udp(b"\0" * 8 + b"\x31\0" + b"x" * 20), "payload", flags=UNSURE, tags="erratic,content")
row("the 0x31 probe, another length", udp(b"\0" * 8 + b"\x31\0" + b"x" * 21), "payload", flags=UNSURE)
row("SIP status", udp(b"SIP/2.0 404 Not found\r\n", sport=5060, dport=5060), "payload", flags=UNSURE,
    tags="erratic,content")
BOGONS = ["0.1.2.3", "10.1.2.3", "127.0.0.1", "169.254.1.2", "172.16.1.2", "172.31.1.2", "192.0.0.8", "192.0.2.9",
          "192.88.99.7", "192.168.1.2", "198.18.1.2", "198.19.1.2", "198.51.100.4", "203.0.113.5", "224.1.2.3",
          "239.1.2.3", "240.1.2.3"]
for source in BOGONS:
    row("bogon " + source, tcp(SYN, src=source), "scan", flags=ASK, tags="routed")
for source in ("1.0.0.1", "9.1.2.3", "11.1.2.3", "100.64.1.2", "169.253.1.2", "172.15.1.2", "172.32.1.2", "192.0.1.8",
               "192.0.3.9", "192.88.98.7", "192.167.1.2", "192.169.1.2", "198.17.1.2", "198.20.1.2", "198.51.101.4",
               "203.0.112.5", "223.1.2.3"):
    row("no bogon " + source, tcp(SYN, src=source), "scan", flags=ASK)
for source in ("::1", "fe80::1", "fc00::1", "2001:db8::1", "::ffff:1.2.3.4", "4000::1"):
    row("bogon " + source, tcp6(SYN, src=source), "scan", flags=ASK, tags="routed")
for source in ("2001:db9::1", "64:ff9b::1.2.3.4", "3fff::1"):
    row("no bogon " + source, tcp6(SYN, src=source), "scan", flags=ASK)

# ---- network address translation ----
NAT = "nat=10.7.0.0/24=198.51.7.0/24"
PRIVATE = "10.7.0.6"
row("NAT: monitored by its public side", tcp(SYN, dst=PRIVATE), "scan", flags=ASK, scope=NAT + " " + MON)
row("NAT: monitored by its captured side", tcp(SYN, dst=PRIVATE), "scan", flags=ASK, scope=NAT + " monitored=10.7.0.0/16")
row("NAT: monitored by neither side", tcp(SYN, dst=PRIVATE), "ignored", "not_monitored", scope=NAT + " monitored=10.8.0.0/16")
row("NAT: Mirai's rule reads the public side", tcp(SYN, dst=PRIVATE, seq=0xC6330706), "scan", flags=ASK,
    rules="mirai-seq", scope=NAT)
row("NAT: and not the captured one", tcp(SYN, dst=PRIVATE, seq=0x0A070006), "scan", flags=ASK, scope=NAT)
row("NAT: masscan's rule too", tcp(SYN, dst=PRIVATE, id=0x0706 ^ 443 ^ 0x0304), "scan", flags=ASK, rules="masscan-id",
    scope=NAT)
row("NAT: what the captured side sends is outgoing", tcp(SYN, src=PRIVATE), "ignored", "outgoing", scope=NAT)
row("NAT: own by the captured side", tcp(SYN, dst=PRIVATE), "ignored", "own", scope=NAT + " own=10.7.0.6/32")
row("NAT: own by the public side", tcp(SYN, dst=PRIVATE), "ignored", "own", scope=NAT + " own=198.51.7.6/32")
row("NAT: the map does not know it", tcp(SYN, dst="10.8.0.6", seq=0x0A080006), "scan", flags=ASK + ",cannot_tell",
    scope=NAT)
row("NAT unknown: no rule that reads the destination", tcp(SYN, dst=PRIVATE, seq=0x0A070006), "scan",
    flags=ASK + ",cannot_tell", scope="nat_unknown")
row("NAT unknown: other rules stay", tcp(SYN, dst=PRIVATE, id=54321), "scan", flags=ASK + ",cannot_tell",
    rules="zmap-id", scope="nat_unknown")
row("NAT: a quote of the public side", icmp(3, 3, quoting(DST), dst=PRIVATE), "backscatter", tags=REPLY, scope=NAT)
row("NAT: a quote of the captured side", icmp(3, 3, quoting(PRIVATE), dst=PRIVATE), "backscatter", tags=REPLY, scope=NAT)
row("NAT: a quote of neither", icmp(3, 3, quoting("10.7.0.9"), dst=PRIVATE), "backscatter", flags="quote_mismatch",
    tags=REPLY, scope=NAT)
row("NAT unknown: quotes", icmp(3, 3, quoting(DST), dst=PRIVATE), "backscatter", flags="cannot_tell", tags=REPLY,
    scope="nat_unknown")
NAT6 = "nat=fd00::/64=2a0b:6b40::/64"
row("NAT of IPv6", tcp6(SYN, dst="fd00::6"), "scan", flags=ASK, scope=NAT6 + " " + MON6)
row("NAT of IPv6: monitored by its captured side", tcp6(SYN, dst="fd00::6"), "scan", flags=ASK,
    scope=NAT6 + " monitored=fd00::/64")
row("NAT of IPv6: land by the public side", tcp6(SYN, dst="fd00::6", src=DST6), "scan", flags=ASK,
    tags="spoofed,erratic,land", scope=NAT6)

CLASSES, ROWS = ROWS, []

# ---- evidence ----
MSS = bytes.fromhex("020405b4")
WINDOWS = bytes.fromhex("020405b40103030801010402")
LINUX = bytes.fromhex("020405b40402080a1122334400000000" + "01030307")
BSD = bytes.fromhex("020405b4010303060101080a11223344000000000402" + "0000")
DSTN = 0xC6330706
row("Mirai", tcp(SYN, seq=DSTN, window=5555), "scan", flags=ASK, rules="mirai-seq")
row("a scan by SYN+ACK, ZMap's ip.id", tcp(SYN | ACK, id=54321), "backscatter", tags=REPLY, rules="reply-id")
row("a scan by SYN+ACK, masscan's", tcp(SYN | ACK, id=(0x0706 ^ 443 ^ 0x0304)), "backscatter", tags=REPLY, rules="reply-id")
row("Mirai with another flag", tcp(SYN | FIN, seq=DSTN), "scan", flags="probe")
row("a run of one byte over destination, seq and flags", tcp(SYN | PSH | URG | CWR, dst="170.170.170.170", seq=0xAAAAAAAA), "scan",
    flags=ASK, tags="spoofed,erratic,abnormal")
row("ZMap 2, SYN", tcp(SYN, id=54321, window=65535, ip_flags=0, ttl=250), "scan", flags=ASK, tags="erratic,ttl_200",
    rules="zmap-id")
row("ZMap 2, UDP", udp(b"\xff", id=54321), "payload", flags=UNSURE, rules="zmap-id")
row("ZMap 2, ICMP", icmp(8, id=54321), "scan", flags=ASK, rules="zmap-id")
row("ip.id 54322", udp(b"\xff", id=54322), "payload", flags=UNSURE)
row("ip.id 54321 of what is no probe", icmp(0, id=54321), "backscatter", tags=REPLY)
for name, options in (("windows", WINDOWS), ("linux", LINUX), ("bsd", BSD), ("smallest", MSS)):
    row("ZMap 4.1, %s options" % name, tcp(SYN, window=65535, ip_flags=0, options=options), "scan", flags=ASK,
        rules="zmap4-header")
    row("the same with DF", tcp(SYN, window=65535, options=options), "scan", flags=ASK)
    row("the same with an ack", tcp(SYN, window=65535, ip_flags=0, options=options, ack=1), "scan", flags=ASK)
    row("the same from a low port", tcp(SYN, window=65535, ip_flags=0, options=options, sport=32767), "scan", flags=ASK)
row("ZMap's linux options with a timestamp echo", tcp(SYN, window=65535, ip_flags=0, options=LINUX[:15] + b"\1" + LINUX[16:]),
    "scan", flags=ASK)
row("ZMap 4.1 with TTL 128", tcp(SYN, window=65535, ip_flags=0, options=WINDOWS, ttl=110), "scan", flags=ASK)
row("masscan", tcp(SYN, id=0x0706 ^ 443 ^ 0x0304, ip_flags=0, ttl=250, window=1024), "scan", flags=ASK,
    tags="erratic,ttl_200", rules="masscan-id")
row("masscan's id in an ACK", tcp(ACK, id=0x0706 ^ 443 ^ 0x0304), "scan", flags="probe")
row("masscan over SCTP", sctp(sctp_init(0xAABBCCDD), id=0x0706 ^ 36412 ^ 0xCCDD), "scan", flags="probe",
    tags="spoofed,erratic,abnormal", rules="masscan-id")
row("masscan's id over UDP is chance", udp(b"x", id=0x0706 ^ 40001), "payload", flags=UNSURE)
row("Nmap SYN", tcp(SYN, window=1024, ip_flags=0, options=MSS), "scan", flags=ASK, rules="nmap-header,nmap-pair")
row("Nmap SYN of old", tcp(SYN, window=3072, ip_flags=0, options=MSS), "scan", flags=ASK, rules="nmap-pair")
row("Nmap FIN", tcp(FIN, window=1024, ip_flags=0), "scan", flags="probe", rules="nmap-header,nmap-pair")
row("Nmap Xmas", tcp(FIN | PSH | URG, window=1024, ip_flags=0), "scan", flags="probe", tags="spoofed,erratic,abnormal",
    rules="nmap-header,nmap-pair")
row("Nmap NULL has no mark of its own", tcp(0, window=1024, ip_flags=0), "scan", flags="probe",
    tags="spoofed,erratic,abnormal")
row("Nmap SYN with DF", tcp(SYN, window=1024, options=MSS), "scan", flags=ASK)
row("Nmap SYN with another MSS", tcp(SYN, window=1024, ip_flags=0, options=bytes.fromhex("02040218")), "scan", flags=ASK)
row("hping3", tcp(SYN, window=512, ip_flags=0, ack=0x55667788), "scan", flags=ASK, rules="hping3-header")
row("hping3 without its ack", tcp(SYN, window=512, ip_flags=0), "scan", flags=ASK)
row("hping3 with TTL 128", tcp(SYN, window=512, ip_flags=0, ack=1, ttl=128), "scan", flags=ASK)
row("Unicornscan", tcp(SYN, window=4096, options=WINDOWS), "scan", flags=ASK, rules="unicornscan-pair")
row("Hajime, low half", tcp(SYN, window=14600, seq=0x12340000), "scan", flags=ASK, rules="hajime-header")
row("Hajime, high half", tcp(SYN, window=14600, seq=0x00001234), "scan", flags=ASK, rules="hajime-header")
row("window 14600 alone", tcp(SYN, window=14600), "scan", flags=ASK)
for seq, window, ident in ((2018915346, 1, 7), (333994513, 1, 7), (30000, 65535, 7), (100, 1024, 123)):
    row("constant seq %d" % seq, tcp(SYN, seq=seq, window=window, id=ident), "scan", flags=ASK, rules="constant-seq")
row("seq 30000 with another window", tcp(SYN, seq=30000, window=1), "scan", flags=ASK)
row("no rule reads IPv6", tcp6(SYN, window=1024, options=MSS), "scan", flags=ASK)



def write(name, title, rows):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), "w") as out:
        out.write("# %s. Made by make_classes.py, which says how to read it.\n" % title)
        out.writelines(line + "\n" for line in rows)


write("classes.txt", "What each line of the class rule comes to", CLASSES)
write("rules.txt", "What is evidence of a tool, and what is nearly", ROWS)
