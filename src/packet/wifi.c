/* IEEE 802.11 and the headers that capture programs put before it: radiotap, Prism, AVS. Only data frames that are not
 * encrypted and not fragments carry anything that can be read; the rest is the network's own talk. */
#include "packet/walk.h"

enum { FLAG_TO_DS = 0x01, FLAG_FROM_DS = 0x02, FLAG_MORE_FRAGMENTS = 0x04, FLAG_PROTECTED = 0x40, FLAG_ORDER = 0x80 };
enum { RADIOTAP_PADDED = 0x20 };

static enum layer wifi_payload(struct walk *w, const uint8_t *h, bool qos)
{
	if (h[1] & FLAG_PROTECTED)
		return walk_end(w, PACKET_UNSUPPORTED);
	if (h[1] & FLAG_MORE_FRAGMENTS || load_le16(h + 22) & 15)
		return walk_end(w, PACKET_UNSUPPORTED);
	if (qos)
		cursor_skip(&w->c, 14); /* A-MSDU: the first subframe's addresses and length */
	if (cursor_left(&w->c) < 3 && !walk_wire_left(w))
		return walk_local(w); /* data frames without data keep associations alive */
	return walk_next(w, LAYER_LLC);
}

static enum layer wifi_data(struct walk *w, const uint8_t *h, bool padded)
{
	unsigned length = 24, subtype = h[0] >> 4;
	bool aggregate = false;

	if ((h[1] & 3) == (FLAG_TO_DS | FLAG_FROM_DS))
		length += 6;
	if (subtype & 8) {
		const uint8_t *p = h + length;
		if (cursor_left(&w->c) >= length - 24 + 2)
			aggregate = p[0] & 0x80;
		length += h[1] & FLAG_ORDER ? 6 : 2; /* QoS control, and HT control where the order bit says so */
	}
	if (padded)
		length = (length + 3) & ~3u;
	if (subtype & 4) /* null function */
		return walk_local(w);
	cursor_skip(&w->c, length - 24);
	return cursor_ok(&w->c) ? wifi_payload(w, h, aggregate) : walk_end(w, PACKET_SHORT);
}

static enum layer wifi_frame(struct walk *w, bool padded)
{
	enum { TYPE_DATA = 2 };

	if (cursor_left(&w->c) < 2)
		return walk_end(w, PACKET_SHORT);
	if ((*w->c.p >> 2 & 3) != TYPE_DATA)
		return walk_local(w);
	const uint8_t *h = cursor_take(&w->c, 24);
	return h ? wifi_data(w, h, padded) : walk_end(w, PACKET_SHORT);
}

enum layer wifi_layer(struct walk *w)
{
	return wifi_frame(w, false);
}

/* The flags of a radiotap header: the first field but for the time, behind one or more words of presence bits. */
static uint8_t radiotap_flags(const uint8_t *h, size_t n)
{
	uint32_t present = load_le32(h + 4);
	size_t at = 4;
	uint32_t word;

	do {
		if (n - at < 4)
			return 0;
		word = load_le32(h + at);
		at += 4;
	} while (word & 0x80000000);
	if (present & 1)
		at = (at + 7) / 8 * 8 + 8;
	return present & 2 && at < n ? h[at] : 0;
}

enum layer radiotap_layer(struct walk *w)
{
	size_t left = cursor_left(&w->c);
	const uint8_t *h = w->c.p;

	if (left < 8)
		return walk_end(w, PACKET_SHORT);
	uint16_t length = load_le16(h + 2);
	if (length < 8)
		return walk_end(w, PACKET_MALFORMED);
	if (length > left)
		return walk_end(w, PACKET_SHORT);
	cursor_skip(&w->c, length);
	return wifi_frame(w, radiotap_flags(h, length) & RADIOTAP_PADDED);
}

/* Both begin with a magic number and their own length; what is called Prism is often AVS. */
enum layer avs_layer(struct walk *w)
{
	const uint8_t *h = w->c.p;

	if (cursor_left(&w->c) < 8)
		return walk_end(w, PACKET_SHORT);
	uint32_t length = load_be32(h + 4);
	if (length < 8)
		return walk_end(w, PACKET_MALFORMED);
	cursor_skip(&w->c, length);
	return walk_next(w, LAYER_WIFI);
}

enum layer prism_layer(struct walk *w)
{
	const uint8_t *h = w->c.p;

	if (cursor_left(&w->c) < 8)
		return walk_end(w, PACKET_SHORT);
	if (load_be32(h) >> 12 == 0x80211)
		return LAYER_AVS;
	uint32_t length = load_le32(h + 4);
	if (length < 8 || length > 4096)
		length = load_be32(h + 4);
	if (length < 8)
		return walk_end(w, PACKET_MALFORMED);
	cursor_skip(&w->c, length);
	return walk_next(w, LAYER_WIFI);
}
