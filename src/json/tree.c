/* tree.c -- a JSON document as a tree; the only file that sees cJSON.
 *
 * cJSON recurses as deep as its text nests (about 100 bytes of stack a level, some of our
 * stacks are 64 KiB) and its strings end at the first NUL.  So json_check bounds the depth
 * first, and the copy into the arena walks cJSON's tree and the text side by side: kinds, order
 * and numbers come from cJSON, keys and strings from the text, where "\u0000" has not cut them.
 * The two must agree at every step; where they do not, the document is refused.
 *
 * Members are looked up by comparing keys here: cJSON's plain lookup ignores case.
 */
#include "json/tree.h"

#include <cjson/cJSON.h>

enum { TREE_DEPTH_MAX = 64 };

static enum json_kind
kind_of(const cJSON *from)
{
    if (cJSON_IsNull(from))
        return JSON_NULL;
    if (cJSON_IsFalse(from))
        return JSON_FALSE;
    if (cJSON_IsTrue(from))
        return JSON_TRUE;
    if (cJSON_IsNumber(from))
        return JSON_NUMBER;
    if (cJSON_IsString(from))
        return JSON_STRING;
    if (cJSON_IsArray(from))
        return JSON_ARRAY;
    return cJSON_IsObject(from) ? JSON_OBJECT : JSON_NONE;
}

static tg_rc copy_children(struct arena *a, const cJSON *from, struct str text,
                           struct json_node *to);

/* Fills *to, all but its key and next. */
static tg_rc
copy_value(struct arena *a, const cJSON *from, struct str text, struct json_node *to)
{
    to->kind = kind_of(from);
    if (to->kind != json_kind_of(text))
        return TG_EINVAL;
    switch (to->kind) {
    case JSON_NUMBER:
        to->number = from->valuedouble;
        return TG_OK;
    case JSON_STRING: {
        struct str s;
        tg_rc rc = json_string(a, text, &s);

        if (rc == TG_OK)
            to->text = arena_dup(a, s);
        return rc;
    }
    case JSON_ARRAY:
    case JSON_OBJECT:
        return copy_children(a, from, text, to);
    default:
        return TG_OK;
    }
}

/* Recursion: at most TREE_DEPTH_MAX levels, checked before cJSON saw the text. */
static tg_rc
copy_children(struct arena *a, const cJSON *from, struct str text, struct json_node *to)
{
    bool object = to->kind == JSON_OBJECT;
    struct json_node **link = &to->child;
    const cJSON *item = from->child;
    struct json_member m;
    struct json_iter it;
    tg_rc rc = object ? json_object(&it, text) : json_array(&it, text);

    while (rc == TG_OK && json_next(&it, &m)) {
        struct json_node *node = arena_new(a, struct json_node);
        struct str key;

        if (!item)
            return TG_EINVAL;
        if (object) {
            /* The key with its quotes is a string value like any other. */
            rc = json_string(a, str_of(m.key.p - 1, m.key.n + 2), &key);
            if (rc != TG_OK)
                return rc;
            node->key = arena_dup(a, key);
        }
        rc = copy_value(a, item, m.value, node);
        *link = node;
        link = &node->next;
        to->n++;
        item = item->next;
    }
    if (rc != TG_OK)
        return rc;
    return it.rc == TG_OK && !item ? TG_OK : TG_EINVAL;
}

tg_rc
json_tree(struct arena *a, struct str text, struct json_node **ret, struct tg_err *err)
{
    struct json_node *root;
    const char *end;
    cJSON *doc;
    tg_rc rc = json_check(text, TREE_DEPTH_MAX, err);

    if (rc != TG_OK)
        return rc;
    /* Without hooks of its own cJSON allocates from malloc; NULL means a text that it does not
     * take though it is JSON: half a surrogate pair, a number of more than 63 characters. */
    doc = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
    if (!doc)
        return tg_refuse(err, "invalid_json", NULL,
                         "JSON holds half a surrogate pair or a number that is too long");
    root = arena_new(a, struct json_node);
    rc = copy_value(a, doc, text, root);
    cJSON_Delete(doc);
    if (rc != TG_OK)
        return tg_refuse(err, "invalid_json", NULL, "JSON holds a string that is not text");
    *ret = root;
    return TG_OK;
}

const struct json_node *
json_node_get(const struct json_node *object, const char *name)
{
    const struct json_node *found = NULL;

    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_node *m = object->child; m; m = m->next) {
        if (str_eq(m->key, str_z(name)))
            found = m;
    }
    return found;
}
