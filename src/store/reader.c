/* Opens a store for reading: its folder, its snapshot, DuckDB in memory. */
#include "store/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only SCHEMA_VERSION is wanted of the list of columns: the newest schema of a folder that is understood here. */
#define TABLE(...)
#define KEY(...)
#define COL(...)
#define END(...)
#include "model/tables.def"

/* "monomi store 1": the folder's only line of identity. */
static int check_identity(struct store_reader *r, const char *db, struct error *e)
{
	char path[PATH_MAX + 16], line[64] = "", *end;
	static const char mark[] = "monomi store ";
	snprintf(path, sizeof path, "%s/monomi-store", r->folder);
	int fd = r->env->open(r->env, path, O_RDONLY, 0);
	if (fd < 0)
		return error_set(e, fd, "MON-STO-101", "'%s' is no store: it has no file monomi-store (%s)", db, strerror(-fd));
	ssize_t n = r->env->read(r->env, fd, line, sizeof line - 1);
	r->env->close(r->env, fd);
	unsigned long schema = strncmp(line, mark, sizeof mark - 1) ? 0 : strtoul(line + sizeof mark - 1, &end, 10);
	if (n < 0 || !schema || *end != '\n')
		return error_set(e, -EINVAL, "MON-STO-101", "'%s' is no store: its file monomi-store says something else", db);
	if (schema > SCHEMA_VERSION)
		return error_set(e, -EPROTO, "MON-STO-102", "'%s' has schema %lu, and this monomi reads up to %d: use a newer one",
		                 db, schema, SCHEMA_VERSION);
	return 0;
}

/* The link is read once, so that all of a query sees one commit. */
static int find_snapshot(struct store_reader *r, struct error *e)
{
	char link[PATH_MAX + 32], target[NAME_MAX + 1];
	snprintf(link, sizeof link, "%s/snapshot/current", r->folder);
	ssize_t n = readlink(link, target, sizeof target - 1);
	r->snapshot[0] = 0;
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return error_set(e, -errno, "MON-STO-103", "the snapshot of the store cannot be read: %s", strerror(errno));
	target[n] = 0;
	target[strcspn(target, "/")] = 0;
	int length = snprintf(r->snapshot, sizeof r->snapshot, "%s/snapshot/%s", r->folder, target);
	return (size_t)length < sizeof r->snapshot ? 0 :
	       error_set(e, -ENAMETOOLONG, "MON-STO-103", "the store's path is too long");
}

int reader_locate(struct store_reader *r, const char *db, struct error *e)
{
	if (!realpath(db, r->folder))
		return error_set(e, -errno, "MON-STO-101", "'%s' is no store: %s", db, strerror(errno));
	int rc = check_identity(r, db, e);
	return rc ? rc : find_snapshot(r, e);
}

int reader_execute(struct store_reader *r, const char *sql, struct error *e)
{
	duckdb_result result;
	int rc = duckdb_query(r->connection, sql, &result) ? reader_error(duckdb_result_error(&result), e) : 0;
	duckdb_destroy_result(&result);
	return rc;
}

/* Settings that are ours alone: nothing is fetched, loaded or logged, whatever a query says. */
static void configure(duckdb_config config, const struct store_limits *limits, const char *temporary)
{
	char number[40];
	snprintf(number, sizeof number, "%zuB", limits->memory);
	duckdb_set_config(config, "memory_limit", number);
	snprintf(number, sizeof number, "%u", limits->threads ? limits->threads : 1);
	duckdb_set_config(config, "threads", number);
	snprintf(number, sizeof number, "%zuB", temporary ? limits->disk : 0);
	duckdb_set_config(config, "max_temp_directory_size", number);
	duckdb_set_config(config, "temp_directory", temporary ? temporary : "");
	duckdb_set_config(config, "autoinstall_known_extensions", "false");
	duckdb_set_config(config, "autoload_known_extensions", "false");
	duckdb_set_config(config, "allow_community_extensions", "false");
}

static int open_database(struct store_reader *r, const struct store_limits *limits, const char *temporary, struct error *e)
{
	duckdb_config config;
	char *said = NULL;
	if (duckdb_create_config(&config))
		return error_no_memory(e, "opening DuckDB");
	configure(config, limits, temporary);
	int rc = 0;
	if (duckdb_open_ext(NULL, &r->database, config, &said) || duckdb_connect(r->database, &r->connection))
		rc = error_set(e, -EIO, "MON-STO-104", "DuckDB does not start: %.200s", said ? said : "no connection");
	duckdb_free(said);
	duckdb_destroy_config(&config);
	return rc;
}

int reader_open(struct store_reader **out, const struct env *env, const char *db, const struct store_limits *limits,
                const char *temporary, struct error *e)
{
	struct store_reader *r = env_alloc(env, sizeof *r);
	if (!r)
		return error_no_memory(e, "opening the store");
	r->env = env;
	int rc = reader_locate(r, db, e);
	if (!rc)
		rc = open_database(r, limits, temporary, e);
	if (!rc)
		*out = r;
	else
		store_reader_close(r);
	return rc;
}

int store_reader_open(struct store_reader **out, const struct env *env, const char *db, const struct store_limits *limits,
                      store_tool_fn tool, const char *only, const struct store_param *about, size_t n_about,
                      struct error *e)
{
	int rc = reader_open(out, env, db, limits, NULL, e);
	if (rc)
		return rc;
	(*out)->tool = tool;
	rc = reader_views(*out, only, about, n_about, NULL, e);
	if (rc)
		store_reader_close(*out);
	return rc;
}

void store_reader_close(struct store_reader *r)
{
	if (!r)
		return;
	duckdb_disconnect(&r->connection);
	duckdb_close(&r->database);
	env_free(r->env, r, sizeof *r);
}
