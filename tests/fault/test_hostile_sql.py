#!/usr/bin/python3
"""A query can harm nothing: not files, not the store, not the machine's memory or time. After each of these the store is
as it was to the byte, no temporary folder is left, and the answer is one sentence with a code.

Killed mutants: allowed_paths left out, the check of the statement's kind left out, no deadline, no limit of memory.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import stores

SECRET = "monitored-198.51.100.77"
FLOW = ("SELECT 29000000 AS minute, (3221225985 + range)::UINTEGER AS source, 23::USMALLINT AS port, 6::UTINYINT AS protocol, "
        "4::UTINYINT AS class, 0::USMALLINT AS tags, 1::USMALLINT AS rules, 2::UINTEGER AS packets, NULL::UINTEGER AS destinations, "
        "NULL::UINTEGER AS accesses, NULL::UINTEGER AS attempts, NULL::UBIGINT AS bytes, 40::USMALLINT AS length_min, "
        "NULL::USMALLINT AS length_max, 50::UTINYINT AS ttl_min, NULL::UTINYINT AS ttl_max, 3::UTINYINT AS \"first\", "
        "NULL::UTINYINT AS \"last\", 2::UTINYINT AS tcp_flags, NULL::BLOB AS syn, NULL::VARCHAR AS country, "
        "NULL::UINTEGER AS as_number, NULL::UUID AS country_db, NULL::UUID AS as_db FROM range(1000)")


def refused(store, part):
    """SQL that must fail, whatever it is after."""
    spool = os.path.join(store, "spool", "secret.pcap")
    return [
        "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_json('/etc/passwd')", "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')", "SELECT * FROM glob('/etc/*')", "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_text('%s')" % spool, "SELECT * FROM read_blob('%s/hot.duckdb')" % store, "SELECT * FROM glob('%s/*')" % store,
        "SELECT * FROM read_parquet('%s.orphan')" % part,
        "SELECT * FROM read_text('/dev/stdin')", "SELECT * FROM read_csv('https://192.0.2.1/x.csv')",
        "ATTACH '/etc/passwd'", "ATTACH '%s/hot.duckdb' AS h (READ_ONLY)" % store, "ATTACH '/tmp/monomi-hostile.db'",
        "COPY (SELECT 1) TO '/tmp/monomi-hostile.csv'", "COPY (SELECT 1) TO '%s'" % part, "COPY (SELECT 1) TO '%s/x.parquet'" % store,
        "COPY flow4 FROM '/etc/passwd'", "EXPORT DATABASE '/tmp/monomi-hostile'", "IMPORT DATABASE '/etc'",
        "INSTALL httpfs", "LOAD httpfs", "LOAD '/tmp/x.duckdb_extension'",
        "PRAGMA enable_profiling", "PRAGMA database_size", "SET memory_limit = '1TB'", "SET enable_external_access = true",
        "RESET lock_configuration", "SET threads = 64", "CALL enable_logging()",
        "CREATE TABLE t AS SELECT 1", "CREATE VIEW flow AS SELECT 1", "DROP VIEW flow", "DELETE FROM rest.flow4", "INSERT INTO rest.flow4 VALUES (1)",
        "UPDATE rest.flow4 SET port = 0", "CHECKPOINT", "VACUUM", "BEGIN", "EXPLAIN ANALYZE SELECT 1", "PREPARE x AS SELECT 1", "EXECUTE x",
        "CREATE SECRET s (TYPE s3)", "CREATE MACRO m() AS 1", "USE memory", "DETACH memory",
        "SELECT getenv('HOME')", "SELECT 1; SELECT 2", "SELECT 1; DROP VIEW flow", "SELECT 1) TO '/tmp/monomi-hostile.csv' (FORMAT csv) --",
        "SELECT 1) AS q(c0); DROP VIEW flow; SELECT (1", "SELECT 1 /*", "SELECT 'a", "", ";", "/* nothing */", "SELEC 1", "SELECT * FROM nowhere",
        "SELECT $a", "SELECT ?", "SELECT query('SELECT 1')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/monomi-hostile.csv''')", "SELECT * FROM query_table('/etc/passwd')",
        "SELECT error('a\nb')", "SELECT 1 \0 2".replace("\0", "\x01"),
    ]


def harmless(store):
    """SQL that may fail or not."""
    return [
        "SELECT * FROM enable_logging(storage = 'file', storage_path = '%s')" % store,
        "SELECT * FROM enable_logging(level = 'trace', storage = 'file', storage_path = '/tmp/monomi-hostile')",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000, "SELECT " + "-" * 100000 + "\n1", "SELECT " + "1+" * 30000 + "1",
        "SELECT " + "[" * 2000 + "]" * 2000, "SELECT x'00'::BLOB, chr(27) || '[2J', '\u202e'", "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()", "SELECT * FROM pragma_database_size()", "SELECT * FROM force_checkpoint()",
    ]


class Hostile:
    def __init__(self, checks, folder):
        self.checks = checks
        self.tmp = os.path.join(folder, "tmp")
        os.mkdir(self.tmp)
        self.store = stores.lay_out(os.path.join(folder, "db"), folder, {("flow4", "2025-02-20", "roof"): FLOW}, {})
        os.mkdir(os.path.join(self.store, "spool"))
        for name in ("spool/secret.pcap", "hot.duckdb"):
            with open(os.path.join(self.store, name), "w", encoding="ascii") as f:
                f.write(SECRET)
        self.part = next(os.path.join(b, n) for b, _, names in os.walk(os.path.join(self.store, "parquet")) for n in names)
        with open(self.part, "rb") as f, open(self.part + ".orphan", "wb") as g:
            g.write(f.read())
        self.before = stores.digest(self.store)

    def ask(self, name, sql, *options, timeout=60):
        done = harness.monomi("query", "--db", self.store, *options, sql, env={"TMPDIR": self.tmp, "SECRET": SECRET}, timeout=timeout)
        self.after(name, done)
        return done

    def after(self, name, done):
        check = self.checks
        check.true("%s: no crash" % name, not done.crashed, done.err[-300:])
        check.true("%s: nothing told" % name, SECRET not in done.out and "root:" not in done.out, done.out[:200])
        check.equal("%s: the store" % name, stores.digest(self.store), self.before)
        check.equal("%s: left in TMPDIR" % name, os.listdir(self.tmp), [])
        check.equal("%s: left in /tmp" % name, [x for x in os.listdir("/tmp") if x.startswith("monomi-hostile")], [])

    def fails(self, name, sql, *options, code=None):
        done = self.ask(name, sql, *options)
        self.checks.equal("%s: exit" % name, done.code, 1)
        self.checks.true("%s: a sentence" % name, done.err.startswith("monomi: MON-STO-1") and done.err.count("\n") == 1, done.err[:300])
        if code:
            self.checks.true("%s: its code" % name, code in done.err, done.err[:300])


def limits(h):
    """Queries that would never end, eat all memory or fill the disk."""
    forever = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
    cross = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7"
    for name, sql in (("recursion", forever), ("cross join", cross)):
        start = time.monotonic()
        h.fails(name, sql, "--time", "2", code="MON-STO-116")
        h.checks.true("%s: ended in time" % name, time.monotonic() - start < 30)
    for name, sql in (
            ("lists", "SELECT list(range) FROM range(3000000000)"),
            ("text", "SELECT repeat('x', 2000000000) || repeat('y', 2000000000)"),
            ("sort", "SELECT max(a) FROM (SELECT md5(range::VARCHAR) || md5(range::VARCHAR) AS a FROM range(400000000) ORDER BY 1)")):
        h.fails(name, sql, "--memory", "128M", "--time", "15")
    done = h.ask("huge result", "SELECT range, range * 2, 'some text' FROM range(3000000)", "--format", "csv")
    h.checks.equal("huge result: lines", done.out.count("\n"), 3000001)
    done = h.ask("sorted on disk", "SELECT a FROM (SELECT hash(range) AS a FROM range(8000000) ORDER BY 1) LIMIT 1", "--memory", "64M", "--format", "csv")
    h.checks.equal("sorted on disk: exit", done.code, 0)


def interrupted(h):
    """The process of a query goes with the one that was asked."""
    for sig, tidy in ((signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGKILL, False)):
        p = subprocess.Popen([harness.MONOMI, "query", "--db", h.store, "SELECT count(*) FROM range(10000000000) a, range(1000) b"],
                             env=dict(os.environ, TMPDIR=h.tmp), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        worker = []
        while not worker and p.poll() is None:
            worker = stores.children(p.pid)
        time.sleep(0.3)
        p.send_signal(sig)
        p.communicate(timeout=30)
        h.checks.true("signal %d: the worker is gone" % sig, stores.wait_until(lambda: not os.path.exists("/proc/%s" % worker[0])))
        if tidy:
            h.checks.equal("signal %d: left in TMPDIR" % sig, os.listdir(h.tmp), [])
    for name in os.listdir(h.tmp): # of the one that was killed
        os.rmdir(os.path.join(h.tmp, name))


def opens(pid):
    """Does a child of this process wait in opening a pipe?"""
    for child in stores.children(pid):
        for task in glob.glob("/proc/%s/task/*/wchan" % child):
            try:
                with open(task, encoding="ascii") as f:
                    if f.read() == "wait_for_partner":
                        return True
            except OSError: # it has ended
                pass
    return False


def replaced(checks, folder):
    """A part that is gone because another commit replaced it: the query is asked again of that. The part is a pipe here,
    so that it is certain when it is read. One that is gone or damaged without such a commit is told."""
    store = os.path.join(folder, "replaced")
    stores.lay_out(store, folder, {("flow4", "2025-02-20", "roof"): FLOW}, {})
    part = next(os.path.join(b, n) for b, _, names in os.walk(os.path.join(store, "parquet")) for n in names)
    good = os.path.join(store, "snapshot", "1")
    shutil.copytree(good, os.path.join(store, "snapshot", "2"))
    os.rename(part, part + ".away")
    done = harness.monomi("query", "--db", store, "SELECT count(*) AS n FROM flow4")
    checks.equal("absent part: exit", done.code, 1)
    checks.true("absent part: a sentence", "MON-STO-111" in done.err and done.err.count("\n") == 1, done.err)
    with open(part, "wb") as f:
        f.write(b"PAR1 and then nothing of it")
    done = harness.monomi("query", "--db", store, "SELECT count(*) AS n FROM flow4")
    checks.true("damaged part: a sentence", done.code == 1 and "MON-STO-111" in done.err and done.err.count("\n") == 1, done.err)
    os.unlink(part)
    pipe = os.path.join(folder, "pipe")
    os.mkfifo(pipe)
    os.link(pipe, part)
    p = subprocess.Popen([harness.MONOMI, "query", "--db", store, "--format", "csv", "SELECT count(*) AS n FROM flow4"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checks.true("the query reads the part", stores.wait_until(lambda: opens(p.pid)))
    os.symlink("2", os.path.join(store, "snapshot", "next"))
    os.rename(os.path.join(store, "snapshot", "next"), os.path.join(store, "snapshot", "current"))
    os.rename(part + ".away", part)
    with open(pipe, "wb"): # the query goes on only now
        pass
    out, err = p.communicate(timeout=60)
    checks.equal("replaced meanwhile", (p.returncode, out, err), (0, "n\n1000\n", ""))


def main():
    checks = harness.Checks()
    with harness.scratch() as folder:
        h = Hostile(checks, folder)
        done = h.ask("a good query", "SELECT count(*) AS n, sum(accesses) AS a FROM flow", "--format", "csv")
        checks.equal("a good query", done.out, "n,a\n1000,2000\n")
        for sql in refused(h.store, h.part):
            h.fails(sql[:60], sql)
            if "SELECT" in sql:
                h.fails("parquet: " + sql[:60], sql, "--format", "parquet")
        for sql in harmless(h.store):
            for form in ("table", "jsonl", "parquet"):
                done = h.ask("%s: %s" % (form, sql[:60]), sql, "--format", form)
                checks.true("%s: no escape" % sql[:60], "\x1b" not in done.out or form == "parquet")
        limits(h)
        interrupted(h)
        replaced(checks, folder)
    checks.finish()


main()
