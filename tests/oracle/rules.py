"""Evidence of tools by packet for the oracle: the table of DEFINITIONS 2, each rule under the name it has in rules.def.
rules(packet, number) gives the bits; `number` maps names to bit numbers."""
import re

from packets import ACK, FIN, ICMP, PSH, RST, SCTP, SYN, TCP, UDP, URG

MSS = bytes.fromhex("020405b4")
ZMAP4_OPTIONS = re.compile(
    rb"\A(?:\x02\x04\x05\xb4"                                               # smallest
    rb"|\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02"                   # windows
    rb"|\x02\x04\x05\xb4\x04\x02\x08\x0a[\x00-\xff]{4}\0\0\0\0\x01\x03\x03\x07"                # linux
    rb"|\x02\x04\x05\xb4\x01\x03\x03\x06\x01\x01\x08\x0a[\x00-\xff]{4}\0\0\0\0\x04\x02\0\0)\Z",  # bsd
    re.S)


def rule_numbers(text):
    return {name: i for i, name in enumerate(re.findall(r"^RULE\((\w+),", text, re.M))}


def syn(p):
    return p.proto == TCP and p.flags & (SYN | ACK | RST | FIN) == SYN


def bare_syn(p):
    """Not even ECE or CWR, as these tools send it."""
    return p.proto == TCP and p.flags == SYN


def destination(p):
    return int.from_bytes(p.dst, "big")


def masscan_id(p):
    return p.ip_id == (destination(p) ^ p.dport ^ p.seq) & 0xFFFF


def nmap_form(p):
    """Its SYN has MSS 1460 as the only option; its FIN and Xmas probes have none. The acknowledgement number is 0."""
    if p.ack or p.df:
        return False
    stealth = p.proto == TCP and p.flags in (FIN, FIN | PSH | URG) and not p.options
    return bare_syn(p) and p.options == MSS or stealth


CONDITIONS = {
    "MIRAI": lambda p: bare_syn(p) and p.seq == destination(p),
    "ZMAP_ID": lambda p: p.ip_id == 54321 and p.proto in (TCP, UDP, ICMP, SCTP),
    "ZMAP4": lambda p: bare_syn(p) and p.window == 65535 and not p.df and not p.ack and p.ip_id != 54321 and
    (p.ttl <= 64 or p.ttl > 200) and 32768 <= p.sport <= 60999 and bool(ZMAP4_OPTIONS.match(p.options)),
    "MASSCAN": lambda p: (syn(p) or p.proto == SCTP and p.payload[:1] == b"\1") and masscan_id(p),
    "NMAP": lambda p: p.window == 1024 and nmap_form(p),
    "NMAP_PAIR": lambda p: p.window in (1024, 2048, 3072, 4096) and nmap_form(p),
    "HPING3": lambda p: bare_syn(p) and p.window == 512 and not p.options and p.ack != 0 and p.ttl <= 64 and not p.df,
    "UNICORNSCAN": lambda p: bare_syn(p) and p.window == 4096,
    "HAJIME": lambda p: bare_syn(p) and p.window == 14600 and (p.seq & 0xFFFF == 0 or p.seq >> 16 == 0),
    "CONSTANT_SEQ": lambda p: syn(p) and (p.seq in (2018915346, 333994513) or (p.seq == 30000 and p.window == 65535) or
                                          (p.seq == 100 and p.ip_id == 123 and p.window == 1024)),
}


def rules(p, number, probe):
    """Rules speak of IPv4 probes; REPLY_ID alone speaks of SYN+ACKs, which are how some tools probe."""
    if p.version != 4 or not p.l4:
        return 0
    out = 0
    if probe:
        for name, holds in CONDITIONS.items():
            if name in number and holds(p):
                out |= 1 << number[name]
    if p.proto == TCP and p.flags & (SYN | ACK | RST) == SYN | ACK and (p.ip_id == 54321 or masscan_id(p)):
        out |= 1 << number["REPLY_ID"]
    return out
