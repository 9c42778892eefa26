/* chunk.h -- the records that a Chat stream is made of. */
#ifndef DIALECT_CHAT_CHUNK_H
#define DIALECT_CHAT_CHUNK_H

#include "dialect/chat/chat_int.h"
#include "dialect/record.h"

/* The delta of choice number `choice`, up to and with its opening brace, and from its closing
 * one on.  finish: the reason, "" = null.  probs: JSON array of the content's tokens, "" =
 * null. */
void chat_chunk_open(struct record *r, const struct dialect_enc *e, uint32_t choice);
void chat_chunk_close(struct record *r, const struct dialect_enc *e, struct str finish,
                      struct str probs);
/* A record that says no more than the role and that a block of that kind begins. */
void chat_chunk_role(struct record *r, const struct dialect_enc *e, uint32_t choice,
                     enum ir_kind kind);
/* The first fragment of a call; first: of the whole choice. */
void chat_chunk_call(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
                     const struct ir_block *head, bool first);
/* More of an open block. */
void chat_chunk_text(struct record *r, const struct dialect_enc *e, const struct chat_open *blk,
                     struct str text, struct str probs);
/* The proof of thoughts that are over, sealed with their text where it is known. */
void chat_chunk_proof(struct record *r, const struct dialect_enc *e,
                      const struct chat_open *blk, const struct ir_block *think,
                      uint32_t index);
void chat_chunk_note(struct record *r, const struct dialect_enc *e, uint32_t choice,
                     const struct ir_note *note);
void chat_chunk_usage(struct record *r, const struct dialect_enc *e, const struct ir_usage *u);

#endif
