/* node.h -- a YAML document as a tree, in an arena. */
#ifndef CONF_NODE_H
#define CONF_NODE_H

#include "conf/conf.h"

enum node_kind {
    NODE_SCALAR,
    NODE_MAP,  /* children are the keys (scalars), each with its value */
    NODE_LIST, /* children are the items                               */
    NODE_BAD,  /* something that was refused and reported              */
};

struct node {
    enum node_kind kind;
    bool plain; /* scalar without quotes */
    struct conf_pos at;
    struct str text;    /* scalar, as written: nothing expanded */
    struct node *first; /* children, in order */
    struct node *last;
    struct node *next;  /* sibling */
    struct node *value; /* of a key; NULL only while the tree is built */
    unsigned n;         /* children */
};

/* *ret is NULL for a document that is empty.  TG_ECONFIG when the text is no YAML, or more than
 * is accepted, in a way that leaves no tree; a refused anchor, alias or tag is reported and the
 * tree goes on. */
TG_MUST_USE tg_rc node_parse(struct str text, struct arena *a, struct conf_diag *d,
                             struct node **ret);
/* Overwrites the texts of all scalars: a key may stand in the file. */
void node_wipe(struct node *root);

#endif
