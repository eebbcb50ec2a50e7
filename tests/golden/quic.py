"""QUIC Initial packets of clients, sealed by the RFCs' words (RFC 9001 section 5, RFC 9369), for the goldens.

Checked against the first bytes of the packets printed in RFC 9001 appendix A.2 and RFC 9369 appendix A.2."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SALTS = {
    1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    0x6B3343CF: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    0xFF00001D: "afbfec289993d24c9e9786f19c6111e04390a899",
}
DCID = bytes.fromhex("8394c8f03e515708")


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def label(secret, name, n):
    text = b"tls13 " + name
    return mac(secret, struct.pack(">HB", n, len(text)) + text + b"\0\1")[:n]


def keys(version, cid, side):
    secret = label(mac(bytes.fromhex(SALTS[version]), cid), side, 32)
    prefix = b"quicv2 " if version == 0x6B3343CF else b"quic "
    return [label(secret, prefix + k, n) for k, n in ((b"key", 16), (b"iv", 12), (b"hp", 16))]


def initial(version=1, side=b"client in", key_cid=DCID, dcid=DCID, scid=b"", number=2, size=1200, frames=b""):
    key, iv, hp = keys(version, key_cid, side)
    first = (0xD3 if version == 0x6B3343CF else 0xC3)
    head = struct.pack(">BI", first, version) + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid + b"\0"
    length = size - len(head) - 2
    head += struct.pack(">H", 0x4000 | length) + struct.pack(">I", number)
    plain = frames.ljust(length - 4 - 16, b"\0")
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(key).encrypt(nonce, plain, head)
    encryptor = Cipher(algorithms.AES(hp), modes.ECB()).encryptor()
    mask = encryptor.update(sealed[:16])
    out = bytearray(head + sealed)
    out[0] ^= mask[0] & 15
    for i in range(4):
        out[len(head) - 4 + i] ^= mask[1 + i]
    return bytes(out)


def check():
    hello = bytes.fromhex(
        "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000"
        "000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00050005010000"
        "0000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
        "0d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000"
        "ffff0801100104800075300901100f088394c8f03e51570806048000ffff")
    one = initial(1, frames=hello)
    two = initial(0x6B3343CF, frames=hello)
    assert one.hex().startswith("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11"), one[:40].hex()
    assert two.hex().startswith("d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485"), two[:40].hex()


check()
