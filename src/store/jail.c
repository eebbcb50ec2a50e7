#include "store/jail.h"

#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A sanitizer reserves terabytes of addresses for its shadow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOUND_ADDRESSES false
#elif defined(__has_feature)
#define BOUND_ADDRESSES !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define BOUND_ADDRESSES true
#endif

static int set_limits(const struct jail *j)
{
	int rc = sandbox_limit(RLIMIT_CORE, 0);
	if (!rc && BOUND_ADDRESSES)
		rc = sandbox_limit(RLIMIT_AS, j->memory);
	return rc ? rc : sandbox_limit(RLIMIT_CPU, j->seconds);
}

#define WRITE (SANDBOX_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

static int allow_folder(int rules, const char *folder, uint64_t access)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, folder, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = sandbox_allow(rules, fd, access);
	syscall(SYS_close, fd);
	return rc;
}

static int lock_files(const struct jail *j)
{
	int rules, rc = sandbox_rules(&rules);
	if (rc || rules < 0)
		return rc;
	rc = allow_folder(rules, j->readable, SANDBOX_READ);
	if (!rc)
		rc = allow_folder(rules, j->temporary, SANDBOX_READ | WRITE);
	/* Pipes and sockets cannot be opened by a path and are refused here: nothing is lost. */
	int refused = sandbox_allow(rules, j->out, SANDBOX_WRITE_FILE);
	(void)refused;
	return rc ? rc : sandbox_lock_files(rules);
}

/* ---- The system calls ---- */
#ifdef SANDBOX_ARCHITECTURE
/* No way to another process, another machine or another program. */
static const uint32_t never[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto, SYS_sendmsg,
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill,
	SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_mount, SYS_umount2, SYS_unshare,
	SYS_setns, SYS_chroot, SYS_pivot_root, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_keyctl,
	SYS_add_key, SYS_request_key, SYS_open_by_handle_at, SYS_shmget, SYS_msgget, SYS_semget, SYS_memfd_create,
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
};

static int lock_calls(void)
{
	return sandbox_lock_calls(&(struct sandbox_calls){ never, sizeof never / sizeof *never }, 1);
}
#else
static int lock_calls(void) { return 0; } /* no list for this machine: Landlock and the limits remain */
#endif

int jail_enter(const struct jail *j, struct error *e)
{
	int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0) ? -errno : 0;
	if (!rc)
		rc = set_limits(j);
	if (!rc)
		rc = lock_files(j);
	if (!rc)
		rc = lock_calls();
	return rc ? error_set(e, rc, "MON-STO-114", "the process of the query cannot be locked in: %s", strerror(-rc)) : 0;
}
