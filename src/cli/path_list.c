#include "cli/analyze.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int append(struct path_list *l, const char *path, bool from_folder, struct error *e)
{
	const struct env *env = env_system();
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct listed *grown = env_grow(env, l->item, l->room * sizeof *grown, room * sizeof *grown);
		if (!grown)
			return error_no_memory(e, "listing files");
		l->item = grown;
		l->room = room;
	}
	size_t size = strlen(path) + 1;
	char *copy = env_alloc(env, size);
	if (!copy)
		return error_no_memory(e, "listing files");
	memcpy(copy, path, size);
	l->item[l->n++] = (struct listed){ .path = copy, .from_folder = from_folder };
	return 0;
}

static int visible(const struct dirent *d) { return d->d_name[0] != '.'; }

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static bool is_folder(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int append_folder(struct path_list *l, const char *folder, struct error *e)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, visible, by_name), rc = 0;
	if (n < 0)
		return error_set(e, -errno, "MON-CLI-021", "the folder cannot be read: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[4096];
		size_t length = strlen(folder);
		const char *slash = length && folder[length - 1] == '/' ? "" : "/";
		if (!rc && snprintf(path, sizeof path, "%s%s%s", folder, slash, entries[i]->d_name) >= (int)sizeof path)
			rc = error_set(e, -ENAMETOOLONG, "MON-CLI-022", "a path in it is too long");
		if (!rc)
			rc = is_folder(path) ? append_folder(l, path, e) : append(l, path, true, e);
		free(entries[i]); /* scandir's, not ours */
	}
	free(entries);
	return rc;
}

int path_list_add(struct path_list *l, const char *path, struct error *e)
{
	if (!strcmp(path, "-") || !is_folder(path))
		return append(l, path, false, e);
	size_t before = l->n;
	int rc = append_folder(l, path, e);
	/* An empty folder stands for itself, so that it has its object, with the error. */
	return !rc && l->n == before ? append(l, path, false, e) : rc;
}

void path_list_fini(struct path_list *l)
{
	const struct env *env = env_system();
	for (size_t i = 0; i < l->n; i++)
		env_free(env, l->item[i].path, strlen(l->item[i].path) + 1);
	env_free(env, l->item, l->room * sizeof *l->item);
}
