/* tests/golden/classes.txt and rules.txt row by row: packet in, verdict out. make_classes.py there says what the columns mean.
 *
 * Mutants this kills, each tried once: RST no reply, ACK no probe, a FIN in an access, TCP to multicast counted, own
 * addresses or an unknown NAT not asked in the hot path, the NAT map not applied, quotes not translated or their test
 * inverted, QUIC's label or nonce, a DNS reply believed by its port alone, NTP's port or length, SNMP's report, uTP's
 * delay, an id of 19 bytes, eDonkey's end or operation, bounds of tags and bogons, fields of each evidence rule. */
#include "base/env.h"
#include "classify/classify.h"
#include "packet/decode.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COLUMNS 8
#define PREFIXES 8

enum column { WHAT, SCOPE, CLASS, REASON, FLAGS, TAGS, RULES, HEX };

static size_t hex_read(const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;
	for (; text[0] && text[1] && n < room; text += 2) {
		unsigned byte;
		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

struct setting {
	struct scope scope;
	struct prefix monitored[PREFIXES], own[PREFIXES];
	struct nat nat[PREFIXES];
	uint8_t marks;
	uint32_t wire;
};

static void must_parse(const char *text, struct prefix *out)
{
	struct error e = { 0 };
	if (prefix_parse(text, out, &e))
		fail_msg("%s: %s", text, e.text);
}

static void setting_word(struct setting *s, char *word)
{
	struct scope *scope = &s->scope;
	if (!strncmp(word, "monitored=", 10)) {
		must_parse(word + 10, &s->monitored[scope->n_monitored++]);
	} else if (!strncmp(word, "own=", 4)) {
		must_parse(word + 4, &s->own[scope->n_own++]);
	} else if (!strncmp(word, "nat=", 4)) {
		char *public = strchr(word + 4, '=');
		*public = 0;
		public++;
		must_parse(word + 4, &s->nat[scope->n_nat].captured);
		must_parse(public, &s->nat[scope->n_nat++].public);
	} else if (!strncmp(word, "wire=", 5)) {
		s->wire = (uint32_t)atoi(word + 5);
	} else if (!strcmp(word, "nat_unknown")) {
		scope->nat_unknown = true;
	} else if (!strcmp(word, "outgoing")) {
		s->marks |= FRAME_OUTGOING;
	} else if (!strcmp(word, "own")) {
		s->marks |= FRAME_OWN;
	} else {
		assert_string_equal(word, "-");
	}
}

static void setting_read(struct setting *s, char *text)
{
	memset(s, 0, sizeof *s);
	s->scope.monitored = s->monitored;
	s->scope.own = s->own;
	s->scope.nat = s->nat;
	char *rest = text;
	for (char *word; (word = strsep(&rest, " "));)
		setting_word(s, word);
}

static void name_add(char *out, const char *name)
{
	if (*out)
		strcat(out, ",");
	strcat(out, name);
}

static void flags_text(char *out, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ VERDICT_ACCESS, "access" },
		{ VERDICT_UDP_UNSURE, "udp_unsure" },
		{ VERDICT_PROBE, "probe" },
		{ VERDICT_QUOTE_MISMATCH, "quote_mismatch" },
		{ VERDICT_CANNOT_TELL, "cannot_tell" },
	};
	*out = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (flags & names[i].flag)
			name_add(out, names[i].name);
	if (!*out)
		strcpy(out, "-");
}

static void verdict_text(const struct verdict *v, char flags[200], char tags[300], char rules[300])
{
	flags_text(flags, v->flags);
	*tags = *rules = 0;
	for (unsigned i = 0; i < 16; i++)
		if (v->tags >> i & 1)
			name_add(tags, tag_name((enum tag)(1u << i)));
	for (unsigned i = 0; i < RULE_COUNT; i++)
		if (v->rules >> i & 1)
			name_add(rules, rule_name((enum rule)i));
	if (!*tags)
		strcpy(tags, "-");
	if (!*rules)
		strcpy(rules, "-");
}

static struct verdict row_verdict(char **column)
{
	static const struct decode_config config = { 0 };
	static uint8_t bytes[2048], scratch[1][32];
	struct setting s;
	struct classify *c;
	struct error e = { 0 };
	struct packet packet;
	struct verdict v;

	setting_read(&s, column[SCOPE]);
	struct frame frame = { .data = bytes, .link = 101, .marks = s.marks };
	frame.caplen = (uint32_t)hex_read(column[HEX], bytes, sizeof bytes);
	frame.wirelen = s.wire ? s.wire : frame.caplen;
	decode_frames(&config, &frame, &packet, 1);
	assert_int_equal(classify_open(&c, env_system(), &s.scope, &e), 0);
	memset(&v, 0xee, sizeof v);
	classify_packets(c, &packet, &v, 1, scratch);
	classify_close(c);
	return v;
}

static bool row_holds(char **column)
{
	char flags[200], tags[300], rules[300];
	struct verdict v = row_verdict(column);
	verdict_text(&v, flags, tags, rules);
	const char *class = class_name((enum packet_class)v.class), *reason = reason_name((enum verdict_reason)v.reason);
	bool same = !strcmp(class, column[CLASS]) && !strcmp(reason, column[REASON]) && !strcmp(flags, column[FLAGS]) &&
	            !strcmp(tags, column[TAGS]) && !strcmp(rules, column[RULES]);
	if (!same)
		print_error("%s\n  expected %s %s %s %s %s\n  got      %s %s %s %s %s\n", column[WHAT], column[CLASS],
		            column[REASON], column[FLAGS], column[TAGS], column[RULES], class, reason, flags, tags, rules);
	return same;
}

struct tally {
	unsigned rows, wrong;
	unsigned classes; /* bit c: a row of that class */
	unsigned rules;   /* bit r: a row that matches it */
};

static void tally_row(struct tally *t, char **column)
{
	t->rows++;
	t->wrong += !row_holds(column);
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		t->classes |= !strcmp(class_name((enum packet_class)i), column[CLASS]) ? 1u << i : 0;
	for (unsigned i = 0; i < RULE_COUNT; i++)
		t->rules |= strstr(column[RULES], rule_name((enum rule)i)) ? 1u << i : 0;
}

static struct tally golden_check(const char *path)
{
	static char line[8192];
	struct tally t = { 0 };
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		char *column[COLUMNS], *rest = line;
		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = 0;
		for (unsigned i = 0; i < COLUMNS; i++)
			assert_non_null(column[i] = strsep(&rest, "\t"));
		tally_row(&t, column);
	}
	fclose(file);
	print_message("%u rows\n", t.rows);
	assert_int_equal(t.wrong, 0);
	return t;
}

static void test_classes(void **state)
{
	(void)state;
	struct tally t = golden_check(SOURCE_DIR "/tests/golden/classes.txt");
	assert_int_equal(t.classes, (1u << CLASS_COUNT) - 1);
	assert_in_range(t.rows, 300, 10000);
}

static void test_rules(void **state)
{
	(void)state;
	struct tally t = golden_check(SOURCE_DIR "/tests/golden/rules.txt");
	assert_int_equal(t.rules, (1u << RULE_COUNT) - 1);
	assert_in_range(t.rows, 40, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes), cmocka_unit_test(test_rules) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
