/* What a request says becomes moments and values in one form, or is refused; messages are whole or none.
 *
 * Mutants it kills: a day of February too many, an offset with the wrong sign, a span that is not whole, a cursor that is
 * believed, a field without its end.
 */
#include "serve/message.h"
#include "serve/results.h"
#include "serve/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AS_OF INT64_C(1795500060) /* 2026-11-24T06:01:00Z */

static void moments_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "2026-11-24T06:01:00Z", AS_OF }, { "2026-11-24", 1795478400 }, { "2026-11-24T15:01:00+09:00", AS_OF },
		{ "2026-11-24 06:01", AS_OF }, { "2026-11-24T06:01:00.999Z", AS_OF }, { "2026-11-23T22:01:00-08:00", AS_OF },
		{ "1970-01-01T00:00:00Z", 0 }, { "2024-02-29", 1709164800 }, { "-24h", AS_OF - 86400 }, { "-90m", AS_OF - 5400 },
		{ "-1d", AS_OF - 86400 }, { "2026-02-29", -1 }, { "2100-02-29", -1 }, { "2026-00-01", -1 }, { "2026-11-31", -1 },
		{ "2026-11-24T24:00:00Z", -1 }, { "2026-11-24T06:60:00Z", -1 }, { "2026-11-24T06:01:00Zx", -1 }, { "-24", -1 },
		{ "-h", -1 }, { "--1h", -1 }, { "-1w", -1 }, { "-99999999d", -1 }, { "", -1 }, { "1969-12-31", -1 },
		{ "1970-01-01T00:00:00+01:00", -1 }, { "2090-01-01", -1 }, { "2026-11-24T06:01:00+9:00", -1 }, { "2026-11-24T", -1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t got = -1;
		bool read = moments_parse(cases[i].text, AS_OF, &got);
		if (read != (cases[i].want >= 0) || (read && got != cases[i].want))
			fail_msg("'%s': %d %lld", cases[i].text, read, (long long)got);
	}
}

static void moments_are_written(void **state)
{
	(void)state;
	char text[MOMENTS_TEXT];
	assert_string_equal(moments_format(AS_OF, text), "2026-11-24T06:01:00Z");
	assert_string_equal(moments_format(0, text), "1970-01-01T00:00:00Z");
}

static int take(struct values *v, const char *path, const char *const *pairs, struct error *e)
{
	struct part parts[RESOURCE_PARTS];
	unsigned n;
	const struct resource *x = resources_find(path, parts, &n);
	assert_non_null(x);
	values_begin(v, x);
	int rc = 0;
	for (; *pairs && !rc; pairs += 2)
		rc = values_take(v, pairs[0], pairs[1], e);
	return rc ? rc : values_end(v, AS_OF, e);
}
#define TAKE(v, path, ...) take(v, path, (const char *const[]){ __VA_ARGS__, NULL }, &e)

static void spans_are_whole(void **state)
{
	(void)state;
	struct values v;
	struct error e;
	assert_int_equal(TAKE(&v, "/v1/ports", "sensor", "roof"), 0);
	assert_int_equal(v.to, AS_OF);
	assert_int_equal(v.from, AS_OF - 86400);
	assert_int_equal(v.before, AS_OF - 2 * 86400);
	assert_false(v.by_day);
	assert_int_equal(TAKE(&v, "/v1/ports", "from", "2026-11-20T13:00:30Z", "to", "2026-11-23T01:00:00Z"), 0);
	assert_true(v.by_day);
	assert_int_equal(v.from, 1795132800); /* 2026-11-20 */
	assert_int_equal(v.to, 1795478400);   /* 2026-11-24 */
	assert_int_equal(v.before, v.from - 4 * 86400);
	assert_int_equal(TAKE(&v, "/v1/ports", "from", "-10d", "to", "2027-01-01"), 0);
	assert_int_equal(v.to, AS_OF);
	assert_int_equal(v.from % 86400, 0);
	assert_int_equal(TAKE(&v, "/v1/tools", "from", "-300d"), 0);
	assert_int_equal(v.from, 1795564800 - 7 * 86400);
	assert_int_equal(TAKE(&v, "/v1/rate", "from", "2026-11-24T05:31:00Z", "step", "hour"), 0);
	assert_int_equal(v.from, 1795496400); /* 05:00 */
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	struct values v;
	struct error e;
	assert_int_equal(TAKE(&v, "/v1/ports", "nothing", "1"), -EINVAL);
	assert_string_equal(e.code, "MON-SRV-105");
	assert_int_equal(TAKE(&v, "/v1/ports", "limit", "5", "limit", "5"), -EINVAL);
	assert_string_equal(e.code, "MON-SRV-105");
	assert_int_equal(TAKE(&v, "/v1/ports", "from", "2026-11-24", "to", "2026-11-24"), -EINVAL);
	assert_int_equal(TAKE(&v, "/v1/rate", "from", "-100d", "step", "minute"), -EINVAL);
	assert_int_equal(TAKE(&v, "/v1/search", "from", "-1d"), -EINVAL);
	assert_int_equal(TAKE(&v, "/v1/ports", "cursor", "1.2.3x"), -EINVAL);
	assert_int_equal(TAKE(&v, "/v1/ports", "cursor", "5.4.3"), -EINVAL);
	assert_int_equal(TAKE(&v, "/v1/ports", "cursor", "4.5.1000001"), -EINVAL);
}

static void cursors_come_back(void **state)
{
	(void)state;
	struct values v, w;
	struct error e;
	char cursor[CURSOR_TEXT];
	assert_int_equal(TAKE(&v, "/v1/ports", "from", "-5h", "limit", "7"), 0);
	values_cursor(&v, 14, cursor);
	assert_int_equal(TAKE(&w, "/v1/ports", "cursor", cursor), 0);
	assert_int_equal(w.from, v.from);
	assert_int_equal(w.to, v.to);
	assert_int_equal(w.before, v.before);
	assert_int_equal(w.offset, 14);
}

static void values_have_one_form(void **state)
{
	(void)state;
	struct values v;
	struct error e;
	assert_int_equal(TAKE(&v, "/v1/sources", "country", "jp", "as", "007", "tool", "zmap"), 0);
	assert_string_equal(values_text(&v, "country"), "JP");
	assert_string_equal(values_text(&v, "as"), "7");
	assert_null(values_text(&v, "port"));
	assert_null(values_text(&v, "step"));
	assert_int_equal(TAKE(&v, "/v1/ip/2001:DB8::0:1", "address", "2001:DB8::0:1"), 0);
	assert_string_equal(values_text(&v, "address"), "2001:db8::1");
}

static void paths_find_their_resource(void **state)
{
	(void)state;
	struct part parts[RESOURCE_PARTS];
	unsigned n;
	assert_string_equal(resources_find("/v1/ports/tcp/23/history", parts, &n)->path, "/v1/ports/{protocol}/{port}/history");
	assert_int_equal(n, 2);
	assert_int_equal(parts[0].n, 3);
	assert_memory_equal(parts[1].p, "23", 2);
	assert_string_equal(resources_find("/v1/ports", parts, &n)->path, "/v1/ports");
	assert_null(resources_find("/v1/ports/", parts, &n));
	assert_null(resources_find("/v1/ports/tcp/", parts, &n));
	assert_null(resources_find("/v1/ports//23", parts, &n));
	assert_null(resources_find("/v1/ports/tcp/23/history/", parts, &n));
	assert_null(resources_find("", parts, &n));
	assert_null(resources_find("/", parts, &n));
}

static struct message sent, got;

static void messages_are_whole(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
	} broken[] = { { "ask\0" "1", 5 }, { "x", 1 } };
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(message_receive(env_system(), pair[1], &got), -EAGAIN);
	message_begin(&sent, "ask");
	message_add_number(&sent, UINT64_MAX);
	message_add(&sent, "");
	assert_int_equal(message_send(pair[0], &sent, STDERR_FILENO, true), 0);
	assert_int_equal(message_receive(env_system(), pair[1], &got), 1);
	assert_true(message_is(&got, "ask", 3));
	assert_false(message_is(&got, "ask", 4));
	assert_string_equal(got.field[1], "18446744073709551615");
	assert_string_equal(got.field[2], "");
	assert_true(got.fd > STDERR_FILENO);
	close(got.fd);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_int_equal(send(pair[0], broken[i].bytes, broken[i].n, 0), (ssize_t)broken[i].n);
		assert_int_equal(message_receive(env_system(), pair[1], &got), -EPROTO);
	}
	message_begin(&sent, "ask");
	for (unsigned i = 0; i < MESSAGE_FIELDS; i++)
		message_add(&sent, "x");
	assert_int_equal(message_send(pair[0], &sent, -1, true), -E2BIG);
	close(pair[0]);
	assert_int_equal(message_receive(env_system(), pair[1], &got), 0);
	close(pair[1]);
}

static struct result *find(struct results *c, const char *query, uint64_t generation, bool *is_new)
{
	message_begin(&sent, query);
	return results_find(c, &sent, generation, 1, is_new);
}

static void results_last_as_long_as_their_commit(void **state)
{
	(void)state;
	struct results c;
	bool is_new;
	results_init(&c, env_system(), 7);
	struct result *a = find(&c, "a", 5, &is_new), *b = find(&c, "b", 5, &is_new);
	assert_true(is_new && a != b && a->id == 7 && b->id == 8);
	assert_ptr_equal(find(&c, "a", 5, &is_new), a);
	assert_false(is_new);
	assert_int_equal(a->given, 2);
	assert_ptr_equal(results_by_id(&c, 8), b);
	a->rows = body_make(env_system(), 100);
	results_settle(a, RESULT_READY);
	assert_int_equal(c.bytes, 100);
	assert_null(results_by_id(&c, 7));
	struct result *again = find(&c, "a", 6, &is_new); /* asked ahead for the next commit */
	assert_true(is_new && again != a);
	results_forget(&c, 5, INT64_MAX);
	assert_ptr_equal(find(&c, "a", 5, &is_new), a);
	results_forget(&c, 6, INT64_MAX); /* held by three, but not found any more; b waits, and what was asked ahead stays */
	assert_ptr_equal(find(&c, "a", 6, &is_new), again);
	assert_true(!is_new && c.bytes == 0);
	results_drop(again);
	results_settle(b, RESULT_FAILED);
	find(&c, "b", 6, &is_new);
	assert_true(is_new); /* a failure is not kept */
	for (unsigned i = 0; i < 3; i++)
		results_drop(a);
	results_drop(b);
	results_drop(again);
	results_drop(results_by_id(&c, again->id + 1));
	results_fini(&c);
}

/* What a request for `from` is answered with at a generation. */
static struct result *ask_of(struct results *c, const char *from, uint64_t generation, bool ready)
{
	struct values v;
	struct error e;
	bool is_new;
	char key[40];
	values_begin(&v, &resources[1]); /* /v1/rate */
	assert_int_equal(values_take(&v, "from", from, &e), 0);
	assert_int_equal(values_end(&v, 1000000 + (int64_t)generation * 60, &e), 0);
	snprintf(key, sizeof key, "%s %d", from, (int)generation);
	struct result *r = find(c, key, generation, &is_new);
	r->values = v;
	r->question = values_question(&v);
	if (ready && r->state == RESULT_WAITING) {
		r->rows = body_make(env_system(), 10);
		results_settle(r, RESULT_READY);
	}
	results_drop(r);
	return r;
}

static void the_answer_before_stands_until_the_next_is_there(void **state)
{
	(void)state;
	struct results c;
	results_init(&c, env_system(), 1);
	struct result *old = ask_of(&c, "-24h", 1, true), *other = ask_of(&c, "-25h", 1, true);
	struct values v = old->values;
	assert_ptr_equal(results_of(&c, &v, 1), old);
	struct result *next = ask_of(&c, "-24h", 2, false);
	assert_ptr_equal(results_of(&c, &v, 2), old); /* one that is waited for answers nothing */
	next->rows = body_make(env_system(), 20);
	results_settle(next, RESULT_READY);
	assert_ptr_equal(results_of(&c, &v, 1), old); /* its commit is not shown */
	assert_ptr_equal(results_of(&c, &v, 2), next);
	results_forget(&c, 2, INT64_MIN);
	assert_int_equal(c.n, 2);
	assert_ptr_equal(results_of(&c, &v, 1), NULL);
	assert_ptr_equal(results_of(&c, &other->values, 2), other);
	struct result *third = ask_of(&c, "-24h", 2, true);
	results_replace(third);
	assert_int_equal(c.n, 2);
	results_forget(&c, 3, INT64_MAX); /* too old to be given */
	assert_int_equal(c.n, 0);
	results_fini(&c);
}

/* One who asks for everything once does not drive out what is given again and again, nor what pages ask for. */
static void what_is_watched_stays(void **state)
{
	(void)state;
	struct results c;
	char from[20];
	results_init(&c, env_system(), 1);
	struct result *own = ask_of(&c, "-24h", 1, true), *watched = ask_of(&c, "-25h", 1, true);
	struct values of_own = own->values, of_watched = watched->values;
	own->standing = true;
	results_take(watched, 0);
	results_drop(watched);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(from, sizeof from, "-%um", 61 + i);
		struct result *r = ask_of(&c, from, 1, true);
		assert_non_null(r);
	}
	assert_true(c.n < 3000);
	assert_ptr_equal(results_of(&c, &of_own, 1), own);
	assert_ptr_equal(results_of(&c, &of_watched, 1), watched);
	results_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(moments_are_written),
		cmocka_unit_test(spans_are_whole),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(cursors_come_back),
		cmocka_unit_test(values_have_one_form),
		cmocka_unit_test(paths_find_their_resource),
		cmocka_unit_test(messages_are_whole),
		cmocka_unit_test(results_last_as_long_as_their_commit),
		cmocka_unit_test(the_answer_before_stands_until_the_next_is_there),
		cmocka_unit_test(what_is_watched_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
