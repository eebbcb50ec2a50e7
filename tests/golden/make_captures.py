#!/usr/bin/python3
"""Makes small.pcap, the capture of the goldens: one packet for each thing the summary counts, every byte known.

usage: make_captures.py [FOLDER]   (default: this script's)
Addresses are from the documentation prefixes (RFC 5737, RFC 3849); 198.51.100.0/24 plays the monitored network.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import captures

START = 1767225600  # 2026-01-01T00:00:00Z
DARK4, DARK6 = "198.51.100.%d", "2001:db8:1::%x"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(kind, body):
    return bytes.fromhex("020000000002020000000001") + struct.pack(">H", kind) + body + bytes(max(0, 46 - len(body)))


def pseudo(src, dst, proto, length):
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    return socket.inet_pton(family, src) + socket.inet_pton(family, dst) + struct.pack(">IHBB", length, 0, 0, proto)


def ip(src, dst, proto, body, ttl=64, ident=1, fragment=0x4000):
    if ":" in src:
        head = struct.pack(">IHBB", 6 << 28, len(body), proto, ttl)
        return ethernet(0x86DD, head + pseudo(src, dst, 0, 0)[:32] + body)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident, fragment, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return ethernet(0x0800, head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body)


def summed(src, dst, proto, body, at):
    total = checksum(pseudo(src, dst, proto, len(body)) + body)
    return body[:at] + struct.pack(">H", total or 0xFFFF) + body[at + 2:]


def tcp(src, dst, sport, dport, flags, seq=1, ack=0, window=64240, options=b"", data=b"", **more):
    head = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (5 + len(options) // 4) << 4, flags, window, 0, 0)
    return ip(src, dst, 6, summed(src, dst, 6, head + options + data, 16), **more)


def udp(src, dst, sport, dport, data, **more):
    return ip(src, dst, 17, summed(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, 6), **more)


def icmp(src, dst, kind, code, body, **more):
    head = struct.pack(">BBH", kind, code, 0) + body
    if ":" in src:
        return ip(src, dst, 58, summed(src, dst, 58, head, 2), **more)
    return ip(src, dst, 1, head[:2] + struct.pack(">H", checksum(head)) + head[4:], **more)


MSS = bytes.fromhex("020405b4")
SYN, ACK, RST, PSH = 2, 16, 4, 8
DNS_QUERY = bytes.fromhex("123401000001000000000000") + b"\7version\4bind\0\0\x10\0\3"


def frames():
    dark = int.from_bytes(socket.inet_aton(DARK4 % 9), "big")
    quoted = ip(DARK4 % 11, "203.0.113.80", 17, struct.pack(">HHHH", 4000, 53, 8, 0))[14:42]
    return [
        tcp("192.0.2.1", DARK4 % 1, 40000, 22, SYN, options=MSS),
        tcp("192.0.2.1", DARK4 % 1, 40000, 22, SYN, options=MSS),
        tcp("192.0.2.1", DARK4 % 2, 40001, 22, SYN, options=MSS),
        tcp("192.0.2.66", DARK4 % 9, 1025, 23, SYN, seq=dark, fragment=0),
        tcp("203.0.113.80", DARK4 % 3, 80, 5555, SYN | ACK, ack=2, options=MSS),
        tcp("203.0.113.80", DARK4 % 4, 80, 5556, RST | ACK, ack=2, window=0),
        tcp("192.0.2.2", DARK4 % 5, 50000, 80, PSH | ACK, ack=1, data=b"GET / HTTP/1.0\r\n\r\n"),
        udp("192.0.2.3", DARK4 % 6, 5353, 53, DNS_QUERY),
        udp("192.0.2.4", DARK4 % 7, 6881, 6881, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
        udp("192.0.2.5", DARK4 % 8, 50001, 161, b""),
        icmp("192.0.2.6", DARK4 % 10, 8, 0, b"\0\1\0\1abcdefgh"),
        icmp("203.0.113.1", DARK4 % 11, 3, 3, b"\0\0\0\0" + quoted),
        ip("192.0.2.7", DARK4 % 12, 17, b"rest of a datagram", fragment=3),
        ip("192.0.2.8", DARK4 % 13, 47, bytes(8)),
        tcp("2001:db8::1", DARK6 % 1, 40000, 443, SYN, options=MSS),
        icmp("2001:db8::2", DARK6 % 2, 128, 0, b"\0\1\0\1abcd"),
        ethernet(0x0806, bytes.fromhex("0001080006040001") + bytes(20)),
        ethernet(0x1234, b"an ethertype nobody has"),
        tcp("192.0.2.9", DARK4 % 14, 40000, 22, SYN)[:30],
    ]


def small():
    """The frames, 1.25 s apart from five seconds before a minute ends; the last was captured shorter than sent."""
    out = []
    for i, data in enumerate(frames()):
        ns = (START + 55) * 1000000000 + i * 1250000000
        out.append(captures.Frame(ns, captures.LINK_ETHERNET, data, max(len(data), 60), 0, False))
    return out


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    captures.write_pcap(os.path.join(target, "small.pcap"), small())
