/* drops.h -- what could not be carried into another dialect, said by name. */
#ifndef IR_DROPS_H
#define IR_DROPS_H

#include "triglot/dialect.h"

/* Notes a drop (ir_drop), or refuses it when the route is strict: TG_EINVAL, code
 * "unsupported_parameter", param name. */
TG_MUST_USE tg_rc ir_drop_or_refuse(const struct dialect_route *route, struct ir_drops *drops,
                                    struct tg_err *err, struct str name);

#endif
