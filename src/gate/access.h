/* access.h -- the access line. */
#ifndef GATE_ACCESS_H
#define GATE_ACCESS_H

#include "api/exchange.h"

/* One line, event "request", with every field of triglot(8)'s list; unknown ones are "-". */
void access_log(struct exchange *x);

#endif
