"""Attacks by corsaro's definitions out of packets, without a line of the program: DEFINITIONS 6 read anew.

replies(frames) are (second, victim, protocol, bytes) of IPv4, as the oracle's own decoder and rules of backscatter tell them;
attacks(replies, rule) are what they come to. A vector is cut out of all of a victim's seconds first, and then looked at whole:
no window slides, no state is kept.
"""
import collections
import ipaddress

import packets
import verdicts

MIN_PACKETS, MIN_SECONDS, MIN_PPM = 25, 60, 30
ANSWERS_ICMP = (0, 3, 4, 5, 11, 12, 14, 16, 18)
Attack = collections.namedtuple("Attack", "victim protocol first last packets bytes max_ppm")


def replies(frames, scope=None):
    scope = scope or verdicts.Scope()
    for frame in frames:
        p = packets.decode(frame)
        if not p.src or p.version != 4 or verdicts.judge(p, scope).kind != "backscatter" or p.proto == packets.UDP:
            continue
        found = verdicts.victim(p)
        if found and len(found[0][0]) == 4:
            (victim, _, protocol, _), _ = found
            yield p.ts // 1000000000, victim, protocol, p.ip_len


def likely(frames):
    """Frames of Ethernet that may be backscatter of IPv4: what the rest need not be decoded for."""
    for frame in frames:
        data = frame.data
        if data[12:14] != b"\x08\x00" or len(data) < 35 or data[20] & 0x1f or data[21]:
            continue
        at = 14 + 4 * (data[14] & 15)
        if data[23] == 1 and len(data) > at and data[at] in ANSWERS_ICMP:
            yield frame
        if data[23] == 6 and len(data) > at + 13 and (data[at + 13] & 4 or data[at + 13] & 0x12 == 0x12):
            yield frame


def same2(before, after):
    return after - before <= 300


def same3(before, after):
    return after // 60 - before // 60 <= 1


def greatest(first, counts):
    """Of the sums of six tens of seconds, counted from the first second."""
    tens = collections.Counter()
    for second, n in counts.items():
        tens[(second - first) // 10] += n
    return max(sum(tens.get(ten - back, 0) for back in range(6)) for ten in tens)


def attacks(found, corsaro):
    """corsaro: 2 or 3."""
    same = same2 if corsaro == 2 else same3
    by_victim = collections.defaultdict(list)
    for second, victim, protocol, size in found:
        if corsaro == 2:
            by_victim[victim, None].append((second, protocol, size))
        elif protocol in (1, 6, 17):
            by_victim[victim, protocol].append((second, protocol, size))
    out = []
    for (victim, protocol), seen in by_victim.items():
        seen.sort()
        starts = [0] + [i for i in range(1, len(seen)) if not same(seen[i - 1][0], seen[i][0])] + [len(seen)]
        for begin, end in zip(starts, starts[1:]):
            vector = seen[begin:end]
            first, last = vector[0][0], vector[-1][0]
            ppm = greatest(first, collections.Counter(s for s, _, _ in vector))
            if len(vector) >= MIN_PACKETS and last - first >= MIN_SECONDS and ppm >= MIN_PPM:
                out.append(Attack(str(ipaddress.ip_address(victim)), vector[0][1] if protocol is None else protocol, first,
                                  last, len(vector), sum(size for _, _, size in vector), ppm))
    return sorted(out)

