#include "daemon/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* ---- Limits ---- */
static int set_limit(int what, rlim_t most)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r))
		return -errno;
	r.rlim_max = most < r.rlim_max ? most : r.rlim_max;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) ? -errno : 0;
}

static int set_limits(const struct confine *c)
{
	int rc = set_limit(RLIMIT_CORE, 0);
	if (!rc)
		rc = set_limit(RLIMIT_NOFILE, c->files);
	return rc;
}

/* ---- Who it is ---- */
static int set_capabilities(bool search)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	if (search)
		data[0].effective = data[0].permitted = 1u << CAP_DAC_READ_SEARCH;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int become(const struct confine *c)
{
	if (!c->uid)
		return 0;
	/* Capabilities go by capset alone then, and access(2) heeds them too, which DuckDB asks before it opens. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) || setgroups(0, NULL) ||
	    setresgid(c->gid, c->gid, c->gid) || setresuid(c->uid, c->uid, c->uid))
		return -errno;
	return set_capabilities(c->search);
}

/* ---- Landlock: the files ---- */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READING (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define WRITING (WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define FIRST_VERSION ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* everything that Linux 5.13 can refuse */

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool confine_has_landlock(void) { return landlock_version() >= 1; }

static uint64_t handled(long version)
{
	return FIRST_VERSION | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

static int allow(int rules, const char *path, uint64_t access)
{
	struct stat st;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	int rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && !S_ISDIR(st.st_mode))
		access &= READ_FILE | WRITE_FILE;
	const struct landlock_path_beneath_attr beneath = { .allowed_access = access, .parent_fd = fd };
	if (!rc && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		rc = -errno;
	syscall(SYS_close, fd);
	return rc;
}

static int allow_all(const struct confine *c, int rules, uint64_t all)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < c->n_paths; i++)
		rc = allow(rules, c->path[i].path, (c->path[i].writable ? READING | WRITING : READING) & all);
	for (size_t i = 0; !rc && i < c->n_more; i++)
		rc = allow(rules, c->more[i], READING & all);
	return rc;
}

static int lock_files(int rules)
{
	return rules < 0 ? 0 : syscall(SYS_landlock_restrict_self, rules, 0) ? -errno : 0;
}

/* The rules are made as who it was, and hold when it is somebody else. -1: no Landlock. */
static int make_rules(const struct confine *c, int *out)
{
	long version = landlock_version();
	*out = -1;
	if (version < 1)
		return 0;
	const struct landlock_ruleset_attr attr = { .handled_access_fs = handled(version) };
	*out = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	return *out < 0 ? -errno : allow_all(c, *out, attr.handled_access_fs);
}

/* ---- seccomp: the system calls ---- */
#ifdef ARCHITECTURE
/* No way to another process, another machine, another user or another program. */
static const uint32_t never[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_execve, SYS_execveat, SYS_ptrace,
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill, SYS_pidfd_open, SYS_pidfd_getfd,
	SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_mount, SYS_umount2, SYS_unshare, SYS_setns,
	SYS_chroot, SYS_pivot_root, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_keyctl, SYS_add_key,
	SYS_request_key, SYS_open_by_handle_at, SYS_shmget, SYS_msgget, SYS_semget, SYS_setuid, SYS_setgid, SYS_setreuid,
	SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_settimeofday,
	SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname, SYS_acct, SYS_quotactl,
	SYS_personality, SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount,
#ifdef SYS_fork
	SYS_fork, SYS_vfork, SYS_iopl, SYS_ioperm,
#endif
};
static const uint32_t of_files[] = {
	SYS_openat, SYS_openat2, SYS_inotify_init1, SYS_inotify_add_watch, SYS_fanotify_init, SYS_name_to_handle_at,
#ifdef SYS_open
	SYS_open, SYS_creat,
#endif
};
static const uint32_t of_changes[] = {
	SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat, SYS_symlinkat, SYS_mknodat, SYS_truncate, SYS_fchmodat,
	SYS_fchownat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr,
#ifdef SYS_rename
	SYS_rename, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink, SYS_mknod, SYS_chmod, SYS_chown, SYS_lchown,
	SYS_renameat,
#endif
};
static const uint32_t of_threads[] = { SYS_clone };
static const uint32_t of_accept[] = { SYS_accept4,
#ifdef SYS_accept
	                              SYS_accept,
#endif
};
static const uint32_t of_send[] = { SYS_sendto, SYS_sendmsg, SYS_sendmmsg };
static const uint32_t of_memory_files[] = { SYS_memfd_create };

static const struct call_group {
	unsigned allowed_by; /* 0: nothing */
	const uint32_t *call;
	size_t n;
} groups[] = {
	{ 0, never, LENGTH(never) },
	{ CONFINE_FILES, of_files, LENGTH(of_files) },
	{ CONFINE_CHANGES, of_changes, LENGTH(of_changes) },
	{ CONFINE_THREADS, of_threads, LENGTH(of_threads) },
	{ CONFINE_ACCEPT, of_accept, LENGTH(of_accept) },
	{ CONFINE_SEND, of_send, LENGTH(of_send) },
	{ CONFINE_MEMORY_FILES, of_memory_files, LENGTH(of_memory_files) },
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define NOT_EQUAL_SKIPS(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)
#define FILTER_MOST 320

static const struct sock_filter head[] = {
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
	/* x86-64's second set of numbers */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM),
	/* glibc then makes its threads by clone, whose flags can be read here */
	NOT_EQUAL_SKIPS(SYS_clone3, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
};
/* A process is refused, a thread goes on to the list. */
static const struct sock_filter processes[] = {
	NOT_EQUAL_SKIPS(SYS_clone, 4), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
	ANSWER(SECCOMP_RET_ERRNO | EPERM), LOAD(nr),
};

static size_t make_filter(unsigned allowed, struct sock_filter f[static FILTER_MOST])
{
	size_t n = LENGTH(head);
	memcpy(f, head, sizeof head);
	memcpy(f + n, processes, sizeof processes);
	n += LENGTH(processes);
	for (size_t g = 0; g < LENGTH(groups); g++) {
		if (groups[g].allowed_by & allowed)
			continue;
		for (size_t i = 0; i < groups[g].n; i++) {
			f[n++] = (struct sock_filter)NOT_EQUAL_SKIPS(groups[g].call[i], 1);
			f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | EPERM);
		}
	}
	f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	return n;
}

static int lock_calls(const struct confine *c)
{
	struct sock_filter filter[FILTER_MOST];
	const struct sock_fprog program = { .len = (unsigned short)make_filter(c->allowed, filter), .filter = filter };
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ? -errno : 0;
}
#else
static int lock_calls(const struct confine *c) { return (void)c, 0; } /* no list for this machine: the rest remains */
#endif

int confine_enter(const struct confine *c, struct error *e)
{
	int rules, rc = make_rules(c, &rules);
	if (!rc)
		rc = set_limits(c);
	if (!rc)
		rc = become(c);
	if (!rc) /* a change of user takes the first back */
		rc = prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ?
		     -errno : 0;
	if (!rc)
		rc = lock_files(rules);
	if (rules >= 0)
		syscall(SYS_close, rules);
	if (!rc)
		rc = lock_calls(c);
	return rc ? error_set(e, rc, "MON-DMN-040", "the process cannot be locked in: %s", strerror(-rc)) : 0;
}
