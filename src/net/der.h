/* der.h -- elements of DER, one after the other (X.690).
 *
 * Definite lengths only, of at most three bytes, and tags of one byte.  Every element is cut
 * out of its parent before it is looked into, so a length that lies fails and cannot reach
 * another element.
 */
#ifndef NET_DER_H
#define NET_DER_H

#include <stdbool.h>

#include "triglot/str.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BITS = 0x03,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_UTCTIME = 0x17,
    DER_GENTIME = 0x18,
    DER_BMPSTRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_VERSION = 0xa0,
    DER_EXTENSIONS = 0xa3,
    DER_DNSNAME = 0x82, /* GeneralName [2] */
};

/* Cuts the first element off *in; ret_all, when not NULL, is the element with its header.  All
 * borrow from *in.  false: there is no sound one, and *in is as it was. */
bool der_next(struct str *in, unsigned *ret_tag, struct str *ret_body, struct str *ret_all);
/* The same, of one tag only. */
bool der_take(struct str *in, unsigned tag, struct str *ret_body);

#endif
