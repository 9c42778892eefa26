/* sim_schema_int.h -- what the two files that obey schemas share. */
#ifndef UPSTREAM_SIM_SCHEMA_INT_H
#define UPSTREAM_SIM_SCHEMA_INT_H

#include "base/buf.h"
#include "upstream/sim_int.h"
#include "json/scan.h"

/* Keywords, in groups that each speak for a type; see schema_type. */
enum keyword {
    K_REF,
    K_CONST,
    K_ENUM,
    K_TYPE,
    K_ALL_OF,
    K_ANY_OF,
    K_ONE_OF,
    K_PROPERTIES,
    K_REQUIRED,
    K_ADDITIONAL,
    K_MIN_PROPERTIES,
    K_MAX_PROPERTIES,
    K_ITEMS,
    K_PREFIX_ITEMS,
    K_MIN_ITEMS,
    K_MAX_ITEMS,
    K_UNIQUE,
    K_MINIMUM,
    K_MAXIMUM,
    K_EX_MINIMUM,
    K_EX_MAXIMUM,
    K_MULTIPLE,
    K_MIN_LENGTH,
    K_MAX_LENGTH,
    K_FORMAT,
    K_N
};

struct schema_node {
    struct str at[K_N]; /* values of the keywords; empty = not there */
};

/* One value in the making. */
struct schema_gen {
    struct arena *a; /* scratch */
    struct buf *out;
    struct str root;
    struct sim_rng rng;
    size_t nodes, read;
    const char *why; /* the reason of the last failure */
    char where[48];  /* the property it was in         */
};

/* Both fail for good reason only: false, and g->why says it. */
bool schema_fail(struct schema_gen *g, const char *why);
bool schema_put(struct schema_gen *g, struct str s);

/* sim_scalar.c */

/* The value of a keyword that is a count, or otherwise. */
int64_t schema_count(const struct schema_node *n, enum keyword k, int64_t otherwise);
/* The name of the type to make, in quotes.  object: when the schema does not say and nothing in
 * it speaks for another. */
struct str schema_type(const struct schema_node *n, bool object);
enum json_kind schema_kind(struct str quoted_type);
/* Is v of the type, or one of the types, that the schema names? */
bool schema_type_allows(const struct schema_node *n, struct str v);
bool schema_enum(struct schema_gen *g, const struct schema_node *n);
bool schema_number(struct schema_gen *g, const struct schema_node *n, bool integer);
bool schema_string(struct schema_gen *g, const struct schema_node *n);

#endif
