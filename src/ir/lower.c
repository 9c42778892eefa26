/* lower.c -- tools that a model does not know, as functions.
 *
 * A free-form tool becomes a function with one text parameter; a grammar that its text must
 * follow goes into the description, which is all that is left of it, and is noted.  Its calls
 * in the history become calls of that function, and those of the answer are turned back by
 * unwrap.c.
 *
 * Of the tools that a provider knows by type there are some that the client carries out: a
 * provider of another dialect gets these as functions with the schema that is published for
 * them.  A decoder may have brought the schema along already; the table has those of the types
 * whose definition is nothing but the type.  Their calls come back as calls of the function.
 */
#include "ir/adapt_int.h"
#include "ir/drops.h"
#include "json/scan.h"
#include "json/write.h"

#define TEXT "{\"type\":\"string\"}"
#define INT  "{\"type\":\"integer\"}"
#define OBJECT(properties, required)                                                           \
    "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"

static const struct client_tool {
    const char *type, *by, *description, *schema;
} client_tools[] = {
    {"local_shell", "responses", "Runs a command on the user's machine.",
     OBJECT("\"command\":{\"type\":\"array\",\"items\":" TEXT "},\"workdir\":" TEXT
            ",\"timeout_ms\":" INT,
            "\"command\"")},
    {"shell", "responses", "Runs commands on the user's machine.",
     OBJECT("\"commands\":{\"type\":\"array\",\"items\":" TEXT "},\"timeout_ms\":" INT
            ",\"max_output_length\":" INT,
            "\"commands\"")},
    {"apply_patch", "responses", "Creates, changes or deletes a file.",
     OBJECT("\"operation\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\","
            "\"enum\":[\"create_file\",\"update_file\",\"delete_file\"]},\"path\":" TEXT
            ",\"diff\":" TEXT "},\"required\":[\"type\",\"path\"]}",
            "\"operation\"")},
};

static const struct client_tool *
find_client_tool(const struct ir_tool *t)
{
    for (size_t i = 0; i < sizeof client_tools / sizeof client_tools[0]; i++)
        if (strcmp(t->hosted_by, client_tools[i].by) == 0 &&
            str_eq(t->name, str_z(client_tools[i].type)))
            return &client_tools[i];
    return NULL;
}

/* Is this one that the client of another provider carries out? */
static bool
is_client_run(const struct adapt_fit *fit, const struct ir_tool *t)
{
    if (!t->hosted_by || strcmp(t->hosted_by, fit->to) == 0)
        return false;
    return t->schema.n || find_client_tool(t);
}

static bool
is_freeform(const struct adapt_fit *fit, const struct ir_tool *t)
{
    return t->freeform && !fit->route->caps.custom_tools;
}

/* The definition of a grammar; "" when any text will do. */
static struct str
rule_of(struct arena *a, struct str grammar)
{
    struct json_member m;
    struct str rule = {NULL, 0};

    if (json_kind_of(grammar) != JSON_OBJECT || !json_get(grammar, STR("definition"), &m) ||
        json_string(a, m.value, &rule) != TG_OK)
        return (struct str){NULL, 0};
    return rule;
}

static tg_rc
lower_freeform(struct adapt_fit *fit, struct ir_tool *t, unsigned index)
{
    struct str rule = rule_of(fit->a, t->grammar);
    struct str parts[] = {t->description, t->description.n ? STR("\n\n") : STR(""),
                          STR("The input must follow this grammar:\n"), rule};

    t->freeform = false;
    t->schema = STR(OBJECT("\"input\":" TEXT, "\"input\""));
    t->grammar = (struct str){NULL, 0};
    adapt_undo(fit)->lowered = true;
    if (rule.n == 0)
        return TG_OK;
    t->description = adapt_join(fit->a, parts, sizeof parts / sizeof parts[0]);
    return ir_drop_or_refuse(fit->route, fit->drops, fit->err,
                             arena_printf(fit->a, "tools.%u.format", index));
}

static void
lower_client_run(struct ir_tool *t)
{
    const struct client_tool *known = find_client_tool(t);

    if (known && t->schema.n == 0) {
        t->description = str_z(known->description);
        t->schema = str_z(known->schema);
    }
    t->hosted_by = NULL;
    t->raw = (struct str){NULL, 0};
}

tg_rc
adapt_lower_tools(struct adapt_fit *fit)
{
    struct ir_tool *head = NULL, **tail = &head;
    const struct ir_tool *t = fit->out->tools;
    unsigned index = 0;
    tg_rc rc = TG_OK;

    while (t && !is_freeform(fit, t) && !is_client_run(fit, t))
        t = t->next;
    if (!t)
        return TG_OK;
    for (t = fit->out->tools; t && rc == TG_OK; t = t->next, tail = &(*tail)->next) {
        *tail = arena_new(fit->a, struct ir_tool);
        **tail = *t;
        (*tail)->next = NULL;
        if (is_freeform(fit, t))
            rc = lower_freeform(fit, *tail, index);
        else if (is_client_run(fit, t))
            lower_client_run(*tail);
        index++;
    }
    fit->out->tools = head;
    return rc;
}

bool
adapt_lowers(const struct adapt_fit *fit, const struct ir_block *b)
{
    return b->freeform && !fit->route->caps.custom_tools;
}

void
adapt_lower_block(const struct adapt_fit *fit, struct ir_block *b)
{
    struct json_out o;
    struct buf args;

    if (!adapt_lowers(fit, b))
        return;
    b->freeform = false;
    if (b->kind != IR_CALL)
        return;
    /* A byte becomes six at most, so there is always room. */
    buf_init(&args, b->text.n * 6 + 32);
    json_begin(&o, &args);
    json_open(&o, '{');
    json_kv_str(&o, "input", b->text);
    json_close(&o);
    if (json_end(&o) == TG_OK)
        b->text = arena_dup(fit->a, buf_str(&args));
    buf_fini(&args);
}
