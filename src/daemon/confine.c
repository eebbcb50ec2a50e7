#include "daemon/confine.h"

#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ---- Limits ---- */
static int set_limits(const struct confine *c)
{
	int rc = sandbox_limit(RLIMIT_CORE, 0);
	if (!rc)
		rc = sandbox_limit(RLIMIT_NOFILE, c->files);
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
#define WRITE (SANDBOX_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

static int allow(int rules, const char *path, uint64_t access)
{
	struct stat st;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	int rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && !S_ISDIR(st.st_mode))
		access &= SANDBOX_READ_FILE | SANDBOX_WRITE_FILE;
	if (!rc)
		rc = sandbox_allow(rules, fd, access);
	syscall(SYS_close, fd);
	return rc;
}

static int allow_all(const struct confine *c, int rules)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < c->n_paths; i++)
		rc = allow(rules, c->path[i].path, c->path[i].writable ? SANDBOX_READ | WRITE : SANDBOX_READ);
	for (size_t i = 0; !rc && i < c->n_more; i++)
		rc = allow(rules, c->more[i], SANDBOX_READ);
	return rc;
}

/* The rules are made as who it was, and hold when it is somebody else. -1: no Landlock. */
static int make_rules(const struct confine *c, int *out)
{
	int rc = sandbox_rules(out);
	return rc || *out < 0 ? rc : allow_all(c, *out);
}

/* ---- seccomp: the system calls ---- */
#ifdef SANDBOX_ARCHITECTURE
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
	struct sandbox_calls calls;
} groups[] = {
	{ 0, { never, LENGTH(never) } },
	{ CONFINE_FILES, { of_files, LENGTH(of_files) } },
	{ CONFINE_CHANGES, { of_changes, LENGTH(of_changes) } },
	{ CONFINE_THREADS, { of_threads, LENGTH(of_threads) } },
	{ CONFINE_ACCEPT, { of_accept, LENGTH(of_accept) } },
	{ CONFINE_SEND, { of_send, LENGTH(of_send) } },
	{ CONFINE_MEMORY_FILES, { of_memory_files, LENGTH(of_memory_files) } },
};

static int lock_calls(const struct confine *c)
{
	struct sandbox_calls refused[LENGTH(groups)];
	size_t n = 0;
	for (size_t g = 0; g < LENGTH(groups); g++)
		if (!(groups[g].allowed_by & c->allowed))
			refused[n++] = groups[g].calls;
	return sandbox_lock_calls(refused, n);
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
		rc = sandbox_lock_files(rules);
	if (!rc)
		rc = lock_calls(c);
	return rc ? error_set(e, rc, "MON-DMN-040", "the process cannot be locked in: %s", strerror(-rc)) : 0;
}
