"""The same frames in every format that monomi reads: name -> file, made into a folder."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import captures

WRITERS = {
    "little.pcap": captures.write_pcap,
    "big.pcap": lambda p, f: captures.write_pcap(p, f, ">"),
    "nanoseconds.pcap": lambda p, f: captures.write_pcap(p, f, "<", True),
    "big-nanoseconds.pcap": lambda p, f: captures.write_pcap(p, f, ">", True),
    "little.pcapng": captures.write_pcapng,
    "big.pcapng": lambda p, f: captures.write_pcapng(p, f, ">"),
    "sections.pcapng": lambda p, f: captures.write_pcapng(p, f, "<", 3),
    "sun.snoop": captures.write_snoop,
    "endace.erf": captures.write_erf,
}
TOOLS = {"gz": ["gzip", "-1nc"], "zst": ["zstd", "-1qc"], "xz": ["xz", "-0c"], "lz4": ["lz4", "-1qc"]}


def plain(folder, frames):
    made = {}
    for name, writer in WRITERS.items():
        made[name] = os.path.join(folder, name)
        writer(made[name], frames)
    return made


def compressed(folder, frames, sources=("little.pcap", "little.pcapng")):
    made = {}
    for source in sources:
        path = os.path.join(folder, source)
        WRITERS[source](path, frames)
        for ending, tool in TOOLS.items():
            name = "%s.%s" % (source, ending)
            made[name] = os.path.join(folder, name)
            with open(made[name], "wb") as out:
                subprocess.run(tool + [path], stdout=out, check=True)
    return made
