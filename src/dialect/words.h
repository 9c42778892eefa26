/* words.h -- what an upstream's error says in words where its fields say little. */
#ifndef DIALECT_WORDS_H
#define DIALECT_WORDS_H

#include "triglot/err.h"

/* The kind that the words confirm.  Kinds that name their cause stay; of the others, a refused
 * key becomes TG_ERR_AUTH and a request beyond the model's context TG_ERR_CONTEXT_LENGTH. */
enum tg_err_kind words_judge(enum tg_err_kind kind, struct str text);

#endif
