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
/* The same for each member of the object that is none of the n names and says something: null,
 * false, "" and what is empty say nothing. */
void rest_note(const struct field_reader *in, struct ir_req *req, const struct field_at *at,
               struct str object, const char *const *names, unsigned n);

#endif
