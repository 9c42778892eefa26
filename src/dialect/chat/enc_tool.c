/* enc_tool.c -- tools of a request for a Chat upstream.
 *
 * Functions and free-form tools have forms of their own.  Of the tools that a provider of
 * another dialect runs or knows the schema of, those that the client itself carries out (bash,
 * text editor, memory, shell, apply_patch) go as functions with the schema that is published
 * for them; the rest is passed over and said, unless the request insists on it.
 */
#include "dialect/chat/enc_int.h"

#define TEXT "{\"type\":\"string\"}"
#define INT  "{\"type\":\"integer\"}"
#define OBJECT(p, required)                                                                    \
    "{\"type\":\"object\",\"properties\":{" p "},\"required\":[" required "]}"

/* By the beginning of the type; the first that fits. */
static const struct lowered {
    const char *type, *by;
    const char *name; /* NULL: the definition's own name */
    const char *description, *schema;
} lowered[] = {
    {"bash_", "messages", NULL, "Runs a command in a bash session that persists between calls.",
     "{\"type\":\"object\",\"properties\":{\"command\":" TEXT
     ",\"restart\":{\"type\":\"boolean\"}}}"},
    {"text_editor_", "messages", NULL, "Views, creates and edits text files.",
     OBJECT("\"command\":{\"type\":\"string\",\"enum\":[\"view\",\"create\",\"str_replace\","
            "\"insert\"]},\"path\":" TEXT ",\"file_text\":" TEXT ",\"old_str\":" TEXT
            ",\"new_str\":" TEXT ",\"insert_line\":" INT ",\"insert_text\":" TEXT
            ",\"view_range\":{\"type\":\"array\",\"items\":" INT "}",
            "\"command\",\"path\"")},
    {"memory_", "messages", NULL, "Keeps notes in files that outlive the conversation.",
     OBJECT("\"command\":{\"type\":\"string\",\"enum\":[\"view\",\"create\",\"str_replace\","
            "\"insert\",\"delete\",\"rename\"]},\"path\":" TEXT ",\"file_text\":" TEXT
            ",\"old_str\":" TEXT ",\"new_str\":" TEXT ",\"insert_line\":" INT
            ",\"insert_text\":" TEXT ",\"old_path\":" TEXT ",\"new_path\":" TEXT
            ",\"view_range\":{\"type\":\"array\",\"items\":" INT "}",
            "\"command\"")},
    {"local_shell", "responses", "local_shell", "Runs a command on the user's machine.",
     OBJECT("\"command\":{\"type\":\"array\",\"items\":" TEXT "},\"workdir\":" TEXT
            ",\"timeout_ms\":" INT,
            "\"command\"")},
    {"shell", "responses", "shell", "Runs commands on the user's machine.",
     OBJECT("\"commands\":{\"type\":\"array\",\"items\":" TEXT "},\"timeout_ms\":" INT
            ",\"max_output_length\":" INT,
            "\"commands\"")},
    {"apply_patch", "responses", "apply_patch", "Creates, changes or deletes a file.",
     OBJECT("\"operation\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\","
            "\"enum\":[\"create_file\",\"update_file\",\"delete_file\"]},\"path\":" TEXT
            ",\"diff\":" TEXT "},\"required\":[\"type\",\"path\"]}",
            "\"operation\"")},
};

static const struct lowered *
lower(const struct ir_tool *t)
{
    for (size_t i = 0; i < CHAT_COUNT(lowered); i++)
        if (strcmp(t->hosted_by, lowered[i].by) == 0 &&
            str_starts(t->name, str_z(lowered[i].type)))
            return &lowered[i];
    return NULL;
}

/* The name under which the model knows a tool. */
static struct str
name_of(struct chat_out *out, const struct ir_tool *t)
{
    const struct lowered *l = t->hosted_by ? lower(t) : NULL;
    struct str name = t->name;
    struct json_member m;

    if (!l)
        return name;
    if (l->name)
        return str_z(l->name);
    if (json_kind_of(t->raw) == JSON_OBJECT && json_get(t->raw, STR("name"), &m) &&
        json_string(out->a, m.value, &name) != TG_OK)
        name = t->name;
    return name;
}

/* {"type":"grammar","syntax":...,"definition":...} has one level more here. */
static void
put_format(struct json_out *o, struct str flat)
{
    static const char *const inner[] = {"definition", "syntax"};
    struct json_member m;

    if (!json_get(flat, STR("syntax"), &m)) {
        json_kv_raw(o, "format", flat);
        return;
    }
    json_key(o, "format");
    json_open(o, '{');
    json_kv_str(o, "type", STR("grammar"));
    json_key(o, "grammar");
    json_open(o, '{');
    for (size_t i = 0; i < CHAT_COUNT(inner); i++)
        if (json_get(flat, str_z(inner[i]), &m))
            json_kv_raw(o, inner[i], m.value);
    json_close(o);
    json_close(o);
}

static void
put_tool(struct chat_out *out, const struct ir_tool *t)
{
    const struct lowered *l = t->hosted_by ? lower(t) : NULL;
    struct str description = l ? str_z(l->description) : t->description;
    struct str schema = l ? str_z(l->schema) : t->schema;
    struct json_out *o = &out->o;

    json_open(o, '{');
    json_kv_str(o, "type", t->freeform ? STR("custom") : STR("function"));
    json_key(o, t->freeform ? "custom" : "function");
    json_open(o, '{');
    json_kv_str(o, "name", name_of(out, t));
    if (description.n)
        json_kv_str(o, "description", description);
    if (t->freeform && t->grammar.n)
        put_format(o, t->grammar);
    if (!t->freeform && schema.n)
        json_kv_raw(o, "parameters", schema);
    if (!t->freeform && t->strict != IR_UNSAID)
        json_kv_bool(o, "strict", t->strict == IR_YES);
    json_close(o);
    json_close(o);
}

static bool
goes(const struct ir_tool *t)
{
    return !t->hosted_by || lower(t);
}

static void
put_named(struct chat_out *out, const struct ir_tool *t)
{
    json_open(&out->o, '{');
    json_kv_str(&out->o, "type", t->freeform ? STR("custom") : STR("function"));
    json_key(&out->o, t->freeform ? "custom" : "function");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "name", name_of(out, t));
    json_close(&out->o);
    json_close(&out->o);
}

/* Is there a choice that bars some of the tools?  Where none is marked, there is none. */
static bool
has_barred(const struct ir_req *req)
{
    bool allowed = false, barred = false;

    for (const struct ir_tool *t = req->tools; t; t = t->next) {
        allowed |= t->allowed;
        barred |= !t->allowed;
    }
    return allowed && barred;
}

static void
put_allowed(struct chat_out *out)
{
    json_key(&out->o, "tool_choice");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "type", STR("allowed_tools"));
    json_key(&out->o, "allowed_tools");
    json_open(&out->o, '{');
    json_kv_str(&out->o, "mode",
                out->req->tool_choice == IR_CHOICE_REQUIRED ? STR("required") : STR("auto"));
    json_key(&out->o, "tools");
    json_open(&out->o, '[');
    for (const struct ir_tool *t = out->req->tools; t; t = t->next)
        if (t->allowed && goes(t))
            put_named(out, t);
    json_close(&out->o);
    json_close(&out->o);
    json_close(&out->o);
}

static tg_rc
put_choice(struct chat_out *out)
{
    const struct ir_req *req = out->req;
    const struct ir_tool *t = req->tools;

    switch (req->tool_choice) {
    case IR_CHOICE_NAMED:
        while (t && !(goes(t) && (str_eq(t->name, req->tool_name) ||
                                  str_eq(name_of(out, t), req->tool_name))))
            t = t->next;
        if (!t)
            return chat_refuse(out, STR("tool_choice"),
                               "the upstream's dialect has no tool of that kind");
        json_key(&out->o, "tool_choice");
        put_named(out, t);
        return TG_OK;
    case IR_CHOICE_NONE:
        json_kv_str(&out->o, "tool_choice", STR("none"));
        return TG_OK;
    case IR_CHOICE_AUTO:
    case IR_CHOICE_REQUIRED:
        break;
    }
    if (has_barred(req))
        put_allowed(out);
    else if (req->tool_choice == IR_CHOICE_REQUIRED)
        json_kv_str(&out->o, "tool_choice", STR("required"));
    else if (req->tool_choice_said)
        json_kv_str(&out->o, "tool_choice", STR("auto"));
    return TG_OK;
}

tg_rc
chat_put_tools(struct chat_out *out)
{
    unsigned n = 0, i = 0;
    tg_rc rc = TG_OK;

    for (const struct ir_tool *t = out->req->tools; t && rc == TG_OK; t = t->next, i++) {
        if (t->cache_ttl.n)
            rc = chat_drop(out, STR("cache_control"));
        if (!goes(t)) {
            if (rc == TG_OK)
                rc = chat_drop(out, arena_printf(out->a, "tools.%u", i));
            continue;
        }
        if (n++ == 0) {
            json_key(&out->o, "tools");
            json_open(&out->o, '[');
        }
        put_tool(out, t);
    }
    if (n)
        json_close(&out->o);
    if (rc != TG_OK)
        return rc;
    if (n == 0) {
        if (out->req->tool_choice == IR_CHOICE_NAMED ||
            out->req->tool_choice == IR_CHOICE_REQUIRED)
            return chat_refuse(out, STR("tool_choice"),
                               "none of the tools can be offered by the upstream");
        return TG_OK;
    }
    rc = put_choice(out);
    if (!out->req->parallel_calls)
        json_kv_bool(&out->o, "parallel_tool_calls", false);
    return rc;
}
