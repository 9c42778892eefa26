/* body.h -- the top level of a request body: what routing and relaying need of it.
 *
 * All dialects name model and stream alike, and relaying replaces the model and little else.
 * A routing field that stands twice is refused: the upstream might take the other one, and then
 * what was routed, limited and logged is not what was run.
 */
#ifndef DIALECT_BODY_H
#define DIALECT_BODY_H

#include "base/arena.h"
#include "triglot/dialect.h"
#include "json/scan.h"

/* Looks at a member of the top level that is neither model nor stream. */
typedef tg_rc body_member_fn(void *arg, const struct json_member *, struct dialect_view *,
                             struct tg_err *);

/* Checks that body is JSON of bounded depth and finds model and, unless it is a call without
 * answers that stream, stream.  view: what its caller knows (call, wants_usage) goes in, the
 * rest comes out, borrowed from body; no good after a failure.  look may be NULL.  TG_EINVAL,
 * err names the field. */
TG_MUST_USE tg_rc body_scan(struct arena *a, struct str body, body_member_fn *look, void *arg,
                            struct dialect_view *view, struct tg_err *err);
/* A member that may stand once has come: *seen becomes true, or the second one is refused.
 * name is the place as the client knows it. */
TG_MUST_USE tg_rc body_once(bool *seen, const char *name, struct tg_err *err);

/* `del` bytes at `at` give way to `text`. */
struct body_edit {
    const char *at;
    size_t del;
    struct str text;
};

/* The edit that has the body ask for `model`; false: it does already.  In the arena. */
bool body_edit_model(struct arena *a, const struct dialect_view *view, struct str model,
                     struct body_edit *ret);
/* The body with n edits, in the order of their places: pieces of it and their texts. */
void body_pieces(struct str body, const struct body_edit *edits, int n,
                 struct str ret[DIALECT_PIECES_MAX], int *ret_n);

/* A request in which nothing has been said yet; origin is a dialect's name. */
struct ir_req body_request(const char *origin);

#endif
