#include "capture/live.h"
#include "base/bytes.h"
#include "capture/format.h"
#include "capture/own_flows.h"
#include "capture/ring.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SECOND INT64_C(1000000000)
#define JUMP SECOND                     /* what the clocks may come apart between two looks: NTP slews by 0.5 ms a second */
#define LAG INT64_C(150000000)          /* ns: when nothing waits, all packets up to so long ago have been seen */
#define LOOK SECOND                     /* between two looks at the interface */
#define EARLIEST (600 * SECOND)         /* how far back packets that wait in the ring at the start are believed */

struct live {
	const struct env *env;
	int socket;
	struct ring ring;
	struct pieces *pieces;
	struct own_flows *own;
	char name[IF_NAMESIZE];
	uint32_t snap;
	uint16_t link;
	uint8_t mac[6];
	bool has_mac;
	int64_t offset;   /* of the two clocks, at the last look */
	int64_t looked;   /* monotonic: at the interface */
	bool drained;
	bool failed;      /* the socket told of an error */
	uint64_t counted; /* packets that the kernel says it put into the ring; fewer than taken where others read it before */
	uint64_t taken;   /* from the ring */
	struct live_status status;
};

/* --- packets --- */

/* The kernel takes the tag out of the frame; it goes back where it was. The headroom is ours. */
static void put_tag(const struct ring_packet *p, struct frame *f)
{
	bool valid = p->header->tp_status & TP_STATUS_VLAN_VALID || p->header->hv1.tp_vlan_tci;
	if (!valid || f->link != LINK_ETHERNET || f->caplen < 12)
		return;
	uint16_t type = p->header->tp_status & TP_STATUS_VLAN_TPID_VALID ? p->header->hv1.tp_vlan_tpid : 0;
	uint8_t *data = p->data - RING_HEADROOM;
	memmove(data, p->data, 12);
	store_be16(data + 12, type ? type : 0x8100);
	store_be16(data + 14, (uint16_t)p->header->hv1.tp_vlan_tci);
	f->data = data;
	f->caplen += 4;
	f->wirelen += 4;
}

static bool is_sent(const struct live *l, const struct ring_packet *p, const struct frame *f)
{
	return p->type == PACKET_OUTGOING || (l->has_mac && f->caplen >= 12 && !memcmp(f->data + 6, l->mac, 6));
}

static void take_packet(struct live *l, const struct ring_packet *p)
{
	struct frame f = { .ts = p->header->tp_sec * SECOND + p->header->tp_nsec, .data = p->data, .caplen = p->caplen,
		           .wirelen = p->header->tp_len, .link = l->link };
	uint32_t keep;
	l->taken++;
	put_tag(p, &f);
	if (is_sent(l, p, &f)) {
		own_flows_sent(l->own, &f);
		l->status.outgoing++;
		return;
	}
	l->status.received++;
	if (own_flows_came(l->own, &f, &keep)) {
		f.caplen = keep < f.caplen ? keep : f.caplen;
		f.marks = FRAME_OWN;
		l->status.own++;
	}
	pieces_frame(l->pieces, &f);
}

static int64_t block_last(const struct ring_block *b)
{
	const struct tpacket_bd_ts *t = &b->desc->hdr.bh1.ts_last_pkt;
	return t->ts_sec * SECOND + t->ts_nsec;
}

/* `now` bounds what a packet's stamp is believed of the time that has passed. */
static void take_block(struct live *l, struct ring_block *b, int64_t now)
{
	struct ring_packet p;
	int more = b->begun ? -1 : 0;
	while (!b->begun && (more = ring_next(b, &p)) > 0)
		take_packet(l, &p);
	int64_t last = block_last(b);
	last = last < now ? last : now;
	if (more < 0) {
		l->status.broken += b->left;
		pieces_lost(l->pieces, last, b->left);
	}
	pieces_clock(l->pieces, last);
}

/* At most once around, so that a flood keeps nobody from being asked to stop. */
static bool take_blocks(struct live *l, int64_t now)
{
	struct ring_block b;
	for (uint32_t i = 0; i < l->ring.blocks; i++) {
		if (!ring_take(&l->ring, &b))
			return true;
		take_block(l, &b, now);
		ring_give(&l->ring, &b);
	}
	return false;
}

static void take_drops(struct live *l, int64_t now)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t n = sizeof s;
	if (getsockopt(l->socket, SOL_PACKET, PACKET_STATISTICS, &s, &n))
		return;
	l->status.kernel_dropped += s.tp_drops;
	l->counted += s.tp_packets - s.tp_drops;
	pieces_lost(l->pieces, now - LAG, s.tp_drops);
}

/* --- the interface --- */

/* Its address as the socket knows it; -ENODEV: it is gone. */
static int look_socket(const struct live *l, struct sockaddr_ll *out, struct error *e)
{
	socklen_t n = sizeof *out;
	if (getsockname(l->socket, (struct sockaddr *)out, &n))
		return error_set(e, -errno, "MON-CAP-064", "the packet socket tells nothing: %s", strerror(errno));
	if (out->sll_family != AF_PACKET || out->sll_ifindex <= 0)
		return error_set(e, -ENODEV, "MON-CAP-064", "interface %s is gone", l->name);
	return 0;
}

static int look_interface(struct live *l, struct error *e)
{
	struct sockaddr_ll where;
	struct ifreq r = { 0 };
	int rc = look_socket(l, &where, e);
	if (rc)
		return rc;
	r.ifr_ifindex = where.sll_ifindex;
	if (ioctl(l->socket, SIOCGIFNAME, &r))
		return error_set(e, -ENODEV, "MON-CAP-064", "interface %s is gone", l->name);
	if (!l->pieces) /* then another thread reads it */
		memcpy(l->name, r.ifr_name, sizeof l->name);
	bool told = !ioctl(l->socket, SIOCGIFFLAGS, &r);
	l->status.up = told && (r.ifr_flags & IFF_UP) && (r.ifr_flags & IFF_RUNNING);
	return 0;
}

/* After an error of the socket (the interface went down, or away), and once a second. */
static int look(struct live *l, int64_t monotonic, struct error *e)
{
	if (l->failed) {
		int reason;
		socklen_t n = sizeof reason;
		(void)getsockopt(l->socket, SOL_SOCKET, SO_ERROR, &reason, &n);
	} else if (monotonic - l->looked < LOOK) {
		return 0;
	}
	l->failed = false;
	l->looked = monotonic;
	return look_interface(l, e);
}

/* --- steps --- */

static int64_t clocks(struct live *l, int64_t *monotonic)
{
	int64_t now = l->env->realtime(l->env);
	*monotonic = l->env->monotonic(l->env);
	int64_t offset = now - *monotonic, moved = offset - l->offset;
	l->offset = offset;
	if (moved > JUMP || moved < -JUMP) {
		l->status.clock_jumps++;
		pieces_restart(l->pieces, now - LAG);
	}
	return now;
}

static void wait_for(struct live *l, int wait)
{
	struct pollfd p = { .fd = l->socket, .events = POLLIN };
	int64_t ts;
	if (ring_first(&l->ring, &ts))
		return;
	if (poll(&p, 1, wait) > 0 && p.revents & (POLLERR | POLLHUP | POLLNVAL))
		l->failed = true;
}

int live_step(struct live *l, int wait, struct error *e)
{
	int64_t monotonic;
	l->drained = false;
	wait_for(l, wait);
	int64_t now = clocks(l, &monotonic);
	bool was_up = l->status.up;
	int rc = look(l, monotonic, e);
	if (rc)
		return rc;
	bool drained = take_blocks(l, now);
	take_drops(l, now);
	if (!was_up || !l->status.up)
		pieces_blind(l->pieces, now - LAG);
	else if (drained)
		pieces_clock(l->pieces, now - LAG);
	return 0;
}

void live_mode(struct live *l, enum answer_mode mode) { pieces_mode(l->pieces, mode); }

void live_status(struct live *l, struct live_status *out)
{
	pieces_status(l->pieces, &l->status.pieces);
	*out = l->status;
}

/* --- all of it --- */

static int describe(struct live *l, struct error *e)
{
	struct sockaddr_ll where;
	int rc = look_socket(l, &where, e);
	if (rc)
		return rc;
	int link = live_link_of(where.sll_hatype);
	if (link < 0)
		return error_set(e, -EPROTONOSUPPORT, "MON-CAP-062", "the interface is of a kind (%u) that monomi cannot read live",
		                 where.sll_hatype);
	l->link = (uint16_t)link;
	static const uint8_t none[6];
	l->has_mac = link == LINK_ETHERNET && where.sll_halen == 6 && memcmp(where.sll_addr, none, 6) != 0;
	memcpy(l->mac, where.sll_addr, 6);
	return look_interface(l, e);
}

static int open_pieces(struct live *l, const struct live_config *config, struct error *e)
{
	int64_t now = l->env->realtime(l->env), from = now - LAG, waits;
	if (ring_first(&l->ring, &waits) && waits < from && waits > now - EARLIEST)
		from = waits;
	if (config->opened > from && config->opened <= now) /* the ring's first block is older than what fills it */
		from = config->opened;
	struct pieces_config pieces = { .folder = config->folder, .writer = (uint64_t)now, .link = l->link,
		                        .snap = config->snap ? config->snap : LIVE_SNAP, .interface = l->name,
		                        .application = config->application, .background = true, .memory = config->memory };
	l->offset = now - l->env->monotonic(l->env);
	return pieces_open(&l->pieces, l->env, &pieces, from, e);
}

static void release(struct live *l)
{
	ring_unmap(&l->ring);
	own_flows_close(l->own);
	env_free(l->env, l, sizeof *l);
}

int live_open(struct live **out, const struct env *env, const struct live_config *config, struct error *e)
{
	struct live *l = env_alloc(env, sizeof *l);
	if (!l)
		return error_no_memory(e, "capturing");
	l->env = env;
	l->socket = config->socket;
	snprintf(l->name, sizeof l->name, "?");
	int rc = describe(l, e);
	if (!rc)
		rc = own_flows_open(&l->own, env, config->own, config->n_own, e);
	if (!rc)
		rc = ring_map(&l->ring, l->socket, config->ring, e);
	if (!rc)
		rc = open_pieces(l, config, e);
	if (rc) {
		release(l);
		return rc;
	}
	*out = l;
	return 0;
}

void live_drain(struct live *l)
{
	struct error ignored;
	int64_t begin = l->env->monotonic(l->env), passed = 0;
	take_drops(l, l->env->realtime(l->env));
	uint64_t until = l->counted;
	while (passed < 2 * RING_RETIRE * (SECOND / 1000) || (l->taken < until && passed < SECOND)) {
		if (live_step(l, RING_RETIRE / 2, &ignored))
			break;
		passed = l->env->monotonic(l->env) - begin;
	}
	l->drained = true;
}

int live_close(struct live *l, struct error *e)
{
	if (!l->drained)
		live_drain(l);
	int rc = pieces_close(l->pieces, e);
	release(l);
	return rc;
}
