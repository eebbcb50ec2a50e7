"""Frames to packets for the oracle: link, IPv4, IPv6, TCP, UDP, ICMP and SCTP headers, by the RFCs alone.

decode(frame) returns a Packet whose fields mean what src/model/packet.h says they mean; addresses are bytes in network
order. Link types that the oracle does not read make `readable` False: their files are left out of comparisons.
"""
import struct

OK, SHORT, MALFORMED, UNSUPPORTED = range(4)
ICMP, IGMP, TCP, UDP, ICMPV6, SCTP = 1, 2, 6, 17, 58, 132
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

READABLE_LINKS = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276}


class Packet:
    __slots__ = ("ts", "status", "version", "src", "dst", "proto", "sport", "dport", "seq", "ack", "window", "ip_id",
                 "ttl", "flags", "ip_len", "options", "payload", "df", "fragment", "later", "tiny", "l4", "local",
                 "outgoing", "truncated", "options_cut", "ip_start", "l4_start", "reserved_flag", "udp_len")

    def __init__(self, frame):
        self.ts = frame.ts
        self.status = OK
        self.version = self.proto = self.sport = self.dport = self.seq = self.ack = self.window = 0
        self.ip_id = self.ttl = self.flags = self.ip_len = 0
        self.src = self.dst = self.options = self.payload = b""
        self.df = self.fragment = self.later = self.tiny = self.l4 = self.local = False
        self.outgoing = frame.outgoing
        self.truncated = len(frame.data) < frame.wirelen
        self.options_cut = self.reserved_flag = False
        self.udp_len = 0


be16 = struct.Struct(">H").unpack_from
be32 = struct.Struct(">I").unpack_from
ports_of = struct.Struct(">HH").unpack_from
ip4_header = struct.Struct(">BBHHHBBH4s4s").unpack_from
tcp_header = struct.Struct(">HHIIBBH").unpack_from

# Protocols of the link alone: they are no IP and none of a telescope's business.
LOCAL_ETHERTYPES = {0x0806, 0x8035, 0x88CC, 0x888E, 0x8809, 0x9000, 0x8863, 0x88F7}
TAGS = {0x8100, 0x88A8, 0x9100, 0x9200}


def decode(frame):
    p = Packet(frame)
    data = frame.data
    if frame.fcs:
        # The check sequence is the end of the wire length, so that a cut capture may hold none or part of it.
        data = data[:max(frame.wirelen - frame.fcs, 0)]
    link = frame.link
    if link == 1:
        ethernet(p, data)
    elif link in (113, 276):
        cooked(p, data, link)
    elif link in (12, 14, 101, 228, 229):
        raw(p, data, link)
    elif link in (0, 108):
        loopback(p, data, link)
    else:
        p.status = UNSUPPORTED
    return p


def ethernet(p, data):
    if len(data) < 14:
        p.status = SHORT
        return
    kind, = be16(data, 12)
    ethertype(p, kind, data, 14)


def ethertype(p, kind, data, at):
    while kind in TAGS:
        if len(data) - at < 4:
            p.status = SHORT
            return
        kind, = be16(data, at + 2)
        at += 4
    if kind == 0x0800:
        ipv4(p, data, at)
    elif kind == 0x86DD:
        ipv6(p, data, at)
    elif kind == 0x8864:
        pppoe(p, data, at)
    elif kind in (0x8847, 0x8848):
        mpls(p, data, at)
    elif kind in LOCAL_ETHERTYPES:
        p.local = True
    elif kind <= 1500:
        llc(p, data, at)
    else:
        p.status = UNSUPPORTED


def pppoe(p, data, at):
    """A session's PPP frame (RFC 2516): IPv4 0x0021, IPv6 0x0057; the link's own protocols are 0x8000 and above."""
    if len(data) - at < 8:
        p.status = SHORT
        return
    kind, = be16(data, at + 6)
    if kind == 0x0021:
        ipv4(p, data, at + 8)
    elif kind == 0x0057:
        ipv6(p, data, at + 8)
    elif kind >= 0x8000:
        p.local = True
    else:
        p.status = UNSUPPORTED


def mpls(p, data, at):
    """Labels to the bottom of the stack, then what the first nibble says (RFC 4928)."""
    while True:
        if len(data) - at < 4:
            p.status = SHORT
            return
        bottom = data[at + 2] & 1
        at += 4
        if bottom:
            break
    version = data[at] >> 4 if len(data) > at else None
    if version is None:
        p.status = SHORT
    elif version == 4:
        ipv4(p, data, at)
    elif version == 6:
        ipv6(p, data, at)
    else:
        p.status = UNSUPPORTED


def llc(p, data, at):
    """802.2: SNAP with an ethertype (RFC 1042), or a protocol of the link."""
    if len(data) - at < 3:
        p.status = SHORT
    elif data[at:at + 2] == b"\xaa\xaa":
        if len(data) - at < 8:
            p.status = SHORT
        elif data[at + 3:at + 6] == b"\0\0\0":
            ethertype(p, be16(data, at + 6)[0], data, at + 8)
        else:
            p.local = True
    elif data[at:at + 2] == b"\x06\x06":
        ipv4(p, data, at + 3)
    else:
        p.local = True


def cooked(p, data, link):
    """Linux cooked capture, versions 1 and 2: the packet type tells what this host sent (LINUX_SLL_OUTGOING = 4)."""
    need = 16 if link == 113 else 20
    if len(data) < need:
        p.status = SHORT
        return
    if link == 113:
        direction, kind = be16(data, 0)[0], be16(data, 14)[0]
    else:
        direction, kind = data[10], be16(data, 0)[0]
    p.outgoing = p.outgoing or direction == 4
    ethertype(p, kind, data, need)


def raw(p, data, link):
    if not data:
        p.status = SHORT
        return
    version = {228: 4, 229: 6}.get(link, data[0] >> 4)
    if version == 4:
        ipv4(p, data, 0)
    elif version == 6:
        ipv6(p, data, 0)
    else:
        p.status = MALFORMED


def loopback(p, data, link):
    if len(data) < 4:
        p.status = SHORT
        return
    family, = be32(data) if link == 108 else struct.unpack_from("<I", data)
    if family > 0xFFFF:
        family = int.from_bytes(family.to_bytes(4, "little"), "big")
    if family == 2:
        ipv4(p, data, 4)
    elif family in (10, 23, 24, 28, 30):
        ipv6(p, data, 4)
    else:
        p.status = UNSUPPORTED


def ipv4(p, data, at):
    left = len(data) - at
    p.version = 4
    if left < 20:
        p.version = 4 if left else 0
        p.status = SHORT
        return
    first, _, total, p.ip_id, frag, p.ttl, p.proto, _, p.src, p.dst = ip4_header(data, at)
    header = (first & 15) * 4
    if first >> 4 != 4:
        p.src = p.dst = b""
    if first >> 4 != 4 or header < 20:
        p.status = MALFORMED
        return
    if total == 0:
        # Segmentation offload leaves the length to the card: the packet is what was captured.
        total = min(left, 0xFFFF)
    p.ip_len = total
    if total < header:
        p.status = MALFORMED
        return
    if left < header:
        p.status = SHORT
        return
    p.df = bool(frag & 0x4000)
    p.reserved_flag = bool(frag & 0x8000)
    p.fragment = bool(frag & 0x3FFF)
    p.later = bool(frag & 0x1FFF)
    p.ip_start = at
    end = at + min(total, left)
    at += header
    if p.later:
        return
    if p.proto == 51:
        at = authentication(p, data, at, end)
        if at is None:
            return
    transport(p, data, at, end)


def authentication(p, data, at, end):
    """Past an authentication header (RFC 4302): where what it protects starts, None when it is cut."""
    if end - at < 12:
        p.status = SHORT
        return None
    length = (data[at + 1] + 2) * 4
    if end - at < length:
        p.status = SHORT
        return None
    p.proto = data[at]
    return at + length


SIMPLE_EXTENSIONS = {0, 43, 60, 135, 139, 140}


def ipv6(p, data, at):
    left = len(data) - at
    p.version = 6
    if left < 40:
        p.version = 6 if left else 0
        p.status = SHORT
        return
    if data[at] >> 4 != 6:
        p.status = MALFORMED
        return
    length, = be16(data, at + 4)
    p.ttl = data[at + 7]
    p.src = data[at + 8:at + 24]
    p.dst = data[at + 24:at + 40]
    p.ip_len = 40 + length
    p.ip_start = at
    following = data[at + 6]
    if length == 0 and following != 59:
        # Jumbogram or segmentation offload: the packet is what was captured.
        p.ip_len = left
        end = at + left
    else:
        end = at + min(40 + length, left)
    at += 40
    while True:
        p.proto = following
        if following in SIMPLE_EXTENSIONS:
            if end - at < 8:
                p.status = SHORT
                return
            size = (data[at + 1] + 1) * 8
        elif following == 44:
            if end - at < 8:
                p.status = SHORT
                return
            p.fragment = True
            size = 8
            if be16(data, at + 2)[0] & 0xFFF8:
                p.later = True
                p.proto = data[at]
                return
        elif following == 51:
            if end - at < 8:
                p.status = SHORT
                return
            size = (data[at + 1] + 2) * 4
        else:
            break
        following = data[at]
        if end - at < size:
            p.proto = following
            p.status = SHORT
            return
        at += size
    transport(p, data, at, end)


def transport(p, data, at, end):
    proto = p.proto
    p.l4_start = at
    if proto == TCP:
        tcp(p, data, at, end)
    elif proto == UDP:
        udp(p, data, at, end)
    elif proto == ICMP and p.version == 4 or proto == ICMPV6 and p.version == 6:
        icmp(p, data, at, end)
    elif proto == SCTP:
        sctp(p, data, at, end)
    else:
        p.payload = data[at:end]


def too_short(p, needed_for_tiny, left):
    """A header that is not there: of a first fragment that is a trick of scanners, else the packet is short."""
    if p.fragment and left < needed_for_tiny:
        p.tiny = True
    else:
        p.status = SHORT


def tcp(p, data, at, end):
    left = end - at
    if left < 20:
        too_short(p, 14, left)
        return
    p.sport, p.dport, p.seq, p.ack, offset, p.flags, p.window = tcp_header(data, at)
    header = (offset >> 4) * 4
    if header < 20:
        p.status = MALFORMED
        return
    if header > left:
        # Past the packet's own end the header contradicts itself; past the capture's end only the options are cut.
        if not p.truncated or header > p.ip_len - (at - p.ip_start):
            p.status = MALFORMED
            return
        p.options_cut = True
    p.l4 = True
    p.options = data[at + 20:min(at + header, end)]
    p.payload = data[at + header:end]


def udp(p, data, at, end):
    if end - at < 8:
        too_short(p, 8, end - at)
        return
    p.sport, p.dport = ports_of(data, at)
    p.udp_len = length = be16(data, at + 4)[0]
    if 0 < length < 8:
        p.status = MALFORMED
        return
    p.l4 = True
    stop = end if length == 0 else min(end, at + length)
    p.payload = data[at + 8:stop]


def icmp(p, data, at, end):
    if end - at < 8:
        too_short(p, 8, end - at)
        return
    p.dport, = be16(data, at)
    p.l4 = True
    p.payload = data[at + 8:end]


def sctp(p, data, at, end):
    if end - at < 12:
        too_short(p, 12, end - at)
        return
    p.sport, p.dport = ports_of(data, at)
    p.l4 = True
    p.payload = data[at + 12:end]
    if end - at >= 20 and data[at + 12] == 1:
        p.seq, = be32(data, at + 16)


class Quote:
    __slots__ = ("src", "dst", "proto", "sport", "dport", "has_ports")


ICMP_ERRORS = {3, 4, 5, 11, 12}
ICMPV6_ERRORS = {1, 2, 3, 4}


def quote(p):
    """The packet that an ICMP error quotes (RFC 792, RFC 4443 2.4), or None."""
    kind = p.dport >> 8
    inner = p.payload
    if not p.l4 or kind not in (ICMP_ERRORS if p.version == 4 else ICMPV6_ERRORS):
        return None
    q = Quote()
    q.sport = q.dport = 0
    q.has_ports = False
    if p.version == 4:
        if len(inner) < 20 or inner[0] >> 4 != 4 or inner[0] & 15 < 5:
            return None
        q.src, q.dst, q.proto = inner[12:16], inner[16:20], inner[9]
        at = (inner[0] & 15) * 4
        first = not be16(inner, 6)[0] & 0x1FFF
    else:
        if len(inner) < 40 or inner[0] >> 4 != 6:
            return None
        q.src, q.dst, q.proto = inner[8:24], inner[24:40], inner[6]
        at, first = quoted_extensions(q, inner)
    if first and q.proto in (TCP, UDP, SCTP) and len(inner) - at >= 4:
        q.sport, q.dport = ports_of(inner, at)
        q.has_ports = True
    return q


def quoted_extensions(q, inner):
    at = 40
    while len(inner) - at >= 8:
        if q.proto in SIMPLE_EXTENSIONS:
            size = (inner[at + 1] + 1) * 8
        elif q.proto == 44:
            size = 8
            if be16(inner, at + 2)[0] & 0xFFF8:
                q.proto = inner[at]
                return at, False
        else:
            break
        q.proto = inner[at]
        at += size
    return at, True
