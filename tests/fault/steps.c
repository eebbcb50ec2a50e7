/* A library to preload (LD_PRELOAD) before the program as it is shipped: it numbers every durable step below one
 * folder, whoever makes it (ours through struct env, or the database's own), and stops the program at one of them.
 *
 *   MONOMI_STEPS_IN    the folder; steps elsewhere are not counted
 *   MONOMI_STEPS_LOG   file to append "NUMBER KIND BYTES OFFSET PATH" to, a line a step; with MONOMI_STEPS_DATA set,
 *                      the bytes of a write follow their line: enough to do all of it again (test_store_power.py)
 *   MONOMI_STEP        KILL=N    killed before step N
 *                      SHORT=N   step N writes half of its bytes, then killed; what writes nothing: killed after it
 *                      FAIL=N    step N fails with MONOMI_STEP_ERRNO (a number), once
 *                      FULL=N    from step N on, whatever needs room fails with ENOSPC
 *                      TEAR=N    step N writes half of its bytes and says so: a short count
 *
 * Kinds: create (open that makes or empties a file), write, truncate, fsync, rename, link, symlink, unlink, mkdir,
 * rmdir. A fsync of a folder is one too. Nothing here may allocate or print: it runs below everything.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are defined here */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum act { NOTHING, KILL, SHORT, FAIL, FULL, TEAR, ACTS };
static const char *const act_names[ACTS] = { "", "KILL", "SHORT", "FAIL", "FULL", "TEAR" };

static struct {
	char folder[PATH_MAX];
	size_t folder_n;
	enum act act;
	unsigned long at;
	int error;
	int log;
	bool data;
	unsigned long steps;
	int busy; /* one step at a time, so that the log is in the order in which they happened */
} state = { .log = -1 };

__attribute__((constructor)) static void configure(void)
{
	const char *folder = getenv("MONOMI_STEPS_IN"), *text = getenv("MONOMI_STEP"), *log = getenv("MONOMI_STEPS_LOG");
	const char *number = getenv("MONOMI_STEP_ERRNO"), *equals = text ? strchr(text, '=') : NULL;
	if (folder && strlen(folder) < sizeof state.folder) {
		state.folder_n = strlen(folder);
		memcpy(state.folder, folder, state.folder_n + 1);
	}
	for (int a = KILL; equals && a < ACTS; a++)
		if (strlen(act_names[a]) == (size_t)(equals - text) && !strncmp(act_names[a], text, (size_t)(equals - text)))
			state.act = (enum act)a;
	if (equals)
		state.at = strtoul(equals + 1, NULL, 10);
	state.error = number ? (int)strtol(number, NULL, 10) : EIO;
	state.data = getenv("MONOMI_STEPS_DATA");
	if (log)
		state.log = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static bool inside(const char *path)
{
	return state.folder_n && !strncmp(path, state.folder, state.folder_n) &&
	       (path[state.folder_n] == '/' || !path[state.folder_n]);
}

/* The absolute path of a name; links are not followed. */
static const char *absolute(const char *path, char out[static PATH_MAX])
{
	if (path[0] == '/')
		return path;
	if (!getcwd(out, PATH_MAX))
		return "";
	size_t n = strlen(out);
	if (n + strlen(path) + 2 > PATH_MAX)
		return "";
	out[n] = '/';
	memcpy(out + n + 1, path, strlen(path) + 1);
	return out;
}

static const char *path_of(int fd, char out[static PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
	out[n > 0 ? n : 0] = 0;
	return out;
}

static void put(const void *p, size_t n)
{
	for (const char *from = p; n;) {
		ssize_t some = syscall(SYS_write, state.log, from, n);
		if (some <= 0)
			return;
		from += some;
		n -= (size_t)some;
	}
}

struct step {
	enum act act; /* what to do at this one */
	bool counted;
};

/* Steps are taken one at a time: enter … leave. */
static struct step enter(const char *path, const char *kind, size_t n, off_t at, const void *data, bool room)
{
	struct step s = { .act = NOTHING, .counted = inside(path) };
	if (!s.counted)
		return s;
	while (__atomic_exchange_n(&state.busy, 1, __ATOMIC_ACQUIRE))
		syscall(SYS_sched_yield);
	unsigned long number = ++state.steps;
	if (state.act == FULL)
		s.act = number >= state.at && room ? FULL : NOTHING;
	else if (number == state.at)
		s.act = state.act;
	if (s.act == KILL)
		kill(getpid(), SIGKILL);
	if (state.log >= 0) {
		char line[PATH_MAX + 128];
		int long_is = snprintf(line, sizeof line, "%lu %s %zu %lld %s\n", number, kind, n, (long long)at, path);
		put(line, (size_t)long_is);
		if (state.data && data)
			put(data, n);
	}
	return s;
}

static void leave(struct step s)
{
	if (s.act == SHORT)
		kill(getpid(), SIGKILL);
	if (s.counted)
		__atomic_store_n(&state.busy, 0, __ATOMIC_RELEASE);
}

/* True when the step fails; errno says how. */
static bool refused(struct step s)
{
	if (s.act != FAIL && s.act != FULL)
		return false;
	errno = s.act == FULL ? ENOSPC : state.error;
	return true;
}

static ssize_t written(int fd, const void *p, size_t n, off_t at, bool positioned)
{
	char path[PATH_MAX];
	off_t where = at;
	if (!positioned) {
		where = lseek(fd, 0, SEEK_CUR);
		int flags = fcntl(fd, F_GETFL);
		if (flags >= 0 && flags & O_APPEND)
			where = lseek(fd, 0, SEEK_END);
	}
	struct step s = enter(path_of(fd, path), "write", n, where, p, true);
	ssize_t put_n = -1;
	if (!refused(s)) {
		size_t some = s.act == SHORT || (s.act == TEAR && n > 1) ? n / 2 : n;
		put_n = positioned ? syscall(SYS_pwrite64, fd, p, some, at) : syscall(SYS_write, fd, p, some);
	}
	leave(s);
	return put_n;
}

ssize_t write(int fd, const void *p, size_t n);
ssize_t write(int fd, const void *p, size_t n) { return written(fd, p, n, 0, false); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return written(fd, p, n, at, true); }
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at) { return written(fd, p, n, at, true); }

static int synced(int fd, long call)
{
	char path[PATH_MAX];
	struct step s = enter(path_of(fd, path), "fsync", 0, 0, NULL, true);
	int rc = refused(s) ? -1 : (int)syscall(call, fd);
	leave(s);
	return rc;
}

int fsync(int fd);
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd);
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int truncated(int fd, off_t n)
{
	char path[PATH_MAX];
	struct stat st;
	bool grows = fstat(fd, &st) || n > st.st_size; /* a full disk lets a file become shorter */
	struct step s = enter(path_of(fd, path), "truncate", 0, n, NULL, grows);
	int rc = refused(s) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
	leave(s);
	return rc;
}

int ftruncate(int fd, off_t n);
int ftruncate(int fd, off_t n) { return truncated(fd, n); }
int ftruncate64(int fd, off_t n);
int ftruncate64(int fd, off_t n) { return truncated(fd, n); }

/* Opening counts where it makes a file or empties one. */
static int opened(int at, const char *name, int flags, mode_t mode)
{
	char room[PATH_MAX];
	const char *path = at == AT_FDCWD || name[0] == '/' ? absolute(name, room) : "";
	bool makes = flags & O_TRUNC || (flags & O_CREAT && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) < 0);
	struct step s = makes ? enter(path, "create", 0, 0, NULL, true) : (struct step){ .act = NOTHING };
	int fd = refused(s) ? -1 : (int)syscall(SYS_openat, at, name, flags, mode);
	leave(s);
	return fd;
}

static mode_t mode_of(int flags, va_list *more)
{
	return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? (mode_t)va_arg(*more, int) : 0;
}

#define OPENS(name) \
	int name(const char *path, int flags, ...); \
	int name(const char *path, int flags, ...) \
	{ \
		va_list more; \
		va_start(more, flags); \
		mode_t mode = mode_of(flags, &more); \
		va_end(more); \
		return opened(AT_FDCWD, path, flags, mode); \
	}
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
	int name(int at, const char *path, int flags, ...); \
	int name(int at, const char *path, int flags, ...) \
	{ \
		va_list more; \
		va_start(more, flags); \
		mode_t mode = mode_of(flags, &more); \
		va_end(more); \
		return opened(at, path, flags, mode); \
	}
OPENS_AT(openat)
OPENS_AT(openat64)

int creat(const char *path, mode_t mode);
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode);
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* Two names: the second, where there is one, stands after the first with a tab between. */
static struct step enter_names(const char *kind, const char *from, const char *to, bool room)
{
	char a[PATH_MAX], b[PATH_MAX], both[2 * PATH_MAX + 1];
	const char *target = absolute(to, b);
	if (!inside(target) && from && inside(absolute(from, a)))
		target = absolute(from, a);
	snprintf(both, sizeof both, "%s%s%s", target, from ? "\t" : "", from ? from : "");
	both[PATH_MAX - 1] = 0;
	return enter(both, kind, 0, 0, NULL, room);
}

int rename(const char *from, const char *to);
int rename(const char *from, const char *to)
{
	struct step s = enter_names("rename", from, to, true);
	int rc = refused(s) ? -1 : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
	leave(s);
	return rc;
}

int link(const char *from, const char *to);
int link(const char *from, const char *to)
{
	struct step s = enter_names("link", from, to, true);
	int rc = refused(s) ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	leave(s);
	return rc;
}

int symlink(const char *from, const char *to);
int symlink(const char *from, const char *to)
{
	struct step s = enter_names("symlink", from, to, true);
	int rc = refused(s) ? -1 : (int)syscall(SYS_symlinkat, from, AT_FDCWD, to);
	leave(s);
	return rc;
}

int unlink(const char *path);
int unlink(const char *path)
{
	struct step s = enter_names("unlink", NULL, path, false);
	int rc = refused(s) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	leave(s);
	return rc;
}

int rmdir(const char *path);
int rmdir(const char *path)
{
	struct step s = enter_names("rmdir", NULL, path, false);
	int rc = refused(s) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
	leave(s);
	return rc;
}

int unlinkat(int at, const char *path, int flags);
int unlinkat(int at, const char *path, int flags)
{
	if (at == AT_FDCWD || path[0] == '/')
		return flags & AT_REMOVEDIR ? rmdir(path) : unlink(path);
	return (int)syscall(SYS_unlinkat, at, path, flags);
}

/* As the C library's: a file, or a folder that is empty. */
int remove(const char *path);
int remove(const char *path)
{
	int rc = unlink(path);
	return rc && errno == EISDIR ? rmdir(path) : rc;
}

int mkdir(const char *path, mode_t mode);
int mkdir(const char *path, mode_t mode)
{
	struct step s = enter_names("mkdir", NULL, path, true);
	int rc = refused(s) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	leave(s);
	return rc;
}
