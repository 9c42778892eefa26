/* words.c -- what an upstream's error says in words where its fields say little.
 *
 * Servers that speak a dialect of somebody else's have no word for some causes: they answer 400
 * or 500 and say it in a sentence.  The sentences known are looked for as they stand.
 */
#include "dialect/words.h"

#include <string.h>

static const char *const too_long[] = {"maximum context length", "context window",
                                       "prompt is too long",     "available context size",
                                       "context length",         NULL};

/* The gateway's key, refused by servers that have no word for it. */
static const char *const bad_key[] = {"Incorrect API key", "Invalid API key",
                                      "invalid api key",   "API key not valid",
                                      "invalid x-api-key", NULL};

static bool
says(struct str text, const char *const *v)
{
    for (; *v; v++)
        if (memmem(text.p, text.n, *v, strlen(*v)))
            return true;
    return false;
}

enum tg_err_kind
words_judge(enum tg_err_kind kind, struct str text)
{
    if (kind != TG_ERR_INVALID_REQUEST && kind != TG_ERR_UPSTREAM && kind != TG_ERR_TOO_LARGE &&
        kind != TG_ERR_PERMISSION)
        return kind;
    if (says(text, bad_key))
        return TG_ERR_AUTH;
    return kind != TG_ERR_PERMISSION && says(text, too_long) ? TG_ERR_CONTEXT_LENGTH : kind;
}
