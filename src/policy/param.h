/* param.h -- an operator's rules about single fields of the requests to an upstream.
 *
 * A rule speaks of the body in the upstream's own words, after translation:
 *
 *     drop NAME            refuse NAME            rename NAME NEW
 *     clamp NAME MIN MAX   default NAME JSON
 *
 * NAME is a member of the body, or with one dot a member of an object in it
 * ("stream_options.include_usage"); triglot.yaml(5) has the rules in full.
 */
#ifndef POLICY_PARAM_H
#define POLICY_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "triglot/err.h"
#include "triglot/ir.h"

enum { PARAM_RULES_MAX = 64, PARAM_NAME_MAX = 64, PARAM_JSON_DEPTH_MAX = 32 };

enum param_what { PARAM_DROP, PARAM_REFUSE, PARAM_RENAME, PARAM_CLAMP, PARAM_DEFAULT };

/* A JSON number: as written, and for comparing. */
struct param_number {
    struct str text;
    bool whole; /* then i is exact */
    int64_t i;
    double d;
};

/* The texts are of param_parse's arena. */
struct param_rule {
    enum param_what what;
    struct str name;              /* as configured; NUL-terminated                   */
    struct str top, sub;          /* before and behind the dot; sub "" = no dot      */
    struct str to;                /* RENAME: the new name in the same object         */
    struct param_number min, max; /* CLAMP                                           */
    struct str value;             /* DEFAULT                                         */
    struct str object;            /* DEFAULT with sub: an object with only that in it */
};

/* Reads one rule.  TG_EINVAL with a message that quotes nothing of the text, since a variable
 * may have had a part in it. */
TG_MUST_USE tg_rc param_parse(struct arena *a, struct str text, struct param_rule *ret,
                              struct tg_err *err);

/* Appends body, a JSON object that passed json_check, to out with the rules applied in their
 * order; what no rule touches is copied byte for byte.  n is at most PARAM_RULES_MAX.  What a
 * rule takes away or changes in value goes into drops by the rule's NAME, borrowed, or when
 * strict is refused.  TG_EINVAL: refused (unsupported_parameter, param NAME; a value out of a
 * clamp's range invalid_value), or no JSON object; TG_ELIMIT: out is full.  On failure
 * out is as it was. */
TG_MUST_USE tg_rc param_apply(const struct param_rule *rules, unsigned n, bool strict,
                              struct str body, struct buf *out, struct ir_drops *drops,
                              struct tg_err *err);

#endif
