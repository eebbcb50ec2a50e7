"""Packets to verdicts for the oracle: DEFINITIONS 1 to 3 in the oracle's own words.

judge(packet, scope) returns a Verdict. Names of rules and tags are this file's; rows.py finds their bits by name in the
headers, so that a renumbering there is seen here.
"""
import ipaddress
import os

import rules
import tags
import udp
from packets import (ACK, CWR, ECE, FIN, ICMP, ICMPV6, MALFORMED, OK, PSH, RST, SCTP, SHORT, SYN, TCP, UDP, UNSUPPORTED,
                     URG, quote)

CLASSES = ("ignored", "undecoded", "backscatter", "p2p", "scan", "payload", "misconfiguration", "other")
STATUS_REASONS = {SHORT: "short", MALFORMED: "malformed", UNSUPPORTED: "unsupported"}


class Scope:
    """Whose packets count: networks to monitor (none: all), own networks, and pairs of captured and public ones."""

    def __init__(self, monitored=(), own=(), nat=()):
        self.monitored = [ipaddress.ip_network(x) for x in monitored]
        self.own = [ipaddress.ip_network(x) for x in own]
        self.nat = [tuple(ipaddress.ip_network(y) for y in x) for x in nat]

    def inside(self, networks, address):
        a = ipaddress.ip_address(address)
        return any(a.version == n.version and a in n for n in networks)

    def public(self, address):
        a = ipaddress.ip_address(address)
        for captured, public in self.nat:
            if a.version == captured.version and a in captured:
                return (int(a) - int(captured.network_address) + int(public.network_address)).to_bytes(
                    len(address), "big")
        return address


def source_text(name):
    with open(os.path.join(SOURCE_DIR, "src", name), encoding="utf-8") as f:
        return f.read()


SOURCE_DIR = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
RULES = rules.rule_numbers(source_text("classify/rules.def"))
TAGS = tags.tag_bits(source_text("classify/classify.h"))


class Verdict:
    __slots__ = ("kind", "reason", "access", "probe", "rules", "tags")

    def __init__(self, kind, reason=None, access=False, probe=None):
        self.kind = kind
        self.reason = reason
        self.access = access
        self.probe = kind in ("scan", "payload") if probe is None else probe
        self.rules = self.tags = 0


def judge(p, scope):
    if scope.nat and p.version:
        p.dst = scope.public(p.dst)
    v = partition(p, scope)
    if v.kind not in ("ignored", "undecoded"):
        v.rules = rules.rules(p, RULES, v.probe)
        v.tags = tags.tags(p, v.rules, TAGS)
        if v.kind == "other" and v.tags & TAGS["ERRATIC"] and not (p.later or p.tiny or p.proto in TUNNELS):
            v.kind = "misconfiguration"
    return v


# IP in IP, 6in4, GRE, EtherIP, L2TPv3, MPLS in IP: "other" names tunnels.
TUNNELS = {4, 41, 47, 97, 115, 137}


def partition(p, scope):
    reason = ignored(p, scope)
    if reason:
        return Verdict("ignored", reason)
    if p.status != OK:
        return Verdict("undecoded", STATUS_REASONS[p.status])
    if p.later or p.tiny:
        return Verdict("other")
    if p.proto == TCP:
        return of_tcp(p)
    if p.proto == UDP:
        return of_udp(p)
    if p.proto == ICMP and p.version == 4:
        return of_icmp(p.dport >> 8, {0, 3, 4, 5, 11, 12, 14, 16, 18}, {8, 13, 15, 17})
    if p.proto == ICMPV6 and p.version == 6:
        return of_icmp(p.dport >> 8, {1, 2, 3, 4, 129}, {128})
    if p.proto == SCTP and p.payload[:1] == b"\1":
        return Verdict("scan")
    return Verdict("other")


# ---- whose packets ----

def ignored(p, scope):
    if p.outgoing:
        return "outgoing"
    if not p.version:
        return "local" if p.local else None
    if scope.own and (scope.inside(scope.own, p.src) or scope.inside(scope.own, p.dst)):
        return "own"
    if link_talk(p):
        return "local"
    if scope.monitored:
        if scope.inside(scope.monitored, p.dst):
            return None
        return "local" if to_many(p) else "not_monitored"
    return "local" if to_many(p) else None


def to_many(p):
    """Multicast and broadcast."""
    if p.version == 4:
        return p.dst[0] & 0xF0 == 0xE0 or p.dst == b"\xff\xff\xff\xff"
    return p.dst[0] == 0xFF


def link_talk(p):
    """What hosts of one link say to each other, wherever it is sent: DHCP, router and neighbour discovery."""
    if p.later:
        return False
    if p.proto == UDP:
        return {p.sport, p.dport} <= ({67, 68} if p.version == 4 else {546, 547})
    return p.proto == ICMPV6 and p.version == 6 and 133 <= p.dport >> 8 <= 137


# ---- the partition past undecoded ----

def of_tcp(p):
    flags = p.flags
    if flags & RST or flags & (SYN | ACK) == SYN | ACK:
        return Verdict("backscatter")
    if udp.tcp_p2p(p.payload):
        return Verdict("p2p", access=syn_access(flags), probe=True)
    if flags & SYN:
        return Verdict("scan", access=syn_access(flags))
    if p.has_data:
        return Verdict("payload")
    if flags & ~(ECE | CWR) in (0, FIN, FIN | PSH | URG, FIN | ACK, ACK):
        return Verdict("scan")
    return Verdict("other")


def syn_access(flags):
    return flags & (SYN | ACK | RST | FIN) == SYN


def of_icmp(kind, replies, requests):
    if kind in replies:
        return Verdict("backscatter")
    if kind in requests:
        return Verdict("scan", access=True)
    return Verdict("other")


def of_udp(p):
    """An access unless it is provably a reply; P2P is a class whichever way it goes."""
    what = udp.kind(p)
    if what == udp.REPLY:
        return Verdict("backscatter")
    if what in (udp.P2P_UNSURE, udp.P2P_REQUEST, udp.P2P_REPLY):
        return Verdict("p2p", access=what != udp.P2P_REPLY, probe=what != udp.P2P_REPLY)
    return Verdict("payload" if p.has_data else "scan", access=True)


def victim(p):
    """((address, kind, protocol, port) of who answers packets it thinks we sent, the port it thinks they came from); None where
    the quote cannot be read. Kinds: 0 SYN+ACK, 1 RST, 2 error, 3 any other answer."""
    if p.proto in (ICMP, ICMPV6):
        q = quote(p)
        if q:
            return (q.dst, 2, q.proto, q.dport), q.sport
        kind = p.dport >> 8
        if kind in ((3, 4, 5, 11, 12) if p.version == 4 else (1, 2, 3, 4)):
            return None
        return (p.src, 3, p.proto, 0), 0
    kind = 3 if p.proto != TCP else 1 if p.flags & RST else 0
    return (p.src, kind, p.proto, p.sport), p.dport
