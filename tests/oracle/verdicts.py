"""Packets to verdicts for the oracle: DEFINITIONS 1 to 3 in the oracle's own words.

judge(packet, scope) returns a Verdict. Names of rules and tags are this file's; rows.py finds their bits by name in the
headers, so that a renumbering there is seen here.
"""
import ipaddress

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


class Verdict:
    __slots__ = ("kind", "reason", "access", "rules", "tags")

    def __init__(self, kind, reason=None, access=False):
        self.kind = kind
        self.reason = reason
        self.access = access
        self.rules = self.tags = 0


def judge(p, scope):
    if scope.nat and p.version:
        p.dst = scope.public(p.dst)
    v = partition(p, scope)
    if v.kind == "ignored" or not p.version:
        return v
    v.tags = tags(p)
    if v.kind in ("scan", "payload", "p2p"):
        v.rules = rules(p)
    return v


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
    if p.version and not p.dst:
        return None
    if not p.version:
        return "local" if p.local else None
    if scope.own and (scope.inside(scope.own, p.src) or scope.inside(scope.own, p.dst)):
        return "own"
    if scope.monitored:
        if scope.inside(scope.monitored, p.dst):
            return None
        return "local" if link_scope(p) else "not_monitored"
    return "local" if link_scope(p) else None


def link_scope(p):
    """Multicast, broadcast and what hosts of one link say to each other."""
    if p.version == 4:
        if p.dst[0] & 0xF0 == 0xE0 or p.dst == b"\xff\xff\xff\xff":
            return True
    elif p.dst[0] == 0xFF:
        return True
    if not p.l4:
        return False
    if p.proto == UDP:
        return dhcp(p)
    return p.proto == ICMPV6 and p.version == 6 and 133 <= p.dport >> 8 <= 137


def dhcp(p):
    pair = {p.sport, p.dport}
    return pair <= ({67, 68} if p.version == 4 else {546, 547})


# ---- the partition past undecoded ----

def of_tcp(p):
    flags = p.flags
    if flags & RST or flags & (SYN | ACK) == SYN | ACK:
        return Verdict("backscatter")
    if p.payload.startswith(BITTORRENT):
        return Verdict("p2p", access=syn_access(flags))
    if flags & SYN:
        return Verdict("scan", access=syn_access(flags))
    if p.payload:
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
    data = p.payload
    if not data:
        return Verdict("scan", access=True)
    if data[:11] == b"d1:rd2:id20" or bencoded(data, b"r"):
        return Verdict("p2p")
    if udp_reply(p):
        return Verdict("backscatter")
    return Verdict("p2p" if udp_p2p(data) else "payload", access=True)


# ---- P2P heads ----

BITTORRENT = b"\x13BitTorrent protocol"


def bencoded(data, kind):
    """A bencoded dictionary with the key y (kind) in any order of keys: as BEP 5 sends queries and responses."""
    return data[:1] == b"d" and b"1:y1:" + kind in data and data[1:2].isdigit()


def udp_p2p(data):
    if data.startswith((b"d1:ad2:id20:", BITTORRENT)):
        return True
    if bencoded(data, b"q") or bencoded(data, b"e"):
        return True
    return utp(data)


def utp(data):
    """uTP version 1 header (BEP 29): type 0-4, extension 0-2, at least 20 bytes."""
    return len(data) >= 20 and data[0] & 15 == 1 and data[0] >> 4 <= 4 and data[1] <= 2


# ---- UDP replies by content ----

def udp_reply(p):
    return False


# ---- tags (DEFINITIONS 3) ----

def tags(p):
    return 0


# ---- evidence of tools (DEFINITIONS 2) ----

def rules(p):
    return 0


def victim(p):
    """(address, protocol, port) of who answers packets it thinks we sent; None where the quote cannot be read."""
    if p.proto in (ICMP, ICMPV6):
        q = quote(p)
        if q:
            return q.dst, q.proto, q.dport
        kind = p.dport >> 8
        if kind in ((3, 4, 5, 11, 12) if p.version == 4 else (1, 2, 3, 4)):
            return None
        return p.src, p.proto, 0
    return p.src, p.proto, p.sport
