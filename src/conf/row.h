/* row.h -- one row's value: set from text, described in words. */
#ifndef CONF_ROW_H
#define CONF_ROW_H

#include "conf/conf.h"

enum { ROW_WORDS_MAX = 256 };

static inline void *
row_field(const struct conf_row *row, void *base)
{
    return (char *)base + row->offset;
}

static inline const void *
row_field_const(const struct conf_row *row, const void *base)
{
    return (const char *)base + row->offset;
}

static inline unsigned *
row_count(const struct conf_row *row, void *base)
{
    return (unsigned *)(void *)((char *)base + row->count_offset);
}

static inline unsigned
row_count_const(const struct conf_row *row, const void *base)
{
    return *(const unsigned *)(const void *)((const char *)base + row->count_offset);
}

static inline size_t
row_list_max(const struct conf_row *row)
{
    return row->max ? (size_t)row->max : CONF_LIST_MAX;
}

/* Reads text (expanded) into the row's field; for CONF_STRINGS into *field as one element.
 * TG_EINVAL: not what the row wants, words say what that is.  TG_ECONFIG: err says why (a
 * secret's file).  Not for sections. */
TG_MUST_USE tg_rc row_set(const struct conf_row *row, struct str text, void *field,
                          struct arena *a, struct tg_err *err);
/* "must be ...": the words behind "be". */
void row_words(const struct conf_row *row, char out[ROW_WORDS_MAX]);
/* "0.5" to "3600" for seconds and so on; "" when the row has no such limits. */
void row_range(const struct conf_row *row, char out[ROW_WORDS_MAX]);
/* Offers the words a row of a closed set accepts. */
void row_guess(const struct conf_row *row, struct conf_guess *g);
/* The name of a value of an enum or an integer; NULL when it has none. */
const char *row_value_name(const struct conf_row *row, int64_t value);
int64_t row_integer(const struct conf_row *row, const void *field);

#endif
