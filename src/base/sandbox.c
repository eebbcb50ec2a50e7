#include "base/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

int sandbox_limit(int what, uint64_t most)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)what, &r))
		return -errno;
	r.rlim_max = most < r.rlim_max ? most : r.rlim_max;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) ? -errno : 0;
}

/* ---- Landlock ---- */
#define FIRST_VERSION ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* everything that Linux 5.13 can refuse */

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t handled(long version)
{
	return FIRST_VERSION | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

bool sandbox_has_landlock(void) { return landlock_version() >= 1; }

int sandbox_rules(int *rules)
{
	long version = landlock_version();
	*rules = -1;
	if (version < 1)
		return 0;
	const struct landlock_ruleset_attr attr = { .handled_access_fs = handled(version) };
	*rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	return *rules < 0 ? -errno : 0;
}

int sandbox_allow(int rules, int fd, uint64_t access)
{
	const struct landlock_path_beneath_attr beneath = { .allowed_access = access & handled(landlock_version()),
		                                            .parent_fd = fd };
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ? -errno : 0;
}

int sandbox_lock_files(int rules)
{
	if (rules < 0)
		return 0;
	int rc = syscall(SYS_landlock_restrict_self, rules, 0) ? -errno : 0;
	syscall(SYS_close, rules);
	return rc;
}

/* ---- seccomp ---- */
#ifdef SANDBOX_ARCHITECTURE
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define NOT_EQUAL_SKIPS(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)

static const struct sock_filter head[] = {
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCHITECTURE, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
	/* x86-64's second set of numbers */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), ANSWER(SECCOMP_RET_ERRNO | EPERM),
	/* glibc then makes its threads by clone, whose flags can be read here */
	NOT_EQUAL_SKIPS(SYS_clone3, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
	/* a process is refused, a thread goes on to the lists */
	NOT_EQUAL_SKIPS(SYS_clone, 4), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
	ANSWER(SECCOMP_RET_ERRNO | EPERM), LOAD(nr),
};
#define FILTER_MOST (LENGTH(head) + 2 * SANDBOX_CALLS_MOST + 1)

int sandbox_lock_calls(const struct sandbox_calls *lists, size_t n)
{
	struct sock_filter f[FILTER_MOST];
	size_t at = LENGTH(head);
	memcpy(f, head, sizeof head);
	for (size_t l = 0; l < n; l++) {
		for (size_t i = 0; i < lists[l].n; i++) {
			assert(at + 3 <= FILTER_MOST);
			f[at++] = (struct sock_filter)NOT_EQUAL_SKIPS(lists[l].call[i], 1);
			f[at++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | EPERM);
		}
	}
	f[at++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = (unsigned short)at, .filter = f };
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ? -errno : 0;
}
#else
int sandbox_lock_calls(const struct sandbox_calls *lists, size_t n) { return (void)lists, (void)n, 0; }
#endif
