#include "store/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* A sanitizer reserves terabytes of addresses for its shadow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOUND_ADDRESSES false
#elif defined(__has_feature)
#define BOUND_ADDRESSES !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define BOUND_ADDRESSES true
#endif

static int set_limit(int what, rlim_t most)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r))
		return -errno;
	r.rlim_max = most < r.rlim_max ? most : r.rlim_max;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) ? -errno : 0;
}

static int set_limits(const struct jail *j)
{
	int rc = set_limit(RLIMIT_CORE, 0);
	if (!rc && BOUND_ADDRESSES)
		rc = set_limit(RLIMIT_AS, j->memory);
	return rc ? rc : set_limit(RLIMIT_CPU, j->seconds);
}

/* ---- Landlock: the files ---- */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITING_A_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define WRITING (WRITING_A_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define FIRST_VERSION ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* everything that Linux 5.13 can refuse */

static uint64_t handled(long version)
{
	return FIRST_VERSION | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

static int allow_descriptor(int rules, int fd, uint64_t access)
{
	const struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = fd };
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ? -errno : 0;
}

static int allow_folder(int rules, const char *folder, uint64_t access)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, folder, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = allow_descriptor(rules, fd, access);
	syscall(SYS_close, fd);
	return rc;
}

static int lock_files(const struct jail *j)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return 0;
	uint64_t all = handled(version);
	const struct landlock_ruleset_attr attr = { .handled_access_fs = all };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (rules < 0)
		return -errno;
	int rc = allow_folder(rules, j->readable, READING);
	if (!rc)
		rc = allow_folder(rules, j->temporary, (READING | WRITING) & all);
	/* Pipes and sockets cannot be opened by a path and are refused here: nothing is lost. */
	allow_descriptor(rules, j->out, WRITING_A_FILE & all);
	if (!rc && syscall(SYS_landlock_restrict_self, rules, 0))
		rc = -errno;
	syscall(SYS_close, rules);
	return rc;
}

/* ---- seccomp: the system calls ---- */
#ifdef ARCHITECTURE
/* No way to another process, another machine or another program. */
static const uint32_t refused[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto, SYS_sendmsg,
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill,
	SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_mount, SYS_umount2, SYS_unshare,
	SYS_setns, SYS_chroot, SYS_pivot_root, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_keyctl,
	SYS_add_key, SYS_request_key, SYS_open_by_handle_at, SYS_shmget, SYS_msgget, SYS_semget, SYS_memfd_create,
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define NOT_EQUAL_SKIPS(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)

static size_t make_filter(struct sock_filter *f)
{
	const struct sock_filter head[] = {
		LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
		/* x86-64's second set of numbers */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM),
		/* glibc then makes its threads by clone, whose flags can be read here */
		NOT_EQUAL_SKIPS(SYS_clone3, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
		NOT_EQUAL_SKIPS(SYS_clone, 4), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
		ANSWER(SECCOMP_RET_ERRNO | EPERM), ANSWER(SECCOMP_RET_ALLOW),
	};
	size_t n = LENGTH(head);
	memcpy(f, head, sizeof head);
	for (size_t i = 0; i < LENGTH(refused); i++) {
		f[n++] = (struct sock_filter)NOT_EQUAL_SKIPS(refused[i], 1);
		f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | EPERM);
	}
	f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	return n;
}

static int lock_calls(void)
{
	struct sock_filter filter[16 + 2 * LENGTH(refused)];
	const struct sock_fprog program = { .len = (unsigned short)make_filter(filter), .filter = filter };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
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
