/* route.h -- which upstream serves a model name. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "policy/settings.h"

struct route {
    const struct upstream_settings *upstream; /* lives with the settings */
    struct str model;                         /* what to ask the upstream for; borrowed */
    bool strict;                              /* of the model's settings */
    int64_t max_tokens;
    enum caps_server server;
    const struct caps_settings *caps[2]; /* the upstream's, the model's; NULL = nothing said */
    const struct param_rule *params;     /* in their order; they live with the settings      */
    unsigned n_params;
};

/* The first exact name wins, else the pattern with the longest literal part, else TG_ENOTFOUND
 * (kind not_found, code model_not_found, param "model").  `model` is what the client asked for
 * and must live as long as *ret. */
TG_MUST_USE tg_rc route_find(const struct settings *s, struct str model, struct route *ret,
                             struct tg_err *err);

/* What the configuration says about the model, laid over what *caps holds: the upstream's word,
 * then the model's. */
void route_caps(const struct route *r, struct ir_caps *caps);

#endif
