#include "cli/analyze.h"

#include "daemon/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* A followed file ends at the first INT or TERM, with its summary. */
static void stop_on_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- Progress, on a terminal only ---- */
struct progress_line {
	const struct env *env;
	const char *path;
	int64_t started;
	bool drawn;
};

static void draw_progress(void *ctx, const struct progress *p)
{
	struct progress_line *l = ctx;
	double seconds = (double)(l->env->monotonic(l->env) - l->started) / 1e9;
	double rate = seconds > 0 ? (double)p->packets / seconds : 0;
	fprintf(stderr, "\r\033[K%s: %.1f MB", p->deriving ? "late minutes" : l->path, (double)p->bytes / 1e6);
	if (p->bytes_total)
		fprintf(stderr, " of %.1f (%.0f %%)", (double)p->bytes_total / 1e6,
		        100 * (double)p->bytes / (double)p->bytes_total);
	fprintf(stderr, ", %.2f M packets/s", rate / 1e6);
	if (p->bytes && p->bytes_total > p->bytes)
		fprintf(stderr, ", %.0f s left", seconds * (double)(p->bytes_total - p->bytes) / (double)p->bytes);
	fflush(stderr);
	l->drawn = true;
}

static void erase_progress(struct progress_line *l)
{
	if (l->drawn)
		fputs("\r\033[K", stderr);
	l->drawn = false;
}

/* ---- Files ---- */
struct session {
	struct analyze_options options;
	struct analysis *analysis;
	struct ingest *ingest; /* with --db */
	struct enrich *enrich;
	int enrich_rc;
	struct error enrich_error;
	struct progress_line line;
	struct path_list paths;
	int json_fd;        /* of --json, or -1 */
	size_t no_captures; /* files of folders that are none, left out */
	bool failed;
};

static int print_json(const struct session *s, int fd, const char *file, const struct summary *summary,
                      const struct error *error)
{
	struct error e;
	int rc = summary_write_json(s->line.env, fd, file, summary, error);
	if (rc) {
		error_set(&e, rc, "MON-CLI-023", "the JSON cannot be written: %s", strerror(-rc));
		cli_complain(&e, fd == s->json_fd ? s->options.json_file : NULL);
	}
	return rc;
}

/* JSON always has its total; of one file alone the text would only say everything twice. */
static int print(const struct session *s, const char *file, const struct summary *summary, const struct error *error)
{
	int rc = s->json_fd >= 0 ? print_json(s, s->json_fd, file, summary, error) : 0;
	if (s->options.json)
		return print_json(s, STDOUT_FILENO, file, summary, error) ? -EIO : rc;
	if (file || s->paths.n != 1)
		summary_print_text(file, summary, error);
	return rc;
}

/* An error of a FILE is part of its object in JSON; as text it goes to stderr. */
static int analyze_one(struct session *s, const struct listed *file)
{
	struct summary summary;
	struct error error;
	s->line.path = file->path;
	s->line.started = s->line.env->monotonic(s->line.env);
	int rc = s->ingest ? ingest_file(s->ingest, s->analysis, file->path, &summary, &error) :
	         analysis_file(s->analysis, file->path, &summary, &error);
	erase_progress(&s->line);
	if (rc && file->from_folder && !strcmp(error.code, CAPTURE_NO_CAPTURE)) {
		s->no_captures++;
		return 0;
	}
	s->failed |= rc != 0;
	bool broken = analysis_broken(s->analysis) || (s->ingest && ingest_broken(s->ingest));
	if (rc && (!s->options.json || broken))
		cli_complain(&error, file->path);
	if (broken)
		return rc;
	return print(s, strcmp(file->path, "-") ? file->path : "-", &summary, rc ? &error : NULL);
}

static int analyze_all(struct session *s)
{
	struct summary total;
	struct error error;
	for (size_t i = 0; i < s->paths.n && !stop; i++)
		if (analyze_one(s, &s->paths.item[i]))
			return EXIT_FAILED;
	int rc = s->ingest ? ingest_finish(s->ingest, &error) : 0;
	if (!rc)
		rc = analysis_total(s->analysis, &total, &error);
	erase_progress(&s->line);
	if (rc) {
		cli_complain(&error, NULL);
		return EXIT_FAILED;
	}
	if (s->no_captures)
		fprintf(stderr, "monomi: left out %zu files of folders that are no captures\n", s->no_captures);
	rc = print(s, NULL, &total, NULL);
	return rc || s->failed || fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static int list_files(struct session *s)
{
	struct error error;
	for (int i = 0; i < s->options.n_files; i++) {
		if (path_list_add(&s->paths, s->options.files[i], &error)) {
			cli_complain(&error, s->options.files[i]);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static int open_json(struct session *s)
{
	const struct env *env = s->line.env;
	struct error e;
	if (!s->options.json_file)
		return EXIT_DONE;
	s->json_fd = env->open(env, s->options.json_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (s->json_fd >= 0)
		return EXIT_DONE;
	error_set(&e, s->json_fd, "MON-CLI-023", "the JSON cannot be written: %s", strerror(-s->json_fd));
	cli_complain(&e, s->options.json_file);
	return EXIT_FAILED;
}

/* The file is whole only when closing it says so: some file systems tell of a full disk no sooner. */
static int close_json(struct session *s)
{
	return s->json_fd >= 0 ? s->line.env->close(s->line.env, s->json_fd) : 0;
}

static void *open_databases(void *session)
{
	struct session *s = session;
	s->enrich_rc = enrich_open(s->line.env, &s->options.databases, &s->enrich, &s->enrich_error);
	return NULL;
}

/* The databases are read meanwhile: as long as that takes a small capture is analysed. */
static int open_store(struct session *s, struct analysis_config *config, struct error *e)
{
	pthread_t thread;
	struct ingest_config ingest = { .db = s->options.db, .monitored = s->options.monitored,
	                                .mode = s->options.mode, .options = s->options.row_options };
	bool alone = pthread_create(&thread, NULL, open_databases, s);
	int rc = ingest_open(&s->ingest, s->line.env, &ingest, config, e);
	if (alone)
		open_databases(s);
	else
		pthread_join(thread, NULL);
	if (rc)
		return rc;
	if (s->enrich_rc) {
		*e = s->enrich_error;
		return s->enrich_rc;
	}
	if (enrich_notice(s->enrich))
		fprintf(stderr, "monomi: %s; `monomi doctor` tells more\n", enrich_notice(s->enrich));
	ingest_place(s->ingest, s->enrich);
	return 0;
}

static int open_analysis(struct session *s)
{
	struct analysis_config *config = &s->options.config;
	struct error error;
	config->several = s->paths.n != 1;
	if (config->capture.follow)
		stop_on_signals();
	config->stop = &stop;
	config->progress = isatty(STDERR_FILENO) ? draw_progress : NULL;
	config->progress_ctx = &s->line;
	int rc = s->options.db ? open_store(s, config, &error) : 0;
	if (!rc)
		rc = analysis_open(&s->analysis, s->line.env, config, &error);
	if (rc)
		cli_complain(&error, NULL);
	return rc;
}

int cli_analyze(const struct command *self, int argc, char **argv)
{
	struct session s = { .line = { .env = env_system() }, .json_fd = -1 };
	int status = analyze_options_parse(self, argc, argv, &s.options);
	if (!status)
		status = list_files(&s) || open_json(&s) || open_analysis(&s) ? EXIT_FAILED + 1 : 0;
	status = status ? status - 1 : analyze_all(&s);
	if (close_json(&s) && !status)
		status = EXIT_FAILED;
	analysis_close(s.analysis);
	ingest_close(s.ingest);
	enrich_close(s.enrich);
	path_list_fini(&s.paths);
	analyze_options_fini(&s.options);
	return status;
}
