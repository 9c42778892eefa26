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
    NULL,
};

const struct dialect *const *
dialect_all(void)
{
    return dialects;
}

const struct dialect *
dialect_find(struct str name)
{
    for (const struct dialect *const *d = dialects; *d; d++)
        if (str_eq(name, str_z((*d)->name)))
            return *d;
    return NULL;
}
