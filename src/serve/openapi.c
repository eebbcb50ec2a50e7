/* /openapi.json (OpenAPI 3.1): the table of resources, and the rows as the reader describes them. */
#include "serve/answers.h"
#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void put_schema(struct text *t, const struct parameter *p)
{
	static const char *const kinds[] = {
		[VALUE_MOMENT] = "\"type\":\"string\"", [VALUE_WORD] = "\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"",
		[VALUE_COUNTRY] = "\"type\":\"string\",\"pattern\":\"^[A-Za-z]{2}$\"", [VALUE_ADDRESS] = "\"type\":\"string\"",
		[VALUE_TEXT] = "\"type\":\"string\",\"minLength\":1,\"maxLength\":100", [VALUE_CURSOR] = "\"type\":\"string\"",
	};
	text_puts(t, "{");
	if (p->kind == VALUE_NUMBER) {
		text_printf(t, "\"type\":\"integer\",\"minimum\":%" PRIu64 ",\"maximum\":%" PRIu64, p->least, p->most);
	} else if (p->kind == VALUE_CHOICE) {
		text_puts(t, "\"enum\":[\"");
		for (const char *c = p->choices; *c; c++)
			text_add(t, *c == ' ' ? "\",\"" : c, *c == ' ' ? 3 : 1);
		text_puts(t, "\"]");
	} else {
		text_puts(t, kinds[p->kind]);
	}
	if (p->usual)
		text_printf(t, p->kind == VALUE_NUMBER ? ",\"default\":%s" : ",\"default\":\"%s\"", p->usual);
	text_puts(t, "}");
}

static void put_parameter(struct text *t, const struct parameter *p)
{
	text_printf(t, "{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"description\":", p->name,
	            p->in_path ? "path" : "query", p->in_path || p->needed ? "true" : "false");
	text_json(t, p->what);
	text_puts(t, ",\"schema\":");
	put_schema(t, p);
	text_puts(t, "}");
}

#define ROW "{\"$ref\":\"#/components/schemas/%s\",\"unevaluatedProperties\":false}"

static void put_content(struct text *t, const struct resource *x)
{
	if (x->answer) {
		text_printf(t, "\"%s\":{\"schema\":", x->type ? x->type : HTTP_JSON);
		text_puts(t, x->type ? "{\"type\":\"string\"}}" : x->schema);
		text_puts(t, x->type ? "" : "}");
		return;
	}
	if (x->shape == SHAPE_ONE) {
		text_printf(t, "\"" HTTP_JSON "\":{\"schema\":" ROW "}", x->query);
		return;
	}
	text_printf(t, "\"" HTTP_JSON "\":{\"schema\":{\"allOf\":[{\"$ref\":\"#/components/schemas/List\"}],\"properties\":"
	               "{\"rows\":{\"type\":\"array\",\"items\":" ROW "}}}}", x->query);
	for (unsigned i = 0; x->parameter[i]; i++)
		if (!strcmp(x->parameter[i]->name, "format"))
			text_puts(t, ",\"text/csv\":{\"schema\":{\"type\":\"string\"}},"
			             "\"application/jsonl\":{\"schema\":{\"type\":\"string\"}}");
}

static void put_answers(struct text *t, const struct resource *x)
{
	text_puts(t, "\"responses\":{\"200\":{\"description\":\"");
	text_puts(t, x->shape == SHAPE_LIST || x->shape == SHAPE_SERIES ? "Rows" : "What there is");
	text_puts(t, "\",\"content\":{");
	put_content(t, x);
	text_puts(t, "}},\"default\":{\"$ref\":\"#/components/responses/error\"}}");
}

static void put_get(struct text *t, const struct resource *x)
{
	text_puts(t, "\"get\":{\"summary\":");
	text_json(t, x->what);
	if (x->type && !strcmp(x->type, RESOURCE_PACKETS))
		text_puts(t, ",\"x-monomi-audience\":\"analysts\"");
	text_puts(t, ",\"parameters\":[");
	for (unsigned i = 0; x->parameter[i]; i++) {
		text_puts(t, i ? "," : "");
		put_parameter(t, x->parameter[i]);
	}
	text_puts(t, "],");
	put_answers(t, x);
	text_puts(t, "}");
}

static void put_post(struct text *t, const struct resource *x)
{
	text_puts(t, "\"post\":{\"summary\":");
	text_json(t, x->post);
	text_puts(t, ",\"requestBody\":{\"required\":true,\"content\":{\"" HTTP_JSON "\":{\"schema\":{\"type\":\"object\","
	             "\"properties\":{\"addresses\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,"
	             "\"items\":{\"type\":\"string\"}}},"
	             "\"required\":[\"addresses\"],\"additionalProperties\":false}}}},");
	put_answers(t, x);
	text_puts(t, "}");
}

/* What no query makes. */
static const char schemas[] =
	"\"List\":{\"type\":\"object\",\"properties\":{"
	"\"as_of\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
	"\"simulated\":{\"type\":\"boolean\"},\"from\":{\"type\":\"string\",\"format\":\"date-time\"},"
	"\"to\":{\"type\":\"string\",\"format\":\"date-time\"},\"rows\":{\"type\":\"array\"},"
	"\"next\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"as_of\",\"simulated\",\"rows\",\"next\"]},\n"
	"\"Error\":{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"object\",\"properties\":{"
	"\"code\":{\"type\":\"string\",\"pattern\":\"^MON-[A-Z]+-[0-9]{3}$\"},\"text\":{\"type\":\"string\"}},"
	"\"required\":[\"code\",\"text\"],"
	"\"additionalProperties\":false}},\"required\":[\"error\"],\"additionalProperties\":false},\n";

static void put_paths(struct text *t)
{
	for (size_t i = 0; i < n_resources; i++) {
		const struct resource *x = &resources[i];
		text_printf(t, "%s\n\"%s\":{", i ? "," : "", x->path);
		if (x->what)
			put_get(t, x);
		if (x->post) {
			text_puts(t, x->what ? "," : "");
			put_post(t, x);
		}
		text_puts(t, "}");
	}
}

int answer_openapi(struct request *r)
{
	const struct server *s = r->server;
	const struct body *rows = r->result->rows;
	struct text t = { .env = s->env };
	text_puts(&t, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"monomi\",\"version\":");
	text_json(&t, s->config->version);
	text_puts(&t, ",\"description\":\"What an Internet telescope saw. Moments are UTC; absent values are null.\"},");
	text_puts(&t, "\"paths\":{");
	put_paths(&t);
	text_puts(&t, "},\n\"components\":{\"responses\":{\"error\":{\"description\":\"One sentence\",\"content\":{\"" HTTP_JSON
	              "\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}},\"schemas\":{");
	text_puts(&t, schemas);
	text_add(&t, rows->p, rows->n);
	text_puts(&t, "}}}\n");
	return answer_text(r, 200, HTTP_JSON, &t);
}
