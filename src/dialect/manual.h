/* manual.h -- the carry tables as text for the manual. */
#ifndef DIALECT_MANUAL_H
#define DIALECT_MANUAL_H

#include "base/buf.h"

/* The tables of all dialects as mdoc: one item a feature, with what becomes of it towards each.
 * TG_ELIMIT: b is full. */
TG_MUST_USE tg_rc dialect_manual(struct buf *b);

#endif
