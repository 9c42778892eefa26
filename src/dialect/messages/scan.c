/* scan.c -- routing and relaying a request without decoding it.
 *
 * Usage is always in a stream of this dialect, so the model is the only thing that relaying
 * changes.
 */
#include "dialect/messages/messages_int.h"

#include "dialect/body.h"

tg_rc
messages_scan_req(struct arena *a, enum dialect_call call, struct str body,
                  struct dialect_view *ret, struct tg_err *err)
{
    struct dialect_view v = {.call = call, .wants_usage = true};
    tg_rc rc = body_scan(a, body, NULL, NULL, &v, err);

    if (rc == TG_OK)
        *ret = v;
    return rc;
}

void
messages_relay_req(struct arena *a, const struct dialect_view *view, struct str model,
                   struct str ret[DIALECT_PIECES_MAX], int *ret_n)
{
    struct body_edit edit;
    int n = body_edit_model(a, view, model, &edit) ? 1 : 0;

    body_pieces(view->body, &edit, n, ret, ret_n);
}
