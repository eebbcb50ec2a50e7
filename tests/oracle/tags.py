"""Spoofed, erratic and routed tags for the oracle: DEFINITIONS 3 by the names that src/classify/classify.h gives the
bits; the conditions are corsaro3's, as facts. tags(packet, rules) returns the bits of a packet with an IP header."""
import re

import udp
from packets import ACK, FIN, ICMP, ICMPV6, PSH, RST, SYN, TCP, UDP, URG

TCP_NORMAL = {SYN, ACK, RST, FIN, SYN | FIN, SYN | ACK, FIN | ACK, ACK | PSH, FIN | ACK | PSH, RST | ACK}
REPLIES4 = {0, 3, 4, 5, 11, 12, 14, 16, 18}
REPLIES6 = {1, 2, 3, 4, 129}

# RFC 5735 (today's RFC 6890) as (network, bits of prefix).
ROUTED_TO_NOBODY = [(0x00000000, 8), (0x0A000000, 8), (0x7F000000, 8), (0xA9FE0000, 16), (0xAC100000, 12),
                    (0xC0000000, 24), (0xC0000200, 24), (0xC0586300, 24), (0xC0A80000, 16), (0xC6120000, 15),
                    (0xC6336400, 24), (0xCB007100, 24), (0xE0000000, 3)]


def tag_bits(header):
    """TAG_NAME -> bit, from the enum in the text of classify.h."""
    return {name: 1 << int(bit) for name, bit in re.findall(r"\bTAG_(\w+) = 1 << (\d+)", header)}


def abnormal(p):
    if p.proto == TCP:
        return p.l4 and p.flags & (SYN | ACK | RST | FIN | PSH | URG) not in TCP_NORMAL
    return p.proto not in ((ICMP, UDP, 41) if p.version == 4 else (ICMPV6, UDP, 41))


def routed(p):
    if p.version == 4:
        a = int.from_bytes(p.src, "big")
        return any(a >> (32 - bits) == net >> (32 - bits) for net, bits in ROUTED_TO_NOBODY)
    # Routed space is 2000::/3 without its documentation prefix, and the translation prefix 64:ff9b::/96 (RFC 6052).
    if p.src[0] >> 5 == 1:
        return p.src[:4] == b"\x20\x01\x0d\xb8"
    return p.src[:12] != b"\0\x64\xff\x9b" + bytes(8)


def port_zero(p):
    return p.l4 and p.proto in (TCP, UDP) and (p.sport == 0 or p.dport == 0)


def ttl_200(p):
    return p.ttl >= 200 and p.proto not in (ICMP, ICMPV6)


def known_scanner(p, rules):
    if not (p.l4 and p.proto == TCP and p.flags & (SYN | ACK | RST | FIN) == SYN):
        return False
    return bool(rules) or p.window == 1024 and not p.options


def some_port(p):
    if not p.l4 or p.proto not in (TCP, UDP):
        return False
    wanted = {53} if p.proto == UDP else {53, 23, 80, 5000}
    return bool({p.sport, p.dport} & wanted)


def content(p):
    if not p.l4 or p.proto != UDP:
        return False
    d = p.payload
    if p.ip_len == 58 and d[:10] == b"\0\0\0\0\0\0\0\0\x31\0":
        return True
    if p.sport == p.dport == 5060 and d[:7] == b"SIP/2.0":
        return True
    if p.sport == p.dport == 137 and p.ip_len > 48 and len(d) >= 20 and d[12:20] == b"\x20CKAAAAA":
        return True
    return p.ip_len > 42 and dns_answer(d)


def dns_answer(d):
    """A recursive resolver's answer with sensible counts, on whatever port."""
    if len(d) < 12 or d[2] != 0x81 or d[3] & 0xF0 != 0x80:
        return False
    return all(int.from_bytes(d[i:i + 2], "big") < 10 for i in (4, 6, 8, 10))


def reply(p):
    if not p.l4:
        return False
    if p.proto == TCP:
        return bool(p.flags & RST) or p.flags & (SYN | ACK) == SYN | ACK
    if p.proto == UDP:
        return p.sport == 53
    kind = p.dport >> 8
    return p.proto == ICMP and p.version == 4 and kind in REPLIES4 or \
        p.proto == ICMPV6 and p.version == 6 and kind in REPLIES6


def bittorrent(p):
    if not p.l4 or p.proto != UDP:
        return False
    d = p.payload
    if d[:12] in (b"d1:ad2:id20:", b"d1:rd2:id20:"):
        return True
    if d[20:40] == b"\x13BitTorrent protocol":
        return True
    if len(d) < 10:
        return False
    if p.ip_len >= 58 and d[:2] in (b"\x41\2", b"\x21\2", b"\x31\2", b"\x11\2") and \
            not udp.cut(p) and d[-10:] == b"\0\x08" + bytes(8):
        return True
    if p.ip_len == 48 and d[:2] in (b"\x41\0", b"\x21\0", b"\x31\2", b"\x11\0"):
        return True
    return p.ip_len == 61 and d[12:32] == bytes.fromhex("7fffffffab020400010000000800000000000000")


CONDITIONS = {
    "ABNORMAL": lambda p, rules: abnormal(p),
    "TTL_SPOOFED": lambda p, rules: ttl_200(p) and not known_scanner(p, rules),
    "FRAGMENT": lambda p, rules: p.later or p.reserved_flag,
    "LAST_BYTE": lambda p, rules: p.version == 4 and p.src[3] in (0, 255),
    "LAND": lambda p, rules: p.src == p.dst,
    "PORT_ZERO": lambda p, rules: port_zero(p),
    "UDP_80": lambda p, rules: p.l4 and p.proto == UDP and p.dport == 80,
    "TTL_200": lambda p, rules: ttl_200(p),
    "LENGTH": lambda p, rules: p.proto == UDP and p.ip_len in (96, 1500),
    "PORT": lambda p, rules: some_port(p),
    "CONTENT": lambda p, rules: content(p),
    "REPLY": lambda p, rules: reply(p),
    "BITTORRENT": lambda p, rules: bittorrent(p),
}
SPOOFED = ("ABNORMAL", "TTL_SPOOFED", "FRAGMENT", "LAST_BYTE", "LAND", "PORT_ZERO", "UDP_80")


def tags(p, rules, bits):
    found = [name for name, holds in CONDITIONS.items() if holds(p, rules)]
    out = 0
    for name in found:
        out |= bits[name]
    if any(name in SPOOFED for name in found):
        out |= bits["SPOOFED"]
    if found:
        out |= bits["ERRATIC"]
    if routed(p):
        out |= bits["ROUTED"]
    return out
