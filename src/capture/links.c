#include "capture/format.h"
#include "capture/capture.h"

#include <pcap/pcap.h>
#include <stdio.h>

/* Link types whose DLT_ value on Linux is another number; the values below 104 predate the common numbering. */
static const struct {
	uint16_t link;
	uint16_t dlt;
} renumbered[] = {
	{ 100, DLT_ATM_RFC1483 }, { 101, DLT_RAW }, { 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS }, { 106, DLT_ATM_CLIP },
	{ 246, DLT_PFSYNC },
};

uint16_t link_normal(uint16_t link)
{
	switch (link) {
	case 11: /* DLT_ATM_RFC1483 */
		return LINK_ATM_RFC1483;
	case 12: /* DLT_RAW, but on OpenBSD */
	case 14: /* DLT_RAW there */
		return LINK_RAW;
	default:
		return link;
	}
}

int link_dlt(uint16_t link)
{
	for (size_t i = 0; i < sizeof renumbered / sizeof *renumbered; i++)
		if (renumbered[i].link == link)
			return renumbered[i].dlt;
	return link;
}

/* The limits of libpcap (pcap-common.c, max_snaplen_for_dlt): the greatest message of the protocol where that is known
 * to be large, else 256 KiB, which is what makes a wild length recognisable. */
uint32_t link_max_length(uint16_t link)
{
	switch (link) {
	case 231: /* DBUS */
	case 189: /* USB_LINUX */
	case 220: /* USB_LINUX_MMAPPED */
	case 249: /* USBPCAP */
	case 266: /* USB_DARWIN */
		return 128u << 20;
	case 279: /* EBHSCR */
		return 8u << 20;
	default:
		return 256u << 10;
	}
}

const char *capture_link_name(uint16_t link, char scratch[static 24])
{
	const char *name = pcap_datalink_val_to_name(link_dlt(link));
	if (name)
		return name;
	snprintf(scratch, 24, "LINKTYPE_%u", link);
	return scratch;
}
