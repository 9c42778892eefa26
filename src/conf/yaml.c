/* yaml.c -- libyaml's events into a tree.
 *
 * Events rather than libyaml's own document: they carry the marks of everything, they show
 * aliases before anything is expanded, and the depth is seen as it grows.  Open collections
 * stand on a stack of CONF_DEPTH_MAX; nothing recurses.
 *
 * What may go wrong: a syntax error ends the parse, since libyaml cannot go on behind one.  An
 * anchor, alias or tag is reported and leaves a node (an alias: a bad one), so that the rest of
 * the file is still looked at.
 */
#include "conf/node.h"

#include "base/secret.h"

#include <yaml.h>

#include <assert.h>

struct open {
    struct node *node;
    struct node *key; /* map: the key whose value comes next */
};

struct builder {
    struct arena *arena;
    struct conf_diag *diag;
    struct open stack[CONF_DEPTH_MAX];
    unsigned depth;
    struct node *root;
    unsigned documents;
    bool failed;
};

static struct conf_pos
place(yaml_mark_t m)
{
    return (struct conf_pos){(unsigned)m.line + 1, (unsigned)m.column + 1};
}

/* The innermost open collection; NULL outside of all. */
static struct open *
innermost(struct builder *b)
{
    if (b->depth == 0)
        return NULL;
    assert(b->stack[b->depth - 1].node);
    return &b->stack[b->depth - 1];
}

/* Ends the parse. */
static void
give_up(struct builder *b, yaml_mark_t m, const char *why)
{
    conf_error(b->diag, place(m), "%s", why);
    b->failed = true;
}

static void
attach(struct builder *b, struct node *node, yaml_mark_t m)
{
    struct open *top = innermost(b);

    if (!top) {
        b->root = node;
        return;
    }
    if (top->node->kind == NODE_MAP && top->key) {
        top->key->value = node;
        top->key = NULL;
        return;
    }
    if (top->node->kind == NODE_MAP) {
        if (node->kind != NODE_SCALAR) {
            give_up(b, m, "a key must be a plain word");
            return;
        }
        top->key = node;
    }
    if (top->node->last)
        top->node->last->next = node;
    else
        top->node->first = node;
    top->node->last = node;
    top->node->n++;
}

static struct node *
make(struct builder *b, enum node_kind kind, const yaml_event_t *e)
{
    struct node *node = arena_new(b->arena, struct node);

    node->kind = kind;
    node->at = place(e->start_mark);
    return node;
}

static void
refuse_extras(struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor,
              const yaml_char_t *tag)
{
    if (anchor)
        conf_error(
            b->diag, place(e->start_mark),
            "\"&%s\" is a YAML anchor, which is not supported; put the text in quotes if "
            "it is meant as such",
            (const char *)anchor);
    if (tag)
        conf_error(
            b->diag, place(e->start_mark),
            "\"%s\" is a YAML tag, which is not supported; put the text in quotes if it is "
            "meant as such",
            (const char *)tag);
}

static void
on_alias(struct builder *b, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;

    conf_error(
        b->diag, place(e->start_mark),
        "*%s is a YAML alias, which is not supported; a value that begins with a star must "
        "be quoted: \"*%s\"",
        name, name);
    attach(b, make(b, NODE_BAD, e), e->start_mark);
}

static void
on_scalar(struct builder *b, const yaml_event_t *e)
{
    struct node *node = make(b, NODE_SCALAR, e);
    struct open *top = innermost(b);

    refuse_extras(b, e, e->data.scalar.anchor, e->data.scalar.tag);
    node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text =
        arena_dup(b->arena, str_of((const char *)e->data.scalar.value, e->data.scalar.length));
    secret_wipe(e->data.scalar.value, e->data.scalar.length);
    if (top && top->node->kind == NODE_MAP && !top->key && node->plain &&
        str_eq(node->text, STR("<<")))
        conf_error(b->diag, node->at, "merge keys (<<) are not supported");
    attach(b, node, e->start_mark);
}

static void
on_open(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
    struct node *node = make(b, kind, e);

    if (kind == NODE_MAP)
        refuse_extras(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
    else
        refuse_extras(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
    if (b->depth == CONF_DEPTH_MAX) {
        give_up(b, e->start_mark, "nested too deeply");
        return;
    }
    attach(b, node, e->start_mark);
    b->stack[b->depth++] = (struct open){.node = node};
}

static void
on_event(struct builder *b, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++)
            give_up(b, e->start_mark, "a second document; a file holds one");
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, e);
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(b, e);
        break;
    case YAML_MAPPING_START_EVENT:
        on_open(b, e, NODE_MAP);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_open(b, e, NODE_LIST);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        b->depth--;
        break;
    default:
        break;
    }
}

static void
syntax_error(struct builder *b, const yaml_parser_t *p, struct str text)
{
    const char *what = p->problem ? p->problem : "cannot be read";
    bool alias = p->context && strstr(p->context, "alias");
    bool flow = p->context && strstr(p->context, "flow");
    bool has_variable = text.n && memmem(text.p, text.n, "${", 2);
    /* The reader's errors (bytes that are no UTF-8) have no mark; where it stood has. */
    yaml_mark_t at = p->error == YAML_READER_ERROR ? p->mark : p->problem_mark;

    b->failed = true;
    if (alias)
        conf_error(b->diag, place(p->context_mark),
                   "a value that begins with a star must be quoted: \"*\"");
    else if (p->context)
        conf_error(b->diag, place(at), "not valid YAML: %s, %s%s", p->context, what,
                   flow && has_variable
                       ? "; inside [] and {} a value with ${...} must be quoted"
                       : "");
    else
        conf_error(b->diag, place(at), "not valid YAML: %s", what);
}

/* libyaml's copies of the text: its events are wiped above, these are its two buffers. */
static void
wipe_parser(yaml_parser_t *p)
{
    if (p->buffer.start)
        secret_wipe(p->buffer.start, (size_t)(p->buffer.end - p->buffer.start));
    if (p->raw_buffer.start)
        secret_wipe(p->raw_buffer.start, (size_t)(p->raw_buffer.end - p->raw_buffer.start));
}

tg_rc
node_parse(struct str text, struct arena *a, struct conf_diag *d, struct node **ret)
{
    struct builder b = {.arena = a, .diag = d};
    yaml_parser_t p;
    bool done = false;

    if (text.n > CONF_FILE_BYTES_MAX) {
        conf_error(d, (struct conf_pos){0, 0}, "larger than %d bytes", CONF_FILE_BYTES_MAX);
        return TG_ECONFIG;
    }
    if (!yaml_parser_initialize(&p))
        return tg_fail(NULL, TG_EINTERNAL, TG_ERR_INTERNAL, NULL, "libyaml");
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)(text.n ? text.p : ""), text.n);
    while (!done && !b.failed) {
        yaml_event_t e;

        if (!yaml_parser_parse(&p, &e)) {
            syntax_error(&b, &p, text);
            break;
        }
        done = e.type == YAML_STREAM_END_EVENT;
        on_event(&b, &e);
        yaml_event_delete(&e);
    }
    wipe_parser(&p);
    yaml_parser_delete(&p);
    if (b.failed)
        return TG_ECONFIG;
    *ret = b.root;
    return TG_OK;
}

/* Depth is bounded by CONF_DEPTH_MAX, so this recurses at most so often. */
void
node_wipe(struct node *root)
{
    if (!root)
        return;
    /* arena_dup's bytes are ours to write. */
    secret_wipe((void *)(uintptr_t)root->text.p, root->text.n);
    for (struct node *c = root->first; c; c = c->next) {
        node_wipe(c);
        node_wipe(c->value);
    }
}

const char *
conf_library(void)
{
    static _Thread_local char text[32];

    snprintf(text, sizeof text, "libyaml %s", yaml_get_version_string());
    return text;
}
