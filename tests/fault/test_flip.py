#!/usr/bin/python3
"""Every bit of every header flipped once. In frames: each packet is still counted, once, and the oracle agrees with
every class and row. In files: an object with agreeing sums or a clear error, never a crash (DESIGN section 7, 7).

Killed mutants: a length checked by pointer arithmetic that wraps; a class counted twice; a header bit ignored.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("oracle", "lib", "golden")]
import captures
import compare
import formats
import harness
import make_captures
import test_cut
import test_mutations
import verdicts

HEADERS = 14 + 40 + 28 + 16  # of a frame: the longest run of headers in small.pcap, and some payload
FILE_BITS = {"pcapng": 110 * 8}  # of a file: its header and the first record's
FILE_BITS_ELSE = 60 * 8


def flipped(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 0x80 >> bit % 8
    return bytes(out)


def flipped_frames():
    for frame in make_captures.small():
        for bit in range(min(len(frame.data), HEADERS) * 8):
            yield frame._replace(data=flipped(frame.data, bit))


def frames(checks, folder):
    flips = [f for f in flipped_frames() if test_mutations.readable(f)]
    path = os.path.join(folder, "flips.pcap")
    captures.write_pcap(path, flips)
    run = harness.analyze([path], "--sensor", compare.SENSOR)
    if not checks.true("flipped frames: no crash", run.code == 0 and not run.crashed, run.err[-1500:]):
        return
    checks.equal("flipped frames: packets", run.total()["packets"], len(flips))
    checks.true("flipped frames: sums", test_cut.sums_agree(run.total()))
    got, want = compare.picked(run.total()), compare.picked(compare.oracle(flips))
    if not checks.true("flipped frames: oracle", got == want, ", ".join(compare.differing(want, got))):
        print(compare.first_difference(flips, verdicts.Scope(), (), folder))


def files(checks, folder):
    few = make_captures.small()[3:8]
    made = formats.plain(folder, few)
    made.update(formats.compressed(folder, few, ("little.pcap",)))
    for name, path in made.items():
        with open(path, "rb") as f:
            data = f.read()
        part = []
        for bit in range(min(FILE_BITS.get(name.rsplit(".", 1)[1], FILE_BITS_ELSE), len(data) * 8)):
            part.append(os.path.join(folder, "%s.%05d" % (name, bit)))
            with open(part[-1], "wb") as f:
                f.write(flipped(data, bit))
        for file, o in zip(part, test_cut.objects_of(checks, name, part)):
            label = os.path.basename(file)
            checks.true("%s: sums" % label, test_cut.sums_agree(o))
            # A flipped length makes other records of the same bytes: no more than have room for a header each.
            checks.true("%s: packets" % label, o["packets"] * 16 <= 4096, str(o["packets"]))
        for file in part:
            os.unlink(file)


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        frames(checks, folder)
        files(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()
