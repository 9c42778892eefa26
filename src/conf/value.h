/* value.h -- scalars: from text, to text, and what stands in for ${NAME}. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/conf.h"

/* TG_EINVAL: not of this form.  TG_ELIMIT: of this form and too large to hold. */
TG_MUST_USE tg_rc value_bool(struct str s, bool *ret);
TG_MUST_USE tg_rc value_seconds(struct str s, int64_t *ret_ms);
TG_MUST_USE tg_rc value_bytes(struct str s, int64_t *ret);

enum { VALUE_TEXT_MAX = 48 };

/* The shortest text that the functions above read back: "0.5", "64KiB". */
void value_put_seconds(int64_t ms, char out[VALUE_TEXT_MAX]);
void value_put_bytes(int64_t n, char out[VALUE_TEXT_MAX]);

/* Writes text to out with ${NAME}, ${NAME:-default} and $$ replaced; the names met are put into
 * ret_names (cut when long).  Never shows a variable's value in err.  TG_ECONFIG; TG_ELIMIT
 * when out is full. */
TG_MUST_USE tg_rc value_expand(struct str text, struct buf *out, char *ret_names,
                               size_t names_n, struct tg_err *err);

#endif
