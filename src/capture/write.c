/* pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng. Little-endian, nanoseconds. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_createCCtx_advanced */
#include "capture/write.h"
#include "base/bytes.h"
#include "capture/format.h"
#include "capture/pcapng.h"
#include "capture/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#define BUFFER (256u << 10)
#define ZSTD_LEVEL 1 /* keeps pace with the writer of most disks; captures shrink to about a quarter */

struct capture_writer {
	const struct env *env;
	int fd;
	bool owns_fd;
	bool pcap;
	bool simulated;
	bool sync;
	uint32_t interfaces;
	uint16_t link; /* of pcap */
	uint64_t bytes;

	uint8_t *buffer;
	size_t size, n;

	struct unpack_memory memory; /* of zstd */
	ZSTD_CCtx *zstd;
	uint8_t *packed;
	size_t packed_size;
};

/* --- bytes out --- */

static int write_failed(int rc, struct error *e)
{
	return error_set(e, rc, "MON-CAP-041", "the capture cannot be written: %s", strerror(-rc));
}

static int write_all(const struct capture_writer *w, const uint8_t *p, size_t n, struct error *e)
{
	while (n) {
		ssize_t put = w->env->write(w->env, w->fd, p, n);
		if (put == -EINTR)
			continue;
		if (put <= 0)
			return write_failed(put ? (int)put : -ENOSPC, e);
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static int write_packed(struct capture_writer *w, ZSTD_EndDirective end, struct error *e)
{
	ZSTD_inBuffer in = { w->buffer, w->n, 0 };
	size_t left;
	do {
		ZSTD_outBuffer out = { w->packed, w->packed_size, 0 };
		left = ZSTD_compressStream2(w->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return w->memory.refused ? error_no_memory(e, "compressing a capture") : write_failed(-EIO, e);
		int rc = write_all(w, w->packed, out.pos, e);
		if (rc)
			return rc;
	} while (end == ZSTD_e_continue ? in.pos < in.size : left);
	return 0;
}

static int write_buffer(struct capture_writer *w, ZSTD_EndDirective end, struct error *e)
{
	int rc = w->zstd ? write_packed(w, end, e) : write_all(w, w->buffer, w->n, e);
	w->bytes += w->n;
	w->n = 0;
	return rc;
}

/* Room for n bytes in the buffer, which grows for a single large record. */
static int reserve(struct capture_writer *w, size_t n, struct error *e)
{
	if (LIKELY(n <= w->size - w->n))
		return 0;
	int rc = write_buffer(w, ZSTD_e_continue, e);
	if (rc || n <= w->size)
		return rc;
	uint8_t *p = env_alloc(w->env, n);
	if (!p)
		return error_no_memory(e, "writing a large packet");
	env_free(w->env, w->buffer, w->size);
	w->buffer = p;
	w->size = n;
	return 0;
}

/* --- pcapng --- */

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_ENHANCED = 6 };
enum { SHB_COMMENT = 1, SHB_HARDWARE = 2, SHB_APPLICATION = 4, IF_NAME = 2, IF_TSRESOL = 9, IF_FCSLEN = 13,
       EPB_COMMENT = 1, EPB_FLAGS = 2, ISB_COMMENT = 1, ISB_START = 2, ISB_END = 3, ISB_RECEIVED = 4, ISB_DROPPED = 5 };
#define TEXT_MAX 4096u /* of one option that is a text */

static size_t padded(size_t n) { return (n + 3) & ~(size_t)3; }

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	store_le32(p, v);
	return p + 4;
}

static uint8_t *put_option(uint8_t *p, uint16_t code, const void *value, size_t n)
{
	store_le16(p, code);
	store_le16(p + 2, (uint16_t)n);
	memset(p + 4 + n, 0, padded(n) - n);
	memcpy(p + 4, value, n);
	return p + 4 + padded(n);
}

static uint8_t *put_text(uint8_t *p, uint16_t code, const char *text)
{
	size_t n = text ? strnlen(text, TEXT_MAX) : 0;
	return n ? put_option(p, code, text, n) : p;
}

/* Times in options are two halves, the higher first. */
static uint8_t *put_moment(uint8_t *p, uint16_t code, int64_t ns)
{
	uint64_t v = (uint64_t)ns;
	uint32_t halves[2] = { (uint32_t)(v >> 32), (uint32_t)v };
	return put_option(p, code, halves, sizeof halves);
}

static void end_block(struct capture_writer *w, uint8_t *start, uint8_t *p)
{
	p = put32(p, 0); /* end of options */
	uint32_t total = (uint32_t)(p - start) + 4;
	store_le32(start + 4, total);
	put32(p, total);
	w->n += total;
}

static int write_section(struct capture_writer *w, const struct capture_write_config *config, struct error *e)
{
	int rc = reserve(w, 4 * TEXT_MAX, e);
	if (rc)
		return rc;
	uint8_t *start = w->buffer + w->n, *p = put32(start, BLOCK_SECTION) + 4;
	p = put32(put32(p, 0x1a2b3c4d), 1); /* byte order, version 1.0 */
	memset(p, 0xff, 8); /* length of the section: not told */
	p += 8;
	if (config->simulated) {
		p = put_text(p, SHB_COMMENT, CAPTURE_SIMULATED);
		p = put_text(p, SHB_HARDWARE, CAPTURE_SIMULATED);
	}
	p = put_text(p, SHB_COMMENT, config->comment);
	p = put_text(p, SHB_APPLICATION, config->application);
	end_block(w, start, p);
	return 0;
}

static void write_interface(struct capture_writer *w, const struct capture_interface *i)
{
	uint8_t *start = w->buffer + w->n, *p = put32(start, BLOCK_INTERFACE) + 4;
	p = put32(put32(p, i->link), i->snap);
	p = put_text(p, IF_NAME, i->name);
	p = put_option(p, IF_TSRESOL, "\x09", 1);
	if (i->fcs_len)
		p = put_option(p, IF_FCSLEN, &i->fcs_len, 1);
	end_block(w, start, p);
}

#define ENHANCED 28 /* type, length, interface, time, two lengths */

static uint8_t *put_enhanced(uint8_t *p, uint32_t id, const struct frame *f)
{
	uint64_t units = (uint64_t)f->ts;
	store_le32(p, BLOCK_ENHANCED);
	store_le32(p + 8, id);
	store_le32(p + 12, (uint32_t)(units >> 32));
	store_le32(p + 16, (uint32_t)units);
	store_le32(p + 20, f->caplen);
	store_le32(p + 24, f->wirelen);
	uint8_t *data = p + ENHANCED;
	if (padded(f->caplen) != f->caplen)
		store_le32(data + padded(f->caplen) - 4, 0);
	if (f->caplen)
		memcpy(data, f->data, f->caplen);
	return data + padded(f->caplen);
}

static void write_marks(struct capture_writer *w, uint8_t *start, uint8_t *p, uint8_t marks)
{
	uint32_t flags = 2; /* direction: outbound */
	if (marks & FRAME_OWN)
		p = put_text(p, EPB_COMMENT, CAPTURE_OWN);
	if (marks & FRAME_OUTGOING)
		p = put_option(p, EPB_FLAGS, &flags, 4);
	end_block(w, start, p);
}

static void write_enhanced(struct capture_writer *w, uint32_t id, const struct frame *f)
{
	uint8_t *start = w->buffer + w->n, *p = put_enhanced(start, id, f);
	if (UNLIKELY(f->marks & (FRAME_OUTGOING | FRAME_OWN))) {
		write_marks(w, start, p, f->marks);
		return;
	}
	uint32_t total = (uint32_t)(p - start) + 4;
	store_le32(start + 4, total);
	store_le32(p, total);
	w->n += total;
}

/* --- pcap --- */

#define PCAP_RECORD 16

static void write_file_header(struct capture_writer *w, const struct capture_interface *i)
{
	uint8_t *p = w->buffer + w->n;
	p = put32(p, 0xa1b23c4d); /* nanoseconds */
	store_le16(p, 2);
	store_le16(p + 2, 4);
	p = put32(put32(p + 4, 0), w->simulated ? PCAP_SIMULATED : 0);
	p = put32(p, i->snap ? i->snap : 262144);
	uint32_t fcs = i->fcs_len / 2u;
	p = put32(p, i->link | (fcs ? 1u << 26 | fcs << 28 : 0));
	w->n = (size_t)(p - w->buffer);
}

static void write_record(struct capture_writer *w, const struct frame *f)
{
	uint8_t *p = w->buffer + w->n;
	store_le32(p, (uint32_t)(f->ts / 1000000000));
	store_le32(p + 4, (uint32_t)(f->ts % 1000000000));
	store_le32(p + 8, f->caplen);
	store_le32(p + 12, f->wirelen);
	if (f->caplen)
		memcpy(p + PCAP_RECORD, f->data, f->caplen);
	w->n += PCAP_RECORD + f->caplen;
}

/* --- the writer --- */

static bool ends_in(const char *text, size_t n, const char *end)
{
	size_t m = strlen(end);
	return n >= m && memcmp(text + n - m, end, m) == 0;
}

void capture_write_by_name(struct capture_write_config *config, const char *path)
{
	size_t n = strlen(path);
	config->zstd = ends_in(path, n, ".zst");
	config->pcap = ends_in(path, config->zstd ? n - 4 : n, ".pcap");
}

static int prepare_zstd(struct capture_writer *w, struct error *e)
{
	w->memory = (struct unpack_memory){ .env = w->env, .limit = SIZE_MAX / 2 };
	w->packed_size = ZSTD_CStreamOutSize();
	w->packed = env_alloc(w->env, w->packed_size);
	w->zstd = ZSTD_createCCtx_advanced((ZSTD_customMem){ unpack_piece_alloc, unpack_piece_free, &w->memory });
	if (!w->packed || !w->zstd)
		return error_no_memory(e, "compressing a capture");
	size_t rc = ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	if (!ZSTD_isError(rc))
		rc = ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	return ZSTD_isError(rc) ? error_no_memory(e, "compressing a capture") : 0;
}

static int prepare(struct capture_writer *w, const char *path, const struct capture_write_config *config,
                   struct error *e)
{
	w->size = BUFFER;
	w->buffer = env_alloc(w->env, w->size);
	if (!w->buffer)
		return error_no_memory(e, "writing a capture");
	int rc = config->zstd ? prepare_zstd(w, e) : 0;
	if (rc)
		return rc;
	w->fd = 1;
	if (strcmp(path, "-")) {
		w->fd = w->env->open(w->env, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (w->fd < 0)
			return error_set(e, w->fd, "MON-CAP-040", "cannot be created: %s", strerror(-w->fd));
		w->owns_fd = true;
	}
	return w->pcap ? 0 : write_section(w, config, e);
}

int capture_writer_open(struct capture_writer **out, const struct env *env, const char *path,
                        const struct capture_write_config *config, struct error *e)
{
	*out = NULL;
	struct capture_writer *w = env_alloc(env, sizeof *w);
	if (!w)
		return error_no_memory(e, "writing a capture");
	w->env = env;
	w->pcap = config->pcap;
	w->simulated = config->simulated;
	w->sync = config->sync;
	int rc = prepare(w, path, config, e);
	if (rc) {
		(void)!capture_writer_close(w, true, NULL);
		return rc;
	}
	*out = w;
	return 0;
}

int capture_writer_interface(struct capture_writer *w, const struct capture_interface *i, uint32_t *id,
                             struct error *e)
{
	if (w->pcap && w->interfaces && w->link != i->link)
		return error_set(e, -EINVAL, "MON-CAP-042", "pcap holds one link type, these frames have several: write pcapng");
	int rc = reserve(w, 2 * TEXT_MAX, e);
	if (rc)
		return rc;
	if (!w->pcap)
		write_interface(w, i);
	else if (!w->interfaces)
		write_file_header(w, i);
	w->link = i->link;
	*id = w->interfaces++;
	return 0;
}

int capture_writer_frame(struct capture_writer *w, uint32_t id, const struct frame *f, struct error *e)
{
	if (UNLIKELY(f->ts < 0 || (w->pcap && f->ts / 1000000000 > UINT32_MAX)))
		return error_set(e, -ERANGE, "MON-CAP-043", "a packet's time cannot be written in this format");
	int rc = reserve(w, (size_t)f->caplen + 128, e);
	if (UNLIKELY(rc))
		return rc;
	if (w->pcap)
		write_record(w, f);
	else
		write_enhanced(w, id, f);
	return 0;
}

static uint8_t *put_mode(uint8_t *p, enum answer_mode mode)
{
	char text[64];
	snprintf(text, sizeof text, CAPTURE_ANSWERS "%s", mode ? mode_name(mode) : "");
	return mode ? put_text(p, ISB_COMMENT, text) : p;
}

int capture_writer_observed(struct capture_writer *w, uint32_t id, const struct capture_observed *o, struct error *e)
{
	if (w->pcap)
		return 0;
	int rc = reserve(w, 256, e);
	if (rc)
		return rc;
	uint8_t *start = w->buffer + w->n, *p = put32(put32(start, BLOCK_STATISTICS) + 4, id);
	p = put32(put32(p, (uint32_t)((uint64_t)o->to >> 32)), (uint32_t)o->to);
	p = put_moment(put_moment(p, ISB_START, o->from), ISB_END, o->to);
	p = put_option(p, ISB_RECEIVED, &o->received, 8);
	p = put_option(p, ISB_DROPPED, &o->dropped, 8);
	end_block(w, start, put_mode(p, o->mode));
	return 0;
}

int capture_writer_flush(struct capture_writer *w, struct error *e) { return write_buffer(w, ZSTD_e_flush, e); }

uint64_t capture_writer_bytes(const struct capture_writer *w) { return w->bytes + w->n; }

int capture_writer_close(struct capture_writer *w, bool discard, struct error *e)
{
	if (!w)
		return 0;
	int rc = discard ? 0 : write_buffer(w, ZSTD_e_end, e);
	if (w->sync && !rc && !discard) {
		rc = w->env->fsync(w->env, w->fd);
		rc = rc ? write_failed(rc, e) : 0;
	}
	int closed = w->owns_fd ? w->env->close(w->env, w->fd) : 0;
	if (closed && !rc && !discard)
		rc = write_failed(closed, e);
	ZSTD_freeCCtx(w->zstd);
	env_free(w->env, w->packed, w->packed_size);
	env_free(w->env, w->buffer, w->size);
	env_free(w->env, w, sizeof *w);
	return rc;
}
