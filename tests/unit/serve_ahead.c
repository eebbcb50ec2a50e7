/* What is asked before anybody waits, with a clock of the test's own: a commit is shown when its answers are there, or after a
 * minute; until then, and for what is late, the commit before is answered from. And whose turn it is at the reader.
 *
 * Mutants it kills: a commit that is shown at once, one that is never shown while a query hangs, what is late and never asked
 * for again, queries that take long in all places, those that wait in the place of what is asked ahead, pages' own that are
 * asked for each commit though nobody watches, a store that is ready before what pages ask of its first rows is there.
 */
#include "serve/answers.h"
#include "serve/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define AS_OF INT64_C(1795500060) /* 2026-11-24T06:01:00Z */

static int64_t clock_ns;
static struct env fake;
static struct serve_config config;
static struct server *s;
static int reader; /* the other end */
static struct message got;

static int64_t monotonic(const struct env *e)
{
	(void)e;
	return clock_ns;
}

static int begin(void **state)
{
	(void)state;
	int pair[2];
	fake = *env_system();
	fake.monotonic = monotonic;
	clock_ns = 1000 * SECOND;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return -1;
	config = (struct serve_config){ .reader_fd = pair[0], .live_fd = -1, .packets_fd = -1, .version = "0" };
	reader = pair[1];
	s = calloc(1, sizeof *s);
	s->env = &fake;
	s->config = &config;
	results_init(&s->results, &fake, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	results_fini(&s->results);
	free(s);
	close(config.reader_fd);
	close(reader);
	return 0;
}

static void tell(const char *commit, int64_t as_of)
{
	static struct message m;
	char text[MOMENTS_TEXT], first[MOMENTS_TEXT];
	message_begin(&m, "store");
	message_add(&m, "start");
	message_add(&m, MESSAGE_VERSION);
	message_add(&m, commit);
	message_add(&m, as_of ? moments_format(as_of, text) : "");
	message_add(&m, moments_format(AS_OF - 7 * MOMENTS_DAY, first));
	message_add(&m, "0");
	assert_int_equal(message_send(reader, &m, -1, false), 0);
	asks_receive(s);
}

/* The next query that the reader is asked; its id, 0: none. */
static uint64_t next_asked(void)
{
	uint64_t id = 0;
	int rc = message_receive(&fake, reader, &got);
	if (rc == 1 && message_is(&got, "ask", 2))
		assert_true(message_number(got.field[1], &id));
	return id;
}

static void answer(uint64_t id)
{
	static struct message m;
	int fd = memfd_create("rows", 0);
	assert_int_equal(write(fd, "[]", 2), 2);
	message_begin(&m, "answer");
	message_add_number(&m, id);
	message_add(&m, "commit");
	message_add_number(&m, 0);
	message_add_number(&m, 0);
	assert_int_equal(message_send(reader, &m, fd, false), 0);
	close(fd);
	asks_receive(s);
}

/* Answers all that is asked; how many. */
static unsigned answer_all(void)
{
	unsigned n = 0;
	for (uint64_t id; (id = next_asked()); n++)
		answer(id);
	return n;
}

static struct values values_of(const char *from)
{
	struct values v;
	struct error e;
	values_begin(&v, &resources[1]); /* /v1/rate */
	assert_int_equal(values_take(&v, "from", from, &e), 0);
	assert_int_equal(values_end(&v, s->shown.as_of, &e), 0);
	return v;
}

/* Asks as a browser does, which waits if it must. */
static struct result *ask(struct request *q, const char *from)
{
	bool is_new;
	struct values v = values_of(from);
	s->asked = clock_ns;
	struct result *r = results_of(&s->results, &v, s->commits);
	if (r) {
		results_take(r, clock_ns);
		r->overdue |= r->generation < s->commits;
	} else {
		asks_write(&s->message, &v, NULL, false);
		r = results_find(&s->results, &s->message, s->commits, clock_ns, &is_new);
		assert_true(r && is_new);
		asks_describe(s, r, &v, &s->shown);
	}
	*q = (struct request){ .server = s, .result = r };
	if (r->state == RESULT_WAITING) {
		q->next = r->waiting;
		r->waiting = q;
	}
	return r;
}

/* The pages' own are there, and one more. */
static void warm(struct request *q)
{
	tell("1", AS_OF);
	assert_int_equal(s->shown.as_of, AS_OF);
	assert_false(s->warm);
	assert_int_equal(answer_all(), n_standing);
	assert_true(s->warm);
	ask(q, "-5h");
	asks_send(s);
	assert_int_equal(answer_all(), 1);
}

static void a_commit_is_shown_with_its_answers(void **state)
{
	(void)state;
	struct request q, again;
	warm(&q);
	tell("2", AS_OF + 60);
	uint64_t id = next_asked();
	assert_true(id != 0);
	assert_int_equal(next_asked(), 0); /* one at a time */
	assert_int_equal(s->shown.as_of, AS_OF);
	struct result *r = ask(&again, "-5h");
	assert_ptr_equal(r, q.result);
	assert_int_equal(r->as_of, AS_OF);
	asks_leave(&again);
	answer(id);
	assert_int_equal(answer_all(), n_standing);
	assert_int_equal(s->shown.as_of, AS_OF + 60);
	r = ask(&again, "-5h");
	assert_true(r->state == RESULT_READY && r->as_of == AS_OF + 60);
	asks_leave(&again);
	assert_int_equal(q.result->as_of, AS_OF); /* whoever holds the one before keeps it */
	asks_leave(&q);
}

/* A store without rows has nothing to be asked for, which says nothing of the first rows: shown late, they are not ready. */
static void the_first_rows_are_ready_with_their_answers(void **state)
{
	(void)state;
	tell("1", 0);
	unsigned known = answer_all(); /* what is of no span */
	assert_true(known < n_standing && ahead_ready(s));
	tell("2", AS_OF);
	assert_true(next_asked() != 0);
	clock_ns += 61 * SECOND;
	asks_tick(s, clock_ns);
	assert_int_equal(s->shown.as_of, AS_OF);
	assert_false(ahead_ready(s));
	clock_ns += 1;
	asks_tick(s, clock_ns);
	struct values v;
	struct error e;
	assert_int_equal(standing_values(0, AS_OF, &v, &e), 0); /* /v1/status: what it was without rows is not said of these */
	assert_int_equal(results_of(&s->results, &v, s->commits)->state, RESULT_WAITING);
	assert_int_equal(answer_all(), n_standing);
	assert_true(ahead_ready(s));
}

static void what_is_late_is_given_of_the_commit_before(void **state)
{
	(void)state;
	struct request q, again;
	warm(&q);
	asks_leave(&q);
	tell("2", AS_OF + 60);
	uint64_t hangs = next_asked(), news = s->news;
	clock_ns += 61 * SECOND;
	asks_tick(s, clock_ns);
	assert_int_equal(s->shown.as_of, AS_OF + 60);
	assert_true(s->news > news);
	struct result *r = ask(&again, "-5h");
	assert_true(r->state == RESULT_READY && r->as_of == AS_OF);
	asks_leave(&again);
	/* The one that hung is given up after its time; all others come, and listeners hear of it. */
	news = s->news;
	clock_ns += 1;
	(void)hangs;
	asks_tick(s, clock_ns);
	assert_true(answer_all() >= n_standing - 1);
	assert_int_equal(s->news, news + 1);
	r = ask(&again, "-5h");
	assert_true(r->state == RESULT_READY && r->as_of == AS_OF + 60);
	asks_leave(&again);
}

static void nobody_watches(void **state)
{
	(void)state;
	struct request q;
	warm(&q);
	asks_leave(&q);
	clock_ns += 200 * SECOND;
	tell("2", AS_OF + 60);
	assert_int_equal(answer_all(), 0);
	assert_int_equal(s->shown.as_of, AS_OF + 60);
	clock_ns += 500 * SECOND;
	tell("3", AS_OF + 120);
	assert_int_equal(answer_all(), n_standing);
}

#define CROWD 40
static void turns_are_taken(void **state)
{
	(void)state;
	struct request q, crowd[CROWD], quick;
	unsigned n = 0;
	char from[20];
	warm(&q);
	asks_leave(&q);
	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(from, sizeof from, "-%ud", 300 + i); /* long: whatever they take, they are held to */
		ask(&crowd[i], from);
	}
	asks_send(s);
	while (next_asked())
		n++;
	assert_int_equal(n, 1);
	ask(&quick, "-7h");
	asks_send(s);
	assert_int_equal(next_asked(), quick.result->id);
	tell("2", AS_OF + 60); /* what is asked ahead has a place of its own */
	uint64_t ahead = next_asked();
	assert_true(ahead && ahead == s->ahead.asking);
	assert_int_equal(next_asked(), 0);
	/* Who goes away before his turn is forgotten. */
	unsigned before = s->results.n;
	for (unsigned i = 0; i < CROWD; i++)
		asks_leave(&crowd[i]);
	assert_int_equal(s->results.n, before - (CROWD - 1));
	asks_leave(&quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commit_is_shown_with_its_answers, begin, end),
		cmocka_unit_test_setup_teardown(the_first_rows_are_ready_with_their_answers, begin, end),
		cmocka_unit_test_setup_teardown(what_is_late_is_given_of_the_commit_before, begin, end),
		cmocka_unit_test_setup_teardown(nobody_watches, begin, end),
		cmocka_unit_test_setup_teardown(turns_are_taken, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
