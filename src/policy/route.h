/* route.h -- which upstream serves a model name. */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "policy/settings.h"

struct route {
    const struct upstream_settings *upstream; /* lives with the settings */
    struct str model;                         /* what to ask the upstream for; borrowed */
    bool strict;                              /* of the model's settings */
    int64_t max_tokens;
};

/* The first exact name wins, else the pattern with the longest literal part, else TG_ENOTFOUND
 * (kind not_found, code model_not_found, param "model").  `model` is what the client asked for
 * and must live as long as *ret. */
TG_MUST_USE tg_rc route_find(const struct settings *s, struct str model, struct route *ret,
                             struct tg_err *err);

#endif
