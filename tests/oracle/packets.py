"""Frames to packets for the oracle: link, IPv4, IPv6, TCP, UDP, ICMP and SCTP headers, by the RFCs alone.

decode(frame) returns a Packet whose fields mean what src/model/packet.h says they mean; addresses are bytes in network
order. `foreign`: the frame goes on with a link protocol that the oracle does not read, and it has no opinion of it.
"""
import struct

OK, SHORT, MALFORMED, UNSUPPORTED = range(4)
ICMP, IGMP, TCP, UDP, ICMPV6, SCTP = 1, 2, 6, 17, 58, 132
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

READABLE_LINKS = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276}


class Packet:
    __slots__ = ("ts", "status", "version", "src", "dst", "proto", "sport", "dport", "seq", "ack", "window", "ip_id",
                 "ttl", "flags", "ip_len", "options", "payload", "df", "fragment", "later", "tiny", "l4", "local",
                 "outgoing", "truncated", "options_cut", "ip_start", "l4_start", "reserved_flag", "udp_len",
                 "outer_version", "part", "has_data", "wire_end",
                 "foreign")

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
        self.udp_len = self.outer_version = 0
        self.part = self.has_data = self.foreign = False
        self.wire_end = max(frame.wirelen, len(frame.data)) - frame.fcs


be16 = struct.Struct(">H").unpack_from
be32 = struct.Struct(">I").unpack_from
ports_of = struct.Struct(">HH").unpack_from
ip4_header = struct.Struct(">BBHHHBBH4s4s").unpack_from

# Protocols of the link alone: they are no IP and none of a telescope's business.
LOCAL_ETHERTYPES = {0x0806, 0x8035, 0x88CC, 0x888E, 0x8809, 0x9000, 0x8863, 0x88F7}
TAGS = {0x8100, 0x88A8, 0x9100, 0x9200}


def decode(frame):
    p = Packet(frame)
    data = frame.data
    if frame.fcs:
        # The check sequence is the end of the wire length, so that a cut capture may hold none or part of it.
        data = data[:max(p.wire_end, 0)]
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
        alien(p)
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
    else:
        alien(p)


def pppoe(p, data, at):
    """A session's PPP frame (RFC 2516): IPv4 0x0021, IPv6 0x0057; the link's own protocols are 0x8000 and above."""
    if len(data) - at < 8:
        p.status = SHORT
        return
    if data[at + 1]:
        alien(p)  # not a session's data
        return
    length, = be16(data, at + 4)
    data = data[:at + 6 + length]
    p.wire_end = min(p.wire_end, at + 6 + length)
    if len(data) - at < 8:
        p.status = SHORT
        return
    kind, = be16(data, at + 6)
    if kind == 0x0021:
        ipv4(p, data, at + 8)
    elif kind == 0x0057:
        ipv6(p, data, at + 8)
    else:
        alien(p)


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
        alien(p)


def alien(p):
    """802.2, switch vendors' tags, and all the rest: no IP for the oracle."""
    p.status = UNSUPPORTED
    p.foreign = True


def cooked(p, data, link):
    """Linux cooked capture, versions 1 and 2: the packet type tells what this host sent (LINUX_SLL_OUTGOING = 4)."""
    need = 16 if link == 113 else 20
    if len(data) < need:
        p.status = SHORT
        return
    if link == 113:
        direction, hardware, kind = be16(data, 0)[0], be16(data, 2)[0], be16(data, 14)[0]
    else:
        direction, hardware, kind = data[10], be16(data, 8)[0], be16(data, 0)[0]
    p.outgoing = p.outgoing or direction == 4
    if hardware in (770, 801, 802, 803, 824):  # frame relay, 802.11, netlink: frames of their own kinds
        alien(p)
    else:
        ethertype(p, kind, data, need)


def raw(p, data, link):
    version = {228: 4, 229: 6}.get(link, data[0] >> 4 if data else None)
    if version == 4:
        ipv4(p, data, 0)
    elif version == 6:
        ipv6(p, data, 0)
    else:
        p.status = SHORT if version is None else MALFORMED


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
        alien(p)


def wire_left(p, at):
    """Bytes from `at` to the end of the frame as it was sent."""
    return max(0, p.wire_end - at)


def ipv4(p, data, at):
    left = len(data) - at
    p.outer_version = 4
    if left <= 0:
        p.status = SHORT
        return
    header = (data[at] & 15) * 4
    if data[at] >> 4 != 4 or header < 20:
        p.status = MALFORMED
        return
    if left < 20:
        p.status = SHORT
        return
    _, _, total, ident, frag, ttl, proto, _, src, dst = ip4_header(data, at)
    if 0 < total < header:
        p.status = MALFORMED
        return
    # A length of 0 is left to the card by segmentation offload: the packet is as long as the frame.
    p.ip_len = total or wire_left(p, at)
    p.version, p.ip_id, p.ttl, p.proto, p.src, p.dst = 4, ident, ttl, proto, src, dst
    p.df = bool(frag & 0x4000)
    p.reserved_flag = bool(frag & 0x8000)
    p.fragment = bool(frag & 0x3FFF)
    p.part = p.fragment
    p.later = bool(frag & 0x1FFF)
    p.ip_start = at
    end = at + min(p.ip_len, left)
    if end - at < header:
        p.status = SHORT
        return
    at += header
    if p.later:
        return
    while p.proto == 51 and wire_left(p, at):
        at = authentication(p, data, at, end)
        if at is None:
            return
    transport(p, data, at, end)


def authentication(p, data, at, end):
    """Past an authentication header (RFC 4302): where what it protects starts, None when it is cut."""
    if end - at < 12:
        p.status = SHORT
        return None
    length = max(12, (data[at + 1] + 2) * 4)
    if end - at < length:
        p.status = SHORT
        return None
    p.proto = data[at]
    return at + length


SIZED_EXTENSIONS = {0, 43, 60, 140}


def ipv6_length(p, data, at):
    """40 and the payload length; where that is 0: a jumbogram's (RFC 2675), a TCP segment that the card cuts up, or none."""
    length, = be16(data, at + 4)
    left = len(data) - at
    if length:
        return 40 + length
    if data[at + 6] == TCP and left >= 60:
        return wire_left(p, at)
    if data[at + 6] or left < 48 or left - 40 < data[at + 41] * 8 + 8:
        return 40
    size = data[at + 41] * 8 + 8
    return jumbo_length(data[at + 42:at + 40 + size]) or 40 + size


def jumbo_length(options):
    at = 0
    while at < len(options):
        if options[at] == 0:
            at += 1
            continue
        size = options[at + 1] if len(options) - at >= 2 else None
        if size is None or size > len(options) - at - 2:
            return None
        if options[at] == 0xC2 and size == 4:
            return min(be32(options, at + 2)[0] + 40, 0xFFFFFFFF)
        at += 2 + size
    return None


def ipv6(p, data, at):
    left = len(data) - at
    if left > 0 and data[at] >> 4 != 6:
        p.status = MALFORMED
        return
    p.outer_version = 6
    if left < 40:
        p.status = SHORT
        return
    p.version = 6
    p.ttl = data[at + 7]
    p.src = data[at + 8:at + 24]
    p.dst = data[at + 24:at + 40]
    p.ip_len = ipv6_length(p, data, at)
    p.ip_start = at
    end = at + min(p.ip_len, left)
    p.proto = data[at + 6]
    extensions(p, data, at + 40, end)


def extensions(p, data, at, end):
    """RFC 8200 section 4: to the transport header, or a later fragment, or where a header is cut."""
    while True:
        if p.proto in SIZED_EXTENSIONS:
            size = (data[at + 1] + 1) * 8 if end - at >= 2 else end - at + 1
        elif p.proto == 44:
            size = 8
        elif p.proto == 51:
            at = authentication(p, data, at, end)
            if at is None:
                return
            continue
        else:
            break
        if end - at < size:
            p.status = SHORT
            return
        if p.proto == 44:
            field, = be16(data, at + 2)
            p.fragment = True
            p.part = p.part or bool(field & 0xFFF9)
            p.later = bool(field & 0xFFF8)
        p.proto = data[at]
        at += size
        if p.later:
            return
    transport(p, data, at, end)


def transport(p, data, at, end):
    proto = p.proto
    p.l4_start = at
    if proto == TCP:
        tcp(p, data, at, end)
    elif proto == UDP:
        udp(p, data, at, end)
    elif proto in (ICMP, ICMPV6):
        icmp(p, data, at, end)
    elif proto == SCTP:
        sctp(p, data, at, end)
    else:
        p.payload = data[at:end]


def sent(p, at):
    """Bytes from `at` to the end of the IP packet as its header says, captured or not."""
    return max(0, p.ip_len - (at - p.ip_start))


def too_short(p, at, needed):
    """A header that is not there: where a first fragment was sent so short it is a trick of scanners, else it is cut."""
    if p.part and sent(p, at) < needed:
        p.tiny = True
    else:
        p.status = SHORT


def tcp(p, data, at, end):
    left = end - at
    if left >= 4:
        p.sport, p.dport = ports_of(data, at)
    if left >= 8:
        p.seq, = be32(data, at + 4)
    if left >= 12:
        p.ack, = be32(data, at + 8)
    if left >= 14:
        p.flags = data[at + 13]
    if left >= 16:
        p.window, = be16(data, at + 14)
    if left < 20:
        too_short(p, at, 14)
        return
    header = (data[at + 12] >> 4) * 4
    # Options may go on in the next fragment; in a whole packet they may not go past its end.
    if header < 20 or (header > sent(p, at) and not p.part):
        p.status = MALFORMED
        return
    p.options_cut = header > left
    p.l4 = True
    p.options = data[at + 20:min(at + header, end)]
    p.payload = data[at + header:end]
    p.has_data = bool(p.payload) or p.truncated and sent(p, at) > header


def udp(p, data, at, end):
    left = end - at
    if left >= 4:
        p.sport, p.dport = ports_of(data, at)
    if left < 8:
        too_short(p, at, 8)
        return
    p.udp_len = length = be16(data, at + 4)[0]
    if length == 0 and sent(p, at) > 0xFFFF:
        length = sent(p, at)
    if length < 8 or (length > sent(p, at) and not p.part):
        p.status = MALFORMED
        return
    p.l4 = True
    p.payload = data[at + 8:min(end, at + length)]
    p.has_data = bool(p.payload) or p.truncated and sent(p, at) > 8


def icmp(p, data, at, end):
    left = end - at
    if left >= 2:
        p.dport, = be16(data, at)
    if left < 8:
        too_short(p, at, 8)
        return
    p.l4 = True
    p.payload = data[at + 8:end]


def sctp(p, data, at, end):
    left = end - at
    if left >= 4:
        p.sport, p.dport = ports_of(data, at)
    if left < 12:
        too_short(p, at, 12)
        return
    p.l4 = True
    p.payload = data[at + 12:end]
    if left >= 20 and data[at + 12] == 1:
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
        if q.proto in SIZED_EXTENSIONS:
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
