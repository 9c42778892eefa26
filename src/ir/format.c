/* format.c -- forms of the answer that a model cannot be held to, asked for in words.
 *
 * The words are system text behind what the client said itself, so that they change nothing of
 * a prefix that the upstream may have cached.  Words bind less than a grammar, so the field is
 * noted as dropped, and refused on a strict route.
 */
#include "ir/adapt_int.h"
#include "ir/drops.h"
#include "json/scan.h"

#define OBJECT "Answer with a single JSON object and nothing else."
#define SCHEMA                                                                                 \
    "Answer with a single JSON value and nothing else, without a code fence around it. It "    \
    "must be valid against this JSON schema:\n"

/* Behind the system text at the head; what stands there is copied. */
static void
add_system(struct adapt_fit *fit, struct str text)
{
    struct ir_msg *head = NULL, **tail = &head;
    struct ir_msg *m = fit->out->msgs;

    for (; m && m->role == IR_SYSTEM; m = m->next, tail = &(*tail)->next) {
        *tail = arena_new(fit->a, struct ir_msg);
        **tail = *m;
        (*tail)->next = NULL;
    }
    *tail = arena_new(fit->a, struct ir_msg);
    (*tail)->role = IR_SYSTEM;
    (*tail)->blocks = adapt_block(fit->a, IR_TEXT, NULL);
    (*tail)->blocks->text = text;
    /* Shared from here on, and not written to. */
    (*tail)->next = m;
    fit->out->msgs = head;
    fit->out->n_msgs++;
}

static struct str
schema_words(const struct adapt_fit *fit)
{
    const struct ir_req *req = fit->req;
    struct str parts[] = {STR(SCHEMA), req->format_schema,
                          req->format_description.n ? STR("\n") : STR(""),
                          req->format_description};

    return adapt_join(fit->a, parts, sizeof parts / sizeof parts[0]);
}

/* Does the schema ask for an object?  Then any object at least can be insisted on. */
static bool
is_of_object(struct str schema)
{
    struct json_member m;

    return json_kind_of(schema) == JSON_OBJECT && json_get(schema, STR("type"), &m) &&
           str_eq(m.value, STR("\"object\""));
}

tg_rc
adapt_format(struct adapt_fit *fit)
{
    enum caps_format can = fit->route->caps.format;
    struct ir_req *out = fit->out;
    bool schema = out->format_schema.n > 0, object = !schema && out->format_json;
    bool words = (schema && (can == CAPS_FORMAT_OBJECT || can == CAPS_FORMAT_PROMPT)) ||
                 (object && (can == CAPS_FORMAT_ONLY_SCHEMA || can == CAPS_FORMAT_PROMPT));

    if (!words)
        return TG_OK;
    add_system(fit, schema ? schema_words(fit) : STR(OBJECT));
    out->format_json = schema && can == CAPS_FORMAT_OBJECT && is_of_object(out->format_schema);
    out->format_schema = (struct str){NULL, 0};
    out->format_name = out->format_description = (struct str){NULL, 0};
    out->format_strict = IR_UNSAID;
    return ir_drop_or_refuse(
        fit->route, fit->drops, fit->err,
        adapt_said(fit, "response_format", "text.format", "output_config.format"));
}
