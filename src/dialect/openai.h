/* openai.h -- what the dialects of one maker share: the error object and the list of models.
 *
 * Chat and Responses answer errors with the same body and read the same words in those of an
 * upstream.
 */
#ifndef DIALECT_OPENAI_H
#define DIALECT_OPENAI_H

#include "base/buf.h"
#include "triglot/dialect.h"
#include "json/write.h"

/* HTTP status of an answer with this error. */
unsigned openai_error_status(const struct tg_err *err);
/* The word of err: the upstream's where it gave one that is clean and clients do not look for
 * ours, else its own code, else its kind's; "" = none.  Borrowed of err. */
struct str openai_error_code(const struct tg_err *err);
/* The word that stands for a kind of error; NULL: a kind that has none. */
const char *openai_kind_code(enum tg_err_kind kind);
/* {"error":{message,type,param,code}}.  TG_ELIMIT, and b as it was. */
TG_MUST_USE tg_rc openai_encode_error(const struct tg_err *err, struct buf *b);
/* The inner object alone, as a value. */
void openai_put_error(struct json_out *o, const struct tg_err *err);

/* Is this body such an error? */
bool openai_error_fits(struct str body);
/* Is this value of an "error" field one that clients take for an error? */
bool openai_error_is(struct str value);
/* Fills err from such a value (an object, or a text); origin upstream.  Of one about
 * credentials it says only that (code "upstream_auth").  err may be NULL. */
void openai_read_error(struct str value, struct tg_err *err);
/* The same for an error in the place of an answer, or of a part of one: d->err gets the object
 * too (raw).  Returns its rc. */
TG_MUST_USE tg_rc openai_take_error(struct dialect_dec *d, struct str value);
/* The value that describes the error in a JSON body of one of the usual shapes.  Borrowed. */
bool openai_find_error(struct str body, struct str *ret);
/* Fills err from an answer with a bad status, whatever its body is; origin upstream.  raw
 * borrows from body. */
void openai_decode_error(unsigned status, struct str body, struct tg_err *err);

/* The list of models, and one of them.  TG_ELIMIT. */
TG_MUST_USE tg_rc openai_encode_models(const struct ir_model *v, unsigned n, struct buf *b);
TG_MUST_USE tg_rc openai_encode_model(const struct ir_model *m, struct buf *b);

#endif
