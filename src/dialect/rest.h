/* rest.h -- members further down in a client's request that nobody knows. */
#ifndef DIALECT_REST_H
#define DIALECT_REST_H

#include "triglot/ir.h"
#include "json/field.h"
#include "json/scan.h"

/* Adds to req->ext, by its place, what a field further down in the request asks for that no
 * other dialect is told of.  at: of the object, name: of the member. */
void rest_add(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
              struct str name, struct str value);
/* Is it null, false, "" or empty?  Then it says nothing. */
bool rest_is_silent(const struct json_member *m);
/* A key as json_next gives it, without its escapes. */
struct str rest_key(struct arena *a, struct str key);
/* rest_add for each member of the object that is none of the n names and says something. */
void rest_note(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
               struct str object, const char *const *names, unsigned n);

#endif
