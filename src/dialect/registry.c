/* registry.c -- the dialects that this build speaks.
 *
 * The list is the folder list of src/dialect, written to dialects.inc by the Makefile as
 * X(NAME) lines: a dialect is registered by being there.
 */
#include "triglot/dialect.h"

#define X(name) extern const struct dialect dialect_##name;
#include "dialects.inc"
#undef X

static const struct dialect *const dialects[] = {
#define X(name) &dialect_##name,
#include "dialects.inc"
#undef X
};

const struct dialect *
dialect_find(struct str name)
{
    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
        if (str_eq(name, str_z(dialects[i]->name)))
            return dialects[i];
    return NULL;
}
