/* field.h -- reading the fields of a JSON request, with errors that name the field.
 *
 * A place in the request is a chain from the field up to the root, kept on the stack and
 * spelled out (messages.0.content) only when something is wrong there.
 */
#ifndef JSON_FIELD_H
#define JSON_FIELD_H

#include "base/arena.h"
#include "triglot/err.h"
#include "json/scan.h"

struct field_at {
    const struct field_at *up;
    const char *name; /* NULL: an element, index says which */
    unsigned index;
};

struct field_reader {
    struct arena *a; /* for texts that had escapes */
    struct tg_err *err;
};

/* The place, spelled out, in the arena; empty for NULL. */
struct str field_place(struct arena *a, const struct field_at *at);
/* TG_EINVAL, with the place as param.  at may be NULL. */
tg_rc field_refuse(const struct field_reader *r, const struct field_at *at, const char *code,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
tg_rc field_refuse_type(const struct field_reader *r, const struct field_at *at,
                        const char *want, enum json_kind got);
tg_rc field_refuse_missing(const struct field_reader *r, const struct field_at *up,
                           const char *name);

/* Beginning and checks common to all decoders: JSON, depth, an object. */
tg_rc field_check(const struct field_reader *r, struct str body);
/* Finds the members with these names in one pass; the last one wins where a name stands twice.
 * What is not there gets kind JSON_NONE. */
tg_rc field_pick(const struct field_reader *r, const struct field_at *at, struct str object,
                 const char *const *names, unsigned n, struct json_member *ret);
/* There, and not null. */
static inline bool
field_has(const struct json_member *m)
{
    return m->kind > JSON_NULL;
}

/* Leave *ret alone when the field is absent or null; TG_EINVAL with the place otherwise. */
tg_rc field_string(const struct field_reader *r, const struct field_at *at,
                   const struct json_member *m, struct str *ret);
/* As field_string, but the field must be there and not be empty. */
tg_rc field_string_needed(const struct field_reader *r, const struct field_at *up,
                          const char *name, const struct json_member *m, struct str *ret);
tg_rc field_bool(const struct field_reader *r, const struct field_at *at,
                 const struct json_member *m, bool *ret);
tg_rc field_int(const struct field_reader *r, const struct field_at *at,
                const struct json_member *m, int64_t min, int64_t max, int64_t *ret);

#endif
