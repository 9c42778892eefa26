/* text.c -- the text that lies in blocks. */
#include "ir/text.h"

#include "base/join.h"

struct str
ir_text_of(struct arena *a, const struct ir_block *first)
{
    struct join texts = {.n = 0};

    for (const struct ir_block *b = first; b; b = b->next)
        join_add(a, &texts, b->text);
    return join_text(a, &texts);
}
