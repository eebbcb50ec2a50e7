/* Opening the socket: the one thing of a capture that wants rights. */
#include "capture/format.h"
#include "capture/live.h"
#include "capture/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define AHEAD 5 /* instructions before the user's */

/* LINKTYPE_ of what a raw packet socket of such hardware gives; -1: one that monomi does not read live. */
int live_link_of(uint16_t hardware)
{
	switch (hardware) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK: return LINK_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP: return LINK_RAW;
	}
	return -1;
}

/* What the host sends passes always, as it tells which flows are own; so do frames whose tag the kernel took out: what the
 * filter means of them can only be told when it is back, which is for whoever reads the piece. Then comes the user's
 * filter. A filter's result is how much of a packet is kept. */
static int attach(int fd, const struct bpf_program *user, uint32_t snap, const char *interface, struct error *e)
{
	struct sock_filter code[BPF_MAXINSNS] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, snap),
	};
	if (user->bf_len > BPF_MAXINSNS - AHEAD)
		return error_set(e, -E2BIG, "MON-CAP-063", "the filter is too long for the kernel");
	_Static_assert(sizeof *code == sizeof *user->bf_insns, "libpcap's instructions are the kernel's");
	memcpy(code + AHEAD, user->bf_insns, user->bf_len * sizeof *code);
	struct sock_fprog program = { (unsigned short)(user->bf_len + AHEAD), code };
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
		return error_set(e, -errno, "MON-CAP-063", "the kernel refuses the filter on %s: %s", interface, strerror(errno));
	return 0;
}

static int set_filter(int fd, const struct live_socket_config *config, int link, struct error *e)
{
	uint32_t snap = config->snap ? config->snap : LIVE_SNAP;
	struct bpf_program program;
	pcap_t *pcap = pcap_open_dead(link_dlt((uint16_t)link), (int)snap);
	if (!pcap)
		return error_no_memory(e, "compiling the filter");
	int rc;
	if (pcap_compile(pcap, &program, config->filter ? config->filter : "", 1, PCAP_NETMASK_UNKNOWN)) {
		rc = error_set(e, -EINVAL, "MON-CAP-007", "the filter does not compile: %s", pcap_geterr(pcap));
	} else {
		rc = attach(fd, &program, snap, config->interface, e);
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return rc;
}

static int find_interface(int fd, const char *name, int *index, int *link, struct error *e)
{
	struct ifreq r = { 0 };
	size_t n = strlen(name);
	if (n >= sizeof r.ifr_name)
		return error_set(e, -ENODEV, "MON-CAP-061", "there is no interface %s", name);
	memcpy(r.ifr_name, name, n);
	if (ioctl(fd, SIOCGIFINDEX, &r))
		return error_set(e, -errno, "MON-CAP-061", "there is no interface %s", name);
	*index = r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &r))
		return error_set(e, -errno, "MON-CAP-061", "interface %s tells nothing of its kind: %s", name, strerror(errno));
	*link = live_link_of(r.ifr_hwaddr.sa_family);
	if (*link < 0)
		return error_set(e, -EPROTONOSUPPORT, "MON-CAP-062", "interface %s is of a kind (%u) that monomi cannot read live",
		                 name, r.ifr_hwaddr.sa_family);
	return 0;
}

static int bind_to(int fd, const struct live_socket_config *config, int index, struct error *e)
{
	struct packet_mreq all = { .mr_ifindex = index, .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index };
	if (config->promiscuous && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all))
		return error_set(e, -errno, "MON-CAP-063", "%s cannot be made promiscuous: %s", config->interface, strerror(errno));
	if (bind(fd, (struct sockaddr *)&where, sizeof where))
		return error_set(e, -errno, "MON-CAP-063", "cannot listen on %s: %s", config->interface, strerror(errno));
	return 0;
}

int live_socket_open(int *out, const struct env *env, const struct live_socket_config *config, struct error *e)
{
	int index = 0, link = 0;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* of no protocol: nothing comes before the filter is set */
	if (fd < 0)
		return error_set(e, -errno, "MON-CAP-060", "capturing wants the right to (CAP_NET_RAW): %s", strerror(errno));
	int rc = find_interface(fd, config->interface, &index, &link, e);
	if (!rc)
		rc = ring_prepare(fd, config->ring, e);
	if (!rc)
		rc = set_filter(fd, config, link, e);
	if (!rc)
		rc = bind_to(fd, config, index, e);
	if (rc) {
		env->close(env, fd);
		return rc;
	}
	*out = fd;
	return 0;
}

int live_socket_filter(int fd, const struct live_socket_config *config, struct error *e)
{
	int index = 0, link = 0;
	int rc = find_interface(fd, config->interface, &index, &link, e);
	return rc ? rc : set_filter(fd, config, link, e);
}
