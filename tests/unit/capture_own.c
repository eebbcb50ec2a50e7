/* Which packets are management of the sensor: a table of what is sent and what comes, and when. */
#include "capture_help.h"
#include "capture/own_flows.h"

#define S INT64_C(1000000000)
#define HOST "\xc6\x33\x64\x01"  /* 198.51.100.1 */
#define PEER "\xcb\x00\x71\x05"  /* 203.0.113.5 */
#define OTHER "\xcb\x00\x71\x06"

enum { F = 1, SYN = 2, R = 4, A = 16, SA = 18, RA = 20 };

static struct own_flows *own;
static uint8_t bytes[400];

static struct frame frame_of(int64_t ts, const uint8_t *p, size_t n)
{
	return (struct frame){ .ts = ts, .data = p, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .link = LINK_RAW };
}

/* IPv4 header and what follows. */
static size_t put_ip4(uint8_t *p, const char *from, const char *to, uint8_t proto, size_t n)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	store_be16(p + 2, (uint16_t)(20 + n));
	p[9] = proto;
	memcpy(p + 12, from, 4);
	memcpy(p + 16, to, 4);
	return 20;
}

static size_t put_tcp(uint8_t *p, uint16_t from, uint16_t to, uint8_t flags)
{
	memset(p, 0, 20);
	store_be16(p, from);
	store_be16(p + 2, to);
	p[12] = 0x50;
	p[13] = flags;
	return 20;
}

static struct frame tcp(int64_t ts, const char *from, uint16_t sport, const char *to, uint16_t dport, uint8_t flags)
{
	size_t n = put_ip4(bytes, from, to, 6, 20);
	return frame_of(ts, bytes, n + put_tcp(bytes + n, sport, dport, flags));
}

static struct frame udp(int64_t ts, const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	size_t n = put_ip4(bytes, from, to, 17, 8);
	memset(bytes + n, 0, 8);
	store_be16(bytes + n, sport);
	store_be16(bytes + n + 2, dport);
	return frame_of(ts, bytes, n + 8);
}

static struct frame icmp(int64_t ts, const char *from, const char *to, uint8_t type, uint16_t id)
{
	size_t n = put_ip4(bytes, from, to, 1, 8);
	memset(bytes + n, 0, 8);
	bytes[n] = type;
	store_be16(bytes + n + 4, id);
	return frame_of(ts, bytes, n + 8);
}

static void sent(struct frame f) { own_flows_sent(own, &f); }

static bool came(struct frame f)
{
	uint32_t keep = 0;
	bool is = own_flows_came(own, &f, &keep);
	assert_true(!is || (keep > 0 && keep <= f.caplen));
	return is;
}

static void begin(const struct live_own *list, size_t n)
{
	struct error e;
	own_flows_close(own);
	own = NULL;
	assert_int_equal(own_flows_open(&own, env_system(), list, n, &e), 0);
}

static void a_connection_that_the_host_opened(void **state)
{
	(void)state;
	begin(NULL, 0);
	assert_false(came(tcp(0, PEER, 443, HOST, 5000, SA)));
	sent(tcp(S, HOST, 5000, PEER, 443, SYN));
	assert_true(came(tcp(2 * S, PEER, 443, HOST, 5000, SA)));
	assert_true(came(tcp(301 * S, PEER, 443, HOST, 5000, A)));
	assert_false(came(tcp(302 * S, PEER, 443, HOST, 5000, A)));
	assert_false(came(tcp(3 * S, OTHER, 443, HOST, 5000, SA)));
	assert_false(came(tcp(3 * S, PEER, 444, HOST, 5000, SA)));
	assert_false(came(tcp(3 * S, PEER, 443, HOST, 5001, SA)));
	assert_false(came(udp(3 * S, PEER, 443, HOST, 5000)));
	sent(tcp(300 * S, HOST, 5000, PEER, 443, A)); /* the flow lives on */
	assert_true(came(tcp(600 * S, PEER, 443, HOST, 5000, A)));
	sent(tcp(901 * S, HOST, 5000, PEER, 443, A)); /* too late: who knows what this is */
	assert_false(came(tcp(902 * S, PEER, 443, HOST, 5000, A)));
}

static void answering_opens_nothing(void **state)
{
	(void)state;
	begin(NULL, 0);
	assert_false(came(tcp(S, PEER, 4000, HOST, 22, SYN)));
	sent(tcp(S, HOST, 22, PEER, 4000, RA));
	assert_false(came(tcp(2 * S, PEER, 4000, HOST, 22, SYN)));
	assert_false(came(udp(S, PEER, 4000, HOST, 53)));
	sent(udp(S, HOST, 53, PEER, 4000));
	assert_false(came(udp(2 * S, PEER, 4000, HOST, 53)));
	assert_false(came(icmp(S, PEER, HOST, 8, 77)));
	sent(icmp(S, HOST, PEER, 0, 77));
	assert_false(came(icmp(2 * S, PEER, HOST, 0, 77)));
}

static void answers_to_our_syn_ack(void **state)
{
	(void)state;
	begin(NULL, 0);
	assert_false(came(tcp(S, PEER, 4000, HOST, 22, SYN)));
	sent(tcp(S, HOST, 22, PEER, 4000, SA));
	assert_false(came(tcp(2 * S, PEER, 4000, HOST, 22, A)));
	assert_true(came(tcp(2 * S, PEER, 4000, HOST, 22, R)));
	assert_true(came(tcp(121 * S, PEER, 4000, HOST, 22, R)));
	assert_false(came(tcp(122 * S, PEER, 4000, HOST, 22, R)));
	assert_false(came(tcp(2 * S, PEER, 4001, HOST, 22, R)));
}

static void datagrams_and_requests(void **state)
{
	(void)state;
	begin(NULL, 0);
	sent(udp(S, HOST, 5000, PEER, 53));
	assert_true(came(udp(2 * S, PEER, 53, HOST, 5000)));
	assert_false(came(udp(302 * S, PEER, 53, HOST, 5000)));
	sent(icmp(S, HOST, PEER, 8, 77));
	assert_true(came(icmp(2 * S, PEER, HOST, 0, 77)));
	assert_false(came(icmp(2 * S, PEER, HOST, 0, 78)));
	assert_false(came(icmp(2 * S, PEER, HOST, 8, 77)));
}

/* An error that quotes a packet of a flow. */
static bool quoted(uint8_t type, const char *from, uint16_t sport, const char *to, uint16_t dport, size_t n_quoted)
{
	uint8_t p[100];
	size_t n = put_ip4(p, OTHER, HOST, 1, 8 + n_quoted);
	memset(p + n, 0, 8);
	p[n] = type;
	put_ip4(p + n + 8, from, to, 6, 20);
	put_tcp(p + n + 28, sport, dport, SYN);
	return came(frame_of(2 * S, p, n + 8 + n_quoted));
}

static void errors_about_own_flows(void **state)
{
	(void)state;
	begin(NULL, 0);
	sent(tcp(S, HOST, 5000, PEER, 443, SYN));
	assert_true(quoted(3, HOST, 5000, PEER, 443, 28));
	assert_true(quoted(11, HOST, 5000, PEER, 443, 24));
	assert_false(quoted(11, HOST, 5000, PEER, 443, 23)); /* its ports are cut */
	assert_false(quoted(3, HOST, 5001, PEER, 443, 28));
	assert_false(quoted(3, PEER, 443, HOST, 5000, 28));
	assert_false(quoted(5, HOST, 5000, PEER, 443, 28)); /* redirect: no error */
}

static void listed(void **state)
{
	(void)state;
	struct live_own list[2] = { { .proto = 6, .port = 22 } };
	struct error e;
	assert_int_equal(prefix_parse("203.0.113.6", &list[1].peer, &e), 0);
	begin(list, 2);
	assert_true(came(tcp(S, PEER, 4000, HOST, 22, SYN)));
	assert_false(came(udp(S, PEER, 4000, HOST, 22)));
	assert_false(came(tcp(S, PEER, 22, HOST, 4000, SYN)));
	assert_true(came(tcp(S, OTHER, 4000, HOST, 23, SYN)));
	assert_true(came(icmp(S, OTHER, HOST, 8, 1)));
	assert_false(came(icmp(S, PEER, HOST, 8, 1)));
}

static void lists_are_read(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", ",", "tcp/22,", ",tcp/22", "tcp/0", "tcp/65536", "tcp/", "tcp/-1", "tcp/22x",
		                             "tcp/22@", "udp/1@192.0.2.1/8", "icmp/8", "192.0.2", "tcp/22,tcp/23,tcp/24,tcp/25" };
	struct live_own list[3];
	struct error e;
	size_t n;
	assert_int_equal(live_own_parse("tcp/22,udp/161@192.0.2.0/24,2001:db8::7", list, 3, &n, &e), 0);
	assert_int_equal(n, 3);
	assert_true(list[0].proto == 6 && list[0].port == 22 && !list[0].peer.version);
	assert_true(list[1].proto == 17 && list[1].port == 161 && list[1].peer.version == 4 && list[1].peer.bits == 24);
	assert_true(!list[2].proto && !list[2].port && list[2].peer.version == 6 && list[2].peer.bits == 128);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_true(live_own_parse(wrong[i], list, 3, &n, &e) < 0);
}

static void tags_ipv6_and_what_is_kept(void **state)
{
	(void)state;
	uint8_t p[120] = { 0 };
	uint32_t keep;
	begin(NULL, 0);
	store_be16(p + 12, 0x88a8);
	store_be16(p + 16, 0x8100);
	store_be16(p + 20, 0x86dd);
	p[22] = 0x60;
	p[28] = 6;
	p[22 + 23] = 1; /* source ::1… */
	p[22 + 39] = 2;
	put_tcp(p + 62, 5000, 443, SYN);
	struct frame f = { .ts = S, .data = p, .caplen = 82, .wirelen = 82, .link = LINK_ETHERNET };
	own_flows_sent(own, &f);
	p[22 + 23] = 2;
	p[22 + 39] = 1;
	put_tcp(p + 62, 443, 5000, SA);
	assert_true(own_flows_came(own, &f, &keep));
	assert_int_equal(keep, 66);
	p[22 + 39] = 3;
	assert_false(own_flows_came(own, &f, &keep));
}

/* Many flows: the latest are known, memory stays what it was. And any bytes at all are looked at safely. */
static void floods_and_garbage(void **state)
{
	(void)state;
	uint64_t dice = 1;
	unsigned known = 0;
	begin(NULL, 0);
	for (uint32_t i = 0; i < 100000; i++)
		sent(tcp(S + i, HOST, (uint16_t)i, i >> 16 ? PEER : OTHER, 443, SYN));
	for (uint32_t i = 99000; i < 100000; i++)
		known += came(tcp(2 * S, PEER, 443, HOST, (uint16_t)i, SA));
	assert_int_equal(known, 1000);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t *p = malloc(80); /* where a read too far is seen */
		size_t n = i % 80;
		for (size_t k = 0; k < n; k++) {
			dice = dice * 6364136223846793005u + 1442695040888963407u;
			p[k] = (uint8_t)(dice >> 56);
		}
		if (n > 0)
			p[0] = i & 1 ? 0x45 : 0x60;
		if (n > 9)
			p[9] = i & 2 ? 1 : 6;
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, p, n);
		struct frame f = frame_of(S, exact, n);
		own_flows_sent(own, &f);
		came(f);
		free(exact);
		free(p);
	}
	own_flows_close(own);
	own = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_the_host_opened),
		cmocka_unit_test(answering_opens_nothing),
		cmocka_unit_test(answers_to_our_syn_ack),
		cmocka_unit_test(datagrams_and_requests),
		cmocka_unit_test(errors_about_own_flows),
		cmocka_unit_test(listed),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(tags_ipv6_and_what_is_kept),
		cmocka_unit_test(floods_and_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
