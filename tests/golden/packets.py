"""Builds packets by hand for the goldens: raw IP (link type 101), checksums left 0, one function a header."""
import socket
import struct

SRC, DST = "100.20.30.40", "198.51.7.6"
SRC6, DST6 = "2a00:1450::40", "2a0b:6b40::6"
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))


def ip4(proto, body, src=SRC, dst=DST, ttl=55, id=7, flags=2, offset=0, total=None):
    total = 20 + len(body) if total is None else total
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, id, flags << 13 | offset // 8, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + body


def ip6(proto, body, src=SRC6, dst=DST6, hop=55):
    return struct.pack(">IHBB16s16s", 6 << 28, len(body), proto, hop, socket.inet_pton(socket.AF_INET6, src),
                       socket.inet_pton(socket.AF_INET6, dst)) + body


def tcp_header(flags, data=b"", sport=40000, dport=443, seq=0x01020304, ack=0, window=29200, options=b""):
    assert len(options) % 4 == 0
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (20 + len(options)) // 4 << 4, flags, window, 0, 0) + \
        options + data


def udp_header(data, sport=40000, dport=40001):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


IP_FIELDS = {"src", "dst", "ttl", "id", "flags", "offset", "total", "hop"}


def split(fields):
    head = {k.removeprefix("ip_"): v for k, v in fields.items() if k.removeprefix("ip_") in IP_FIELDS}
    return head, {k: v for k, v in fields.items() if k.removeprefix("ip_") not in IP_FIELDS}


def tcp(tcp_flags, data=b"", **fields):
    head, rest = split(fields)
    return ip4(6, tcp_header(tcp_flags, data, **rest), **head)


def tcp6(tcp_flags, data=b"", **fields):
    head, rest = split(fields)
    return ip6(6, tcp_header(tcp_flags, data, **rest), **head)


def udp(data=b"", **fields):
    head, rest = split(fields)
    return ip4(17, udp_header(data, **rest), **head)


def udp6(data=b"", **fields):
    head, rest = split(fields)
    return ip6(17, udp_header(data, **rest), **head)


def icmp(kind, code=0, data=b"\0" * 8, **fields):
    return ip4(1, struct.pack(">BBHI", kind, code, 0, 0x00070001) + data, **fields)


def icmp6(kind, code=0, data=b"\0" * 8, **fields):
    return ip6(58, struct.pack(">BBHI", kind, code, 0, 0) + data, **fields)


def sctp(chunk, sport=40000, dport=36412, tag=0, **fields):
    return ip4(132, struct.pack(">HHII", sport, dport, 0, 0) + chunk, **fields)


def sctp_init(initiate_tag):
    return struct.pack(">BBHIIHHI", 1, 0, 20, initiate_tag, 65535, 1, 1, 1)


def dns(flags, answers=0, name=b"\7example\3org\0", kind=1, questions=1, tail=b""):
    return struct.pack(">HHHHHH", 0x1234, flags, questions, answers, 0, 0) + \
        (name + struct.pack(">HH", kind, 1) if questions else b"") + tail


def ber(tag, body):
    size = len(body)
    length = bytes([size]) if size < 128 else b"\x82" + struct.pack(">H", size)
    return bytes([tag]) + length + body


def snmp(version, pdu):
    inner = ber(pdu, ber(2, b"\0\0\0\1") + ber(2, b"\0") + ber(2, b"\0") + ber(0x30, b""))
    return ber(0x30, ber(2, bytes([version])) + ber(4, b"public") + inner)


def snmp3(reportable, pdu, sealed=False):
    head = ber(0x30, ber(2, b"\1") + ber(2, b"\x05\xdc") + ber(4, bytes([4 if reportable else 0])) + ber(2, b"\3"))
    scoped = ber(0x30, ber(4, b"engine") + ber(4, b"") + ber(pdu, ber(2, b"\1") + ber(2, b"\0") + ber(2, b"\0")))
    data = ber(4, b"\x99" * 40) if sealed else scoped
    return ber(0x30, ber(2, b"\3") + head + ber(4, ber(0x30, b"")) + data)


def ldap(operation):
    return ber(0x30, ber(2, b"\1") + ber(operation, b"\x04\0\x0a\1\0\x0a\1\0\2\1\0"))


def memcached(text, number=0, total=1):
    return struct.pack(">HHHH", 0, number, total, 0) + text


def utp(kind, window=0x100000, diff=0, ack=0, extension=b"", seq=1, first_extension=0, stamp=0x12345678):
    return struct.pack(">BBHIIIHH", kind << 4 | 1, first_extension, 0x2222, stamp, diff, window, seq, ack) + extension
