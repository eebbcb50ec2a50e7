#include "enrich/enrich.h"

#include "enrich/mmdb.h"
#include "enrich/ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MOST_BYTES (512ull << 20) /* of a database: the largest that are published have some 150 MB */

struct database {
	struct enrich_database about;
	bool there;
	bool declined; /* by the empty path */
	uint8_t *file; /* kept while it is looked up in: of a MaxMind DB */
	size_t bytes;
	struct mmdb mmdb;
};

struct enrich {
	const struct env *env;
	struct database db[ENRICH_KINDS];
	bool as_is_csv;
	struct ranges ranges;
};

static const struct mmdb_field country_fields[] = { { { "country_code" } }, { { "country", "iso_code" } } };
static const struct mmdb_field as_fields[] = { { { "autonomous_system_number" } } };
static const struct mmdb_field as_name_field = { { "autonomous_system_organization" } };
#define FIELDS(list) (int)(sizeof list / sizeof *list)

/* What the licences of the databases that are fetched with the build ask for (docs/decisions/databases.md). */
static const char country_credit[] = "geo-whois-asn-country of ip-location-db (CC0), with data of NRO (nro.net)";
static const char as_credit[] =
	"IP Geolocation by DB-IP (https://db-ip.com), with data of RouteViews (routeviews.org) and NRO (nro.net)";

/* ---- Reading a file whole ---- */

static int read_all(const struct env *env, int fd, uint8_t *out, size_t n)
{
	size_t have = 0;
	while (have < n) {
		ssize_t got = env->read(env, fd, out + have, n - have);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			return got ? (int)got : -ENODATA; /* it became shorter */
		have += (size_t)got;
	}
	return 0;
}

static int load_open(struct database *d, const struct env *env, int fd, struct error *e)
{
	struct stat st;
	int rc = env->stat(env, fd, &st);
	if (!rc && !S_ISREG(st.st_mode))
		return error_set(e, -EINVAL, "MON-ENR-001", "no regular file");
	if (!rc && (!st.st_size || (uint64_t)st.st_size > MOST_BYTES))
		return error_set(e, -EFBIG, "MON-ENR-003", "the database has %lld bytes; 1 to %llu are read",
		                 (long long)st.st_size, MOST_BYTES);
	if (rc)
		return error_set(e, rc, "MON-ENR-002", "the database cannot be read: %s", strerror(-rc));
	d->file = env_alloc(env, (size_t)st.st_size);
	if (!d->file)
		return error_no_memory(e, "reading a database");
	d->bytes = (size_t)st.st_size;
	rc = read_all(env, fd, d->file, d->bytes);
	if (rc)
		return error_set(e, rc, "MON-ENR-002", "the database cannot be read: %s",
		                 rc == -ENODATA ? "it ended early" : strerror(-rc));
	XXH128_canonical_t digest;
	XXH128_canonicalFromHash(&digest, XXH3_128bits(d->file, d->bytes));
	memcpy(d->about.digest, digest.digest, sizeof d->about.digest);
	d->about.bytes = d->bytes;
	d->about.built = st.st_mtime;
	return 0;
}

static void unload(struct database *d, const struct env *env)
{
	env_free(env, d->file, d->bytes);
	d->file = NULL;
	d->bytes = 0;
}

/* ---- What is in it ---- */

static bool is_mmdb(const char *path, struct span file)
{
	size_t n = strlen(path);
	return (n > 5 && !strcmp(path + n - 5, ".mmdb")) || mmdb_is(file);
}

static int understand(struct enrich *x, enum enrich_kind kind, struct error *e)
{
	struct database *d = &x->db[kind];
	struct span file = { d->file, d->bytes };
	if (kind == ENRICH_AS && !is_mmdb(d->about.path, file)) {
		int rc = ranges_open(&x->ranges, x->env, file, e);
		x->as_is_csv = !rc;
		unload(d, x->env);
		memcpy(d->about.type, "CSV", sizeof "CSV");
		return rc;
	}
	int rc = kind == ENRICH_AS ? mmdb_open(&d->mmdb, file, as_fields, FIELDS(as_fields), e) :
	                             mmdb_open(&d->mmdb, file, country_fields, FIELDS(country_fields), e);
	memcpy(d->about.type, d->mmdb.type, sizeof d->about.type);
	d->about.built = d->mmdb.built;
	return rc;
}

/* The sentence of an error, after the path of the database. */
static int at_path(struct error *e, int rc, const char *path)
{
	char text[sizeof e->text];
	if (!e || !rc)
		return rc;
	memcpy(text, e->text, sizeof text);
	snprintf(e->text, sizeof e->text, "%.150s: %.140s", path, text);
	return rc;
}

/* -ENOENT without an error filled in: there is none at this path. */
static int try_path(struct enrich *x, enum enrich_kind kind, const char *path, struct error *e)
{
	struct database *d = &x->db[kind];
	int fd = x->env->open(x->env, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return -ENOENT;
	if (fd < 0)
		return at_path(e, error_set(e, fd, "MON-ENR-001", "the database cannot be opened: %s", strerror(-fd)), path);
	snprintf(d->about.path, sizeof d->about.path, "%s", path);
	int rc = load_open(d, x->env, fd, e);
	int closed = x->env->close(x->env, fd);
	if (!rc && closed)
		rc = error_set(e, closed, "MON-ENR-002", "the database cannot be read: %s", strerror(-closed));
	if (!rc)
		rc = understand(x, kind, e);
	d->there = !rc;
	return at_path(e, rc, path);
}

/* ---- Where it is ---- */

/* The folder of the program, with what is behind it; empty when the system does not say. */
static void beside_program(char *out, size_t n)
{
	ssize_t got = readlink("/proc/self/exe", out, n - sizeof "databases");
	out[got > 0 ? got : 0] = 0;
	char *slash = strrchr(out, '/');
	if (slash)
		memcpy(slash + 1, "databases", sizeof "databases");
	else
		out[0] = 0;
}

static int search(struct enrich *x, enum enrich_kind kind, struct error *e)
{
	static const char *const names[ENRICH_KINDS][2] = { { "country.mmdb" }, { "as.csv", "as.mmdb" } };
	char program[3072];
	beside_program(program, sizeof program);
	const char *folders[] = { program, "/usr/local/share/monomi", "/usr/share/monomi" };
	for (int i = 0; i < 6; i++) {
		char path[4096];
		const char *name = names[kind][i % 2], *folder = folders[i / 2];
		if (!name || !*folder)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, name);
		int rc = try_path(x, kind, path, e);
		if (!rc && i % 2 == 0)
			x->db[kind].about.credit = kind == ENRICH_AS ? as_credit : country_credit;
		if (rc != -ENOENT)
			return rc;
	}
	return 0;
}

static int open_kind(struct enrich *x, enum enrich_kind kind, const char *path, struct error *e)
{
	if (!path)
		path = getenv(kind == ENRICH_AS ? "MONOMI_AS_DB" : "MONOMI_COUNTRY_DB");
	if (!path)
		return search(x, kind, e);
	x->db[kind].declined = !*path;
	if (!*path)
		return 0;
	int rc = try_path(x, kind, path, e);
	return rc == -ENOENT ? error_set(e, rc, "MON-ENR-001", "there is no database %.200s", path) : rc;
}

int enrich_open(const struct env *env, const struct enrich_options *options, struct enrich **out, struct error *e)
{
	struct enrich *x = env_alloc(env, sizeof *x);
	int rc = 0;
	*out = NULL;
	if (!x)
		return error_no_memory(e, "opening the databases");
	x->env = env;
	for (int kind = 0; kind < ENRICH_KINDS && !rc; kind++)
		rc = open_kind(x, (enum enrich_kind)kind, options->path[kind], e);
	if (rc)
		enrich_close(x);
	else
		*out = x;
	return rc;
}

void enrich_close(struct enrich *x)
{
	if (!x)
		return;
	for (int kind = 0; kind < ENRICH_KINDS; kind++)
		unload(&x->db[kind], x->env);
	if (x->as_is_csv)
		ranges_close(&x->ranges);
	env_free(x->env, x, sizeof *x);
}

const struct enrich_database *enrich_database(const struct enrich *x, enum enrich_kind kind)
{
	return x->db[kind].there ? &x->db[kind].about : NULL;
}

const char *enrich_notice(const struct enrich *x)
{
	bool country = x->db[ENRICH_COUNTRY].there || x->db[ENRICH_COUNTRY].declined;
	bool as = x->db[ENRICH_AS].there || x->db[ENRICH_AS].declined;
	if (!country && !as)
		return "no database of countries and none of AS: both are unknown";
	if (!country)
		return "no database of countries: they are unknown";
	return as ? NULL : "no database of AS: they are unknown";
}

/* ---- Looking up ---- */

/* The last answers about IPv4, and of which addresses they are too: who asks in ascending order mostly asks of the same. */
struct near {
	uint32_t first, last;
};

static bool is_near(const struct near *n, bool v4, uint32_t address)
{
	return v4 && n->first <= address && address <= n->last;
}

static uint32_t mmdb_record(const struct mmdb *m, const struct addr *a, struct near *near)
{
	return addr_is_v4(a) ? mmdb_range4(m, addr_v4(a), &near->first, &near->last) : mmdb_lookup6(m, a->bytes);
}

static void country_of(const struct enrich *x, const struct addr *a, struct near *near, char out[static 2])
{
	const struct mmdb *m = &x->db[ENRICH_COUNTRY].mmdb;
	uint32_t record = mmdb_record(m, a, near);
	struct mmdb_value v;
	out[0] = out[1] = 0;
	if (record == MMDB_NONE ||
	    (!mmdb_find(m, record, &country_fields[0], &v) && !mmdb_find(m, record, &country_fields[1], &v)))
		return;
	struct span s = mmdb_string(m, &v);
	if (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z')
		memcpy(out, s.p, 2);
}

static void as_of(const struct enrich *x, const struct addr *a, struct near *near, struct enrich_answer *out)
{
	struct mmdb_value v;
	if (x->as_is_csv) {
		uint32_t row = addr_is_v4(a) ? ranges_range4(&x->ranges, addr_v4(a), &near->first, &near->last) :
		                               ranges_lookup6(&x->ranges, a->bytes);
		out->as_record = row;
		out->as_number = row == RANGES_NONE ? 0 : x->ranges.list[row].number;
		return;
	}
	const struct mmdb *m = &x->db[ENRICH_AS].mmdb;
	out->as_record = mmdb_record(m, a, near);
	if (out->as_record == MMDB_NONE || !mmdb_find(m, out->as_record, &as_fields[0], &v))
		return;
	uint64_t number = mmdb_number(m, &v);
	out->as_number = number <= UINT32_MAX ? (uint32_t)number : 0;
}

void enrich_lookup(const struct enrich *x, const struct addr *addresses, size_t n, struct enrich_answer *out)
{
	bool countries = x->db[ENRICH_COUNTRY].there, systems = x->db[ENRICH_AS].there;
	struct near country = { 1, 0 }, as = { 1, 0 };
	const struct enrich_answer *last = NULL; /* about IPv4 */
	for (size_t i = 0; i < n; i++) {
		const struct addr *a = &addresses[i];
		bool v4 = addr_is_v4(a);
		uint32_t address = v4 ? addr_v4(a) : 0;
		out[i] = (struct enrich_answer){ .as_record = MMDB_NONE };
		if (countries && is_near(&country, v4, address))
			memcpy(out[i].country, last->country, sizeof out->country);
		else if (countries)
			country_of(x, a, &country, out[i].country);
		if (systems && is_near(&as, v4, address)) {
			out[i].as_record = last->as_record;
			out[i].as_number = last->as_number;
		} else if (systems)
			as_of(x, a, &as, &out[i]);
		last = v4 ? &out[i] : last;
	}
}

/* ---- Names: hostile text ---- */

/* Bytes of the UTF-8 character at p; 0: it is none, or a control character. */
static size_t character(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { ' ', 0xa0, 0x800, 0x10000 }; /* by its bytes: what is less is overlong or controls */
	size_t more = p[0] < 0x80 ? 0 : p[0] < 0xc0 ? n : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : p[0] < 0xf8 ? 3 : n;
	if (more >= n)
		return 0;
	uint32_t c = more ? p[0] & (0x3fu >> more) : p[0];
	for (size_t k = 1; k <= more; k++) {
		if ((p[k] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[k] & 0x3f);
	}
	return c < least[more] || c == 127 || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : more + 1;
}

static void clean(struct span s, char out[static ENRICH_NAME])
{
	size_t used = 0;
	while (s.n) {
		size_t n = character(s.p, s.n), put = n ? n : 1;
		if (used + put >= ENRICH_NAME)
			break;
		if (n)
			memcpy(out + used, s.p, n);
		else
			out[used] = '?';
		used += put;
		s = (struct span){ s.p + put, s.n - put };
	}
	out[used] = 0;
}

/* A field of a CSV line: "quoted, with "" for each quote", or plain. Writes into `out`, which is as long. */
static struct span unquote(struct span s, uint8_t *out)
{
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	size_t n = 0;
	for (size_t i = 1; i < s.n - 1; i++) {
		out[n++] = s.p[i];
		i += s.p[i] == '"' && s.p[i + 1] == '"' && i + 1 < s.n - 1;
	}
	return (struct span){ out, n };
}

static char *name_of_row(const struct ranges *r, uint32_t row, char out[static ENRICH_NAME])
{
	uint8_t text[RANGES_NAME];
	const struct ranges_as *as = &r->list[row];
	clean(unquote((struct span){ (const uint8_t *)r->names + as->name, as->name_size }, text), out);
	return out;
}

char *enrich_as_name(const struct enrich *x, const struct enrich_answer *a, char out[static ENRICH_NAME])
{
	struct span name = { NULL, 0 };
	struct mmdb_value v;
	out[0] = 0;
	if (a->as_record == MMDB_NONE)
		return out;
	if (x->as_is_csv)
		return name_of_row(&x->ranges, a->as_record, out);
	if (mmdb_find(&x->db[ENRICH_AS].mmdb, a->as_record, &as_name_field, &v))
		name = mmdb_string(&x->db[ENRICH_AS].mmdb, &v);
	clean(name, out);
	return out;
}

/* ---- Names by number ---- */
struct enrich_names {
	const struct env *env;
	struct named {
		uint32_t number, at; /* of its name in `text` */
	} *list;
	char *text;
	size_t n, room, text_room;
};

static int by_number(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

/* Names are not longer than the file wrote them, and each gets a zero byte. */
static void copy_names(struct enrich_names *names, const struct ranges *r)
{
	char name[ENRICH_NAME];
	size_t used = 0;
	for (uint32_t row = 0; row < r->systems; row++) {
		size_t n = strlen(name_of_row(r, row, name)) + 1;
		if (n == 1)
			continue;
		names->list[names->n++] = (struct named){ r->list[row].number, (uint32_t)used };
		memcpy(names->text + used, name, n);
		used += n;
	}
	qsort(names->list, names->n, sizeof *names->list, by_number);
}

int enrich_names_open(const struct enrich *x, struct enrich_names **out, struct error *e)
{
	const struct ranges *r = &x->ranges;
	struct enrich_names *names = env_alloc(x->env, sizeof *names);
	if (!names)
		return error_no_memory(e, "reading names of AS");
	*names = (struct enrich_names){ .env = x->env };
	*out = names;
	if (!x->as_is_csv || !r->systems)
		return 0;
	names->room = r->systems * sizeof *names->list;
	names->text_room = 2 * r->names_used + r->systems;
	names->list = env_alloc(x->env, names->room);
	names->text = env_alloc(x->env, names->text_room);
	if (names->list && names->text) {
		copy_names(names, r);
		return 0;
	}
	enrich_names_close(names);
	return error_no_memory(e, "reading names of AS");
}

void enrich_names_close(struct enrich_names *n)
{
	if (!n)
		return;
	env_free(n->env, n->list, n->room);
	env_free(n->env, n->text, n->text_room);
	env_free(n->env, n, sizeof *n);
}

const char *enrich_names_find(const struct enrich_names *n, uint32_t number)
{
	size_t low = 0, high = n->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (n->list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n->n && n->list[low].number == number ? n->text + n->list[low].at : NULL;
}
