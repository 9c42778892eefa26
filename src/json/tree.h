/* tree.h -- a JSON document as a tree, for the few places that look at values in any order and
 * do not pass them on (schemas).  Parsed by cJSON after json_check has bounded its depth,
 * copied into the arena, cJSON's own tree is freed before the call returns.  Numbers are
 * doubles: never print a tree back to a peer.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "base/arena.h"
#include "triglot/err.h"
#include "json/scan.h"

struct json_node {
    enum json_kind kind;
    struct str key;  /* inside an object */
    struct str text; /* strings, unescaped; may hold NUL */
    double number;
    struct json_node *child; /* first member or element */
    struct json_node *next;
    unsigned n; /* children */
};

/* Everything in *ret is the arena's; text may go afterwards.  Errors: those of json_check with
 * a depth of at most 64, and TG_EINVAL for half a surrogate pair in a string and for a number
 * of more than 63 characters.  A number beyond a double's range is infinite. */
TG_MUST_USE tg_rc json_tree(struct arena *a, struct str text, struct json_node **ret,
                            struct tg_err *err);
/* Member by exact name, the last one where it stands twice, or NULL; object may be NULL or not
 * an object. */
const struct json_node *json_node_get(const struct json_node *object, const char *name);

#endif
