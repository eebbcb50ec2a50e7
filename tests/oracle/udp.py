"""What a UDP payload can be proved to be, for the oracle: DEFINITIONS 1 ("UDP replies by content, never by port alone",
"P2P heads") with the protocols' own documents as the judge of content.

kind(packet) is one of the constants below. beyond(packet) is true where the oracle does not judge: QUIC, which needs
cryptography, and eDonkey operations that it has no table of.
"""
import re

UNSURE, REQUEST, REPLY, P2P_UNSURE, P2P_REQUEST, P2P_REPLY = range(6)
BITTORRENT = b"\x13BitTorrent protocol"


def cut(p):
    """Bytes of the datagram are missing here: a length that points past them proves nothing."""
    return p.truncated or p.fragment


def number(data, at, size=2):
    return int.from_bytes(data[at:at + size], "big")


def kind(p):
    data = p.payload
    for judge in (ntp, memcached, chargen, dns, by_head):
        found = judge(p, data)
        if found:
            return found
    return p2p(data)


def beyond(p):
    data = p.payload
    if len(data) < 2 or kind(p) != UNSURE:
        return False
    if data[0] in (0xC5, 0xE3, 0xE4, 0xE5):
        return True
    return data[0] & 0x80 and (len(data) >= 7 and (data[0] & 0xC0 == 0xC0 or data[1:5] == b"\0\0\0\0"))


# ---- services ----

def ntp(p, data):
    """RFC 5905: client mode 3, server mode 4; RFC 9327: mode 6 with a response bit; ntpd: mode 7 with one, too."""
    if 123 not in (p.sport, p.dport) or len(data) < 8 or not 1 <= data[0] >> 3 & 7 <= 4:
        return UNSURE
    mode = data[0] & 7
    if mode == 3:
        return REQUEST if p.dport == 123 and len(data) >= 48 else UNSURE
    if mode == 4:
        return REPLY if p.sport == 123 and len(data) >= 48 and data[1] <= 16 else UNSURE
    if mode not in (6, 7):
        return UNSURE
    answer = data[1] & 0x80 if mode == 6 else data[0] & 0x80
    if answer:
        return REPLY if p.sport == 123 else UNSURE
    return REQUEST if p.dport == 123 else UNSURE


MEMCACHED_ANSWERS = (b"VALUE ", b"STAT ", b"END\r\n", b"STORED\r\n", b"NOT_", b"EXISTS\r\n", b"DELETED\r\n", b"OK\r\n",
                     b"ERROR\r\n", b"CLIENT_ERROR ", b"SERVER_ERROR ", b"VERSION ", b"RESET\r\n")


def memcached(p, data):
    """doc/protocol.txt: request id, sequence number, number of datagrams, 0; then text or binary."""
    if 11211 not in (p.sport, p.dport) or len(data) < 9 or number(data, 6) or number(data, 2) >= number(data, 4):
        return UNSURE
    text = data[8:]
    if number(data, 4) > 1 or text[0] == 0x81 or text.startswith(MEMCACHED_ANSWERS):
        return REPLY if p.sport == 11211 else UNSURE
    asks = text[0] == 0x80 or text[:1].islower() and text[0] < 128
    return REQUEST if p.dport == 11211 and asks else UNSURE


def chargen(p, data):
    """RFC 864's pattern: printable characters in order, round and round."""
    if p.sport != 19 or len(data) < 8:
        return UNSURE
    for a, b in zip(data[:7], data[1:8]):
        if not 0x20 <= a <= 0x7E:
            return UNSURE
        following = 0x20 if a == 0x7E else a + 1
        if b != following and not (following == 0x20 and b == 0x21):
            return UNSURE
    return REPLY


NAME_PORTS = {53, 5353, 5355, 137}


def dns(p, data):
    """RFC 1035 4.1; multicast DNS, LLMNR and NetBIOS name service share its header."""
    if len(data) < 12:
        return UNSURE
    near = p.sport in NAME_PORTS or p.dport in NAME_PORTS
    netbios = 137 in (p.sport, p.dport)
    questions = number(data, 4)
    opcode = data[2] >> 3 & 15
    sane = opcode in ((0, 5, 6, 7, 8) if netbios else (0, 1, 2, 4, 5, 6)) and questions <= 1
    if not sane or not (near or questions == 1):
        return UNSURE
    if questions and not dns_question(data, cut(p)):
        return UNSURE
    if data[2] & 0x80:
        return REPLY if questions or p.sport in NAME_PORTS else UNSURE
    return REQUEST if questions and near else UNSURE


def dns_question(data, missing):
    at, total = 12, 0
    while total < 255:
        if at >= len(data):
            return missing
        label = data[at]
        at += 1
        if label > 63:
            return False
        if label == 0:
            if len(data) - at < 4:
                return missing
            return number(data, at + 2) & 0x7FFF in (1, 2, 3, 4, 254, 255)
        at = min(at + label, len(data))
        total += label + 1
    return False


def by_head(p, data):
    if data[:1] == b"\x30":
        return ber(p, data, cut(p))
    if re.match(rb"HTTP/1\.[\x00-\xff] [1-5][0-9][0-9]", data, re.S):
        return REPLY
    return REQUEST if data.startswith((b"M-SEARCH ", b"NOTIFY ")) else UNSURE


# ---- BER: SNMP (RFC 1157, 3412, 3416) and CLDAP (RFC 4511) ----

class Ber:
    """Elements in turn; a missing byte ends it with IndexError."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at >= len(self.data):
            raise IndexError
        self.at += 1
        return self.data[self.at - 1]

    def head(self):
        tag, length = self.byte(), self.byte()
        if length & 0x80:
            if not 1 <= length & 0x7F <= 4:
                raise IndexError
            length = int.from_bytes(bytes(self.byte() for _ in range(length & 0x7F)), "big")
        return tag, length

    def take(self, want, most=1 << 33):
        tag, length = self.head()
        if tag != want or length > most or length > len(self.data) - self.at:
            raise IndexError
        self.at += length
        return self.data[self.at - length:self.at]

    def integer(self):
        body = self.take(2, 5)
        if not body:
            raise IndexError
        return int.from_bytes(body, "big") & 0xFFFFFFFF


LDAP_ASKS = {0x60, 0x42, 0x63, 0x66, 0x68, 0x4A, 0x6C, 0x6E, 0x50, 0x77}
LDAP_ANSWERS = {0x61, 0x64, 0x65, 0x67, 0x69, 0x6B, 0x6D, 0x6F, 0x73, 0x78, 0x79}


def ber(p, data, missing):
    try:
        b = Ber(data)
        tag, length = b.head()
        if tag != 0x30 or length < 8 or (length > len(data) - b.at and not missing):
            return UNSURE
        version = b.integer()
        following = b.byte()
        b.at -= 1
        if version == 3 and following == 0x30:
            return snmp3(p, b)
        if version <= 1 and following == 4:
            b.take(4)
            return pdu(b.byte())
    except IndexError:
        return UNSURE
    if following in LDAP_ASKS:
        return REQUEST
    return REPLY if following in LDAP_ANSWERS else UNSURE


def pdu(tag):
    if not 0xA0 <= tag <= 0xA8:
        return UNSURE
    return REPLY if tag in (0xA2, 0xA8) else REQUEST


def snmp3(p, b):
    """The header's flags: bit 2 is set by whoever wants a report, which is who asks (RFC 3412 section 6.4)."""
    if b.head()[0] != 0x30:
        return UNSURE
    b.integer()
    b.integer()
    flags = b.take(4, 1)
    if len(flags) != 1:
        return UNSURE
    b.integer()
    b.take(4)
    if flags[0] & 4:
        return REQUEST
    if b.head()[0] != 0x30:  # encrypted: a trap goes to port 162
        return REPLY if p.sport == 161 and p.dport != 162 else UNSURE
    b.take(4)
    b.take(4)
    return pdu(b.byte())


# ---- P2P ----

def p2p(data):
    if len(data) < 2:
        return UNSURE
    if data[:1] == b"d":
        return krpc(data)
    if data.startswith(BITTORRENT):
        return P2P_UNSURE
    if data[0] & 15 == 1 and data[0] >> 4 <= 4:
        return utp(data)
    return edonkey(data)


TOKENS, DEPTH = 48, 4


class Bencode:
    """A walk over bencoded tokens (BEP 3), bounded like any reader of hostile data must be."""

    def __init__(self, data, at, tokens=TOKENS):
        self.data, self.at, self.tokens, self.good = data, at, tokens, True

    def left(self):
        return len(self.data) - self.at

    def string(self):
        m = re.compile(rb"([0-9]{1,4}):").match(self.data, self.at)
        if not m or int(m.group(1)) > len(self.data) - m.end():
            self.good = False
            self.at = len(self.data)
            return None
        self.at = m.end() + int(m.group(1))
        return self.data[m.end():self.at]

    def skip(self):
        depth = 0
        while True:
            if not self.left() or not self.tokens:
                self.good = False
                return
            self.tokens -= 1
            c = self.data[self.at:self.at + 1]
            if c == b"e" and depth:
                self.at += 1
                depth -= 1
            elif c in b"dl" and depth < DEPTH:
                self.at += 1
                depth += 1
            elif c == b"i":
                end = self.data.find(b"e", self.at, self.at + 22)
                if end < 0 and self.left() < 22:
                    self.good = False
                self.at = end + 1 if end >= 0 else min(self.at + 22, len(self.data))
            else:
                self.string()
            if not depth or not self.good:
                return


def krpc(data):
    """BEP 5: the body a or r with the sender's 20-byte id, or the message's kind y, whichever key comes first."""
    if data.startswith(b"d1:ad2:id20:"):
        return P2P_REQUEST
    if data.startswith(b"d1:rd2:id20:"):
        return P2P_REPLY
    b = Bencode(data, 1)
    while b.good and b.left() and b.tokens:
        key = b.string()
        if key is None:
            return UNSURE
        if key == b"y":
            letter = data[b.at:b.at + 3]
            if letter == b"1:q":
                return P2P_REQUEST
            if letter in (b"1:r", b"1:e"):
                return P2P_REPLY
        if key in (b"a", b"r") and has_id(data, b.at, b.tokens):
            return P2P_REQUEST if key == b"a" else P2P_REPLY
        b.skip()
    return UNSURE


def has_id(data, at, tokens):
    if data[at:at + 1] != b"d":
        return False
    b = Bencode(data, at + 1, tokens)
    while b.good and b.left() and data[b.at:b.at + 1] != b"e" and b.tokens:
        if b.string() == b"id":
            value = b.string()
            return value is not None and len(value) == 20
        b.skip()
    return False


def utp(data):
    """BEP 29: header of 20 bytes, a chain of extensions; all but data end with it."""
    if len(data) < 20:
        return UNSURE
    at, following, links = 20, data[1], 0
    while following and links < 4:
        if following > 4 or len(data) - at < 2 or data[at + 1] > len(data) - at - 2:
            return UNSURE
        following, at, links = data[at], at + 2 + data[at + 1], links + 1
    if following:
        return UNSURE
    kind_of = data[0] >> 4
    if kind_of == 0:
        return P2P_UNSURE if data[at:].startswith(BITTORRENT) else UNSURE
    if at != len(data) or number(data, 12, 4) > 1 << 24 or number(data, 4, 4) == 0:
        return UNSURE
    if kind_of == 4:
        return P2P_REQUEST if number(data, 8, 4) == 0 and number(data, 18) == 0 else UNSURE
    return P2P_UNSURE if kind_of == 1 else P2P_REPLY


# The Kademlia operations that clients send unasked, with their exact lengths: what the real captures hold.
KADEMLIA = {0x01: (2, 2), 0x11: (22, 80), 0x21: (35, 35)}


def edonkey(data):
    least, most = KADEMLIA.get(data[1], (1, 0)) if data[0] == 0xE4 else (1, 0)
    return P2P_REQUEST if least <= len(data) <= most else UNSURE


def tcp_p2p(data):
    """BitTorrent's handshake; eDonkey messages (protocol, little-endian length, bytes) that end with the segment."""
    if data.startswith(BITTORRENT):
        return True
    if len(data) < 6 or data[0] not in (0xE3, 0xC5):
        return False
    at = 0
    for _ in range(8):
        if len(data) - at < 6:
            break
        length = int.from_bytes(data[at + 1:at + 5], "little")
        if data[at] not in (0xE3, 0xC5, 0xD4) or not 0 < length <= len(data) - at - 5:
            return False
        at += 5 + length
    return at == len(data)
