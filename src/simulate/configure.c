/* Parameters of all populations: defaults, then the file; their digest. */
#include "simulate/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* a state on the stack */
#include <xxhash.h>

#define FILE_MAX (256u << 10)
#define LINE_MAX 4096

static const struct population *const *all(void) { return sim_populations; }

size_t sim_values_n(void)
{
	size_t n = 0;
	for (unsigned i = 0; i < sim_populations_n; i++)
		n += all()[i]->n_params;
	return n;
}

const struct param_value *sim_values(const struct sim *s, const struct population *p)
{
	size_t n = 0;
	for (unsigned i = 0; all()[i] != p; i++)
		n += all()[i]->n_params;
	return s->values + n;
}

/* The parameter of that name and where its value goes; NULL: there is none. */
static const struct param *find(const struct sim *s, const char *key, struct param_value **value)
{
	*value = s->values;
	for (unsigned i = 0; i < sim_populations_n; i++)
		for (unsigned k = 0; k < all()[i]->n_params; k++, ++*value)
			if (!strcmp(all()[i]->params[k].key, key))
				return &all()[i]->params[k];
	return NULL;
}

/* Without white space at both ends. */
static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t n = strlen(text);
	while (n && strchr(" \t\r", text[n - 1]))
		text[--n] = 0;
	return text;
}

static int take_line(struct sim *s, char *line, unsigned number)
{
	struct param_value *value;
	struct error why;
	char *comment = strchr(line, '#'), *equals;
	if (comment)
		*comment = 0;
	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return error_set(s->e, -EINVAL, "MON-SIM-001", "line %u of the parameters is not KEY = VALUE", number);
	*equals = 0;
	const struct param *p = find(s, trim(line), &value);
	if (!p)
		return error_set(s->e, -EINVAL, "MON-SIM-001", "line %u: there is no parameter %.80s", number, trim(line));
	int rc = param_parse(p, trim(equals + 1), value, &why);
	return rc ? error_set(s->e, rc, "MON-SIM-002", "line %u: %.200s", number, why.text) : 0;
}

static int take_text(struct sim *s, char *text)
{
	for (unsigned number = 1;; number++) {
		char *end = strchr(text, '\n');
		if (end)
			*end = 0;
		int rc = take_line(s, text, number);
		if (rc || !end)
			return rc;
		text = end + 1;
	}
}

/* The whole file and a zero behind it. */
static int read_text(struct sim *s, char *out)
{
	int fd = s->env->open(s->env, s->config.params, O_RDONLY, 0);
	if (fd < 0)
		return error_set(s->e, fd, "MON-SIM-006", "%s cannot be read: %s", s->config.params, strerror(-fd));
	size_t n = 0;
	ssize_t got = 1;
	while (got && n < FILE_MAX - 1) {
		got = s->env->read(s->env, fd, out + n, FILE_MAX - 1 - n);
		if (got == -EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
	}
	int rc = s->env->close(s->env, fd);
	rc = got < 0 ? (int)got : rc ? rc : n == FILE_MAX - 1 ? -EFBIG : 0;
	if (!rc && memchr(out, 0, n))
		return error_set(s->e, -EINVAL, "MON-SIM-001", "%s is no text", s->config.params);
	return rc ? error_set(s->e, rc, "MON-SIM-006", "%s cannot be read: %s", s->config.params, strerror(-rc)) : 0;
}

/* Over every key and what it came to, so that two texts that mean the same are the same. */
static void digest(struct sim *s)
{
	struct param_value *v = s->values;
	_Alignas(64) XXH3_state_t h;
	XXH3_128bits_reset(&h);
	for (unsigned i = 0; i < sim_populations_n; i++)
		for (unsigned k = 0; k < all()[i]->n_params; k++, v++) {
			const char *key = all()[i]->params[k].key;
			XXH3_128bits_update(&h, key, strlen(key) + 1);
			XXH3_128bits_update(&h, &v->micro, sizeof v->micro);
			XXH3_128bits_update(&h, v->item, v->n * sizeof *v->item);
		}
	XXH128_canonical_t c;
	XXH128_canonicalFromHash(&c, XXH3_128bits_digest(&h));
	memcpy(s->digest, c.digest, 16);
}

int sim_configure(struct sim *s)
{
	s->values = env_alloc(s->env, sim_values_n() * sizeof *s->values);
	char *text = env_alloc(s->env, FILE_MAX);
	if (!s->values || !text) {
		env_free(s->env, text, FILE_MAX);
		return error_no_memory(s->e, "reading the parameters");
	}
	struct param_value *v = s->values;
	int rc = 0;
	for (unsigned i = 0; i < sim_populations_n; i++)
		for (unsigned k = 0; k < all()[i]->n_params && !rc; k++)
			rc = param_parse(&all()[i]->params[k], all()[i]->params[k].value, v++, s->e);
	if (!rc && s->config.params)
		rc = read_text(s, text);
	if (!rc && s->config.params)
		rc = take_text(s, text);
	env_free(s->env, text, FILE_MAX);
	digest(s);
	return rc;
}

void simulate_parameters(void (*tell)(void *ctx, const char *key, const char *value, const char *source), void *ctx)
{
	for (unsigned i = 0; i < sim_populations_n; i++)
		for (unsigned k = 0; k < all()[i]->n_params; k++) {
			const struct param *p = &all()[i]->params[k];
			tell(ctx, p->key, p->value, p->source);
		}
}
