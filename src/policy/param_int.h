/* param_int.h -- between the file that reads rules and the one that applies them. */
#ifndef POLICY_PARAM_INT_H
#define POLICY_PARAM_INT_H

#include "policy/param.h"

/* One beyond what a double holds is infinite.  TG_EINVAL: no JSON number.  text is borrowed. */
TG_MUST_USE tg_rc param_number(struct str text, struct param_number *ret);
bool param_less(const struct param_number *a, const struct param_number *b);

#endif
