#!/usr/bin/env python3
"""`make install` and what it installs: the program runs from where it is put, with the databases and the configuration that
lie there; a configuration that was there stays; systemd finds no fault with the unit; the unit's rights are all that the
observatory needs, with an interface and without; the service manager is told when it is ready, reads its configuration
again and stops; completion offers every command, option and choice that the program has.

Mutants it kills, each tried once: no CAP_CHOWN or CAP_KILL in the unit; the configuration written over; READY left out after
a refused file; options that completion leaves out.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
import observatory  # noqa: E402

SAMPLE = os.path.join(harness.SOURCE_DIR, "samples", "scans.pcap")
FILES = {"bin/monomi", "lib/monomi/libduckdb.so", "lib/systemd/system/monomi.service", "share/man/man1/monomi.1",
         "share/man/man5/monomi.yaml.5", "share/bash-completion/completions/monomi", "share/doc/monomi/LICENSE",
         "share/doc/monomi/LICENSE.duckdb"}


def install(root):
    subprocess.run(["cmake", "--install", harness.BUILD_DIR, "--prefix", "/usr"], env={**os.environ, "DESTDIR": root},
                   check=True, capture_output=True)


def check_files(checks, root):
    install(root)
    usr, config = os.path.join(root, "usr"), os.path.join(root, "etc", "monomi", "monomi.yaml")
    found = {os.path.relpath(os.path.join(base, n), usr) for base, _, names in os.walk(usr) for n in names}
    checks.equal("files", FILES - found, set())
    checks.equal("no others but databases", {f for f in found - FILES if not f.startswith("share/monomi/")}, set())
    program = os.path.join(usr, "bin", "monomi")
    env = {k: v for k, v in os.environ.items() if not k.startswith("MONOMI_")}
    done = subprocess.run([program, "version"], capture_output=True, text=True, env=env, check=False)
    checks.equal("it runs", (done.returncode, "duckdb 1" in done.stdout), (0, True))
    loaded = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    checks.true("with its own library", os.path.join(root, "usr") in loaded, loaded)
    done = subprocess.run([program, "run", "--config", config, "--check"], capture_output=True, text=True, env=env, check=False)
    checks.equal("the configuration is good", (done.returncode, done.stdout), (0, "good: %s\n" % config))
    with open(config, "w", encoding="utf-8") as f:
        f.write("store: mine\n")
    install(root)
    with open(config, encoding="utf-8") as f:
        checks.equal("a configuration stays", f.read(), "store: mine\n")
    return program


# ---- The unit ----
def unit_of(root):
    with open(os.path.join(root, "usr", "lib", "systemd", "system", "monomi.service"), encoding="utf-8") as f:
        return f.read()


def check_unit(checks, folder, root, program):
    text = unit_of(root)
    checks.true("it starts the program that was installed", "ExecStart=/usr/bin/monomi run --config /etc/monomi/monomi.yaml\n" in text, text)
    unit = os.path.join(folder, "monomi.service")
    with open(unit, "w", encoding="utf-8") as f:
        f.write(text.replace("/usr/bin/monomi", program))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    faults = [line for line in (done.stdout + done.stderr).splitlines() if "monomi" in line]
    checks.equal("systemd-analyze verify", (done.returncode, faults), (0, []))


def rights_of(text):
    names = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.M).group(1).split()
    return ["setpriv", "--no-new-privs", "--bounding-set", "-all," + ",".join("+" + n[4:].lower() for n in names)]


def check_rights(checks, folder, root):
    """With these rights alone it starts, starts again on a store that is its roles' by then, and ends its roles."""
    rights = rights_of(unit_of(root))
    quiet = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
    for name, before, options in (("files", rights, ["--pcap", SAMPLE]), ("live", quiet + rights, ["--interface", "lo", "--answers", "silent", "--manage", "tcp/22"])):
        db = os.path.join(folder, name)
        for run in ("first", "second"):
            o = observatory.Observatory(db, *options, before=before)
            roles = {"keeper", "reader", "server"} | ({"engine", "capture"} if name == "live" else set())
            o.await_roles(roles)
            pids = o.roles()
            checks.equal("%s, %s: ends well" % (name, run), o.end(), (0, []))
            said = [line for line in o.said().splitlines() if "MON-" in line]
            silent = "monomi: MON-DMN-055: sensor local on lo: silent"
            checks.equal("%s, %s: nobody was refused" % (name, run), [line for line in said if line != silent or name != "live"], [])
            checks.true("%s, %s: what was wanted was there" % (name, run), pids and (name != "live" or silent in said), said)


# ---- The service manager ----
class Manager:
    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        self.socket.settimeout(observatory.PATIENCE)

    def hear(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())


def check_manager(checks, folder, name, bind):
    manager, config = Manager(bind), os.path.join(folder, "notify.yaml")

    def write(text):
        with open(config, "w", encoding="utf-8") as f:
            f.write("store: notify\nlisten: 127.0.0.1:0\n" + text)
    write("shards: 1\n")
    log = os.path.join(folder, "notify.log")
    with open(log, "wb") as err:
        process = subprocess.Popen([harness.MONOMI, "run", "--config", config], stdout=subprocess.PIPE, stderr=err,
                                   env={**os.environ, "NOTIFY_SOCKET": name})
    o = observatory.Observatory.of(process, log)
    checks.equal("ready", manager.hear().get("READY"), "1")
    o.wait("the page that is said to be ready", "/v1/status", lambda s: True)
    for text in ("shards: none\n", "shards: 1\n"):
        write(text)
        process.send_signal(signal.SIGHUP)
        first, then = manager.hear(), manager.hear()
        checks.equal("%r: reads again" % text, (first.get("RELOADING"), first["MONOTONIC_USEC"].isdigit()), ("1", True))
        checks.equal("%r: and goes on" % text, (then.get("READY"), "error" in then.get("STATUS", "")), ("1", "none" in text))
    checks.equal("ends well", o.end(), (0, []))
    checks.equal("stops", manager.hear().get("STOPPING"), "1")


# ---- Completion ----
def complete(root, *words):
    script = os.path.join(root, "usr", "share", "bash-completion", "completions", "monomi")
    text = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _monomi; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-euc", text, script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, (words, done)
    return set(done.stdout.split())


def options_of(command):
    """As the source has them."""
    names = {"run": "session", "analyze": "analyze_options"}
    with open(os.path.join(harness.SOURCE_DIR, "src", "cli", names.get(command, command) + ".c"), encoding="utf-8") as f:
        return {"--" + o for o in re.findall(r'^\t\{ "([a-z-]+)", (?:NULL|"[^"]*"), OPT_', f.read(), re.M)}


def check_completion(checks, root):
    monomi = harness.MONOMI
    with open(os.path.join(harness.SOURCE_DIR, "src", "cli", "main.c"), encoding="utf-8") as f:
        commands = dict(re.findall(r'^\t\{ "([a-z]+)", cli_[a-z]+, "([^"]*)"', f.read(), re.M))
    checks.equal("commands", complete(root, monomi, ""), set(commands))
    checks.equal("one that was begun", complete(root, monomi, "si"), {"simulate"})
    asked = 0
    for command, arguments in commands.items():
        options = options_of(command)
        asked += len(options)
        checks.equal("%s: options" % command, options - complete(root, monomi, command, "--"), set())
        if re.fullmatch(r"[a-z|]+", arguments):
            checks.equal("%s: choices" % command, complete(root, monomi, command, ""), set(arguments.split("|")))
    checks.true("options were found in the source", asked > 60, asked)
    checks.equal("an option that was begun", complete(root, monomi, "run", "--mo"), {"--monitored"})
    checks.equal("values of an option", complete(root, monomi, "analyze", "--summary", "j"), {"json"})
    checks.true("named queries", {"top-ports", "columns"} <= complete(root, monomi, "query", ""))
    checks.true("interfaces", "lo" in complete(root, monomi, "run", "--interface", ""))
    checks.equal("files", complete(root, monomi, "analyze", SAMPLE[:-3]), {SAMPLE})
    checks.equal("folders", complete(root, monomi, "run", "--db", os.path.join(harness.SOURCE_DIR, "sampl")),
                 {os.path.join(harness.SOURCE_DIR, "samples")})


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        os.chmod(folder, 0o711)
        root = os.path.join(folder, "root")
        program = check_files(checks, root)
        check_unit(checks, folder, root, program)
        if os.geteuid() == 0:
            check_rights(checks, folder, root)
        else:
            checks.skip("not root")
        path = os.path.join(folder, "socket")
        check_manager(checks, folder, path, path)
        check_manager(checks, folder, "@monomi-test-%d" % os.getpid(), "\0monomi-test-%d" % os.getpid())
        check_completion(checks, root)
        shutil.rmtree(root)
    checks.finish()


main()
