/* Nodes in the store: what changes them. Called within a transaction of store_write; what is read is nodes_load's.
 * Callers have checked names and addresses. A code or name that exists is ERR_CONFLICT, a node that does not
 * ERR_NOT_FOUND. */
#ifndef MAESTRO_STATE_STORE_NODE_H
#define MAESTRO_STATE_STORE_NODE_H

#include "state/node.h"

/* The node of that code or number, alone in *out, with its credential open. */
enum err store_node_find(struct db *db, struct str code_or_id, const struct node_key *key, struct nodes *out,
                         struct err_info *info) MUST_CHECK;
/* Sets node->id. What is stored as credential is node->sealed. */
enum err store_node_add(struct db *db, struct node *node, struct err_info *info) MUST_CHECK;
/* All of the node but its models. */
enum err store_node_update(struct db *db, const struct node *node, struct err_info *info) MUST_CHECK;
/* With its models. */
enum err store_node_delete(struct db *db, int64_t id, struct err_info *info) MUST_CHECK;
/* Adds the model or replaces all of it. */
enum err store_node_put_model(struct db *db, int64_t id, const struct node_model *m, struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND when nothing is stored of it. */
enum err store_node_delete_model(struct db *db, int64_t id, struct str name, struct err_info *info) MUST_CHECK;
/* What the node lists now: new models are available, what is known of others but what the list says stays, and those
 * that are not in it any more are so marked, or go if nobody has set anything for them. `listed` says name,
 * listed_tokens, size_bytes, family and digest. */
enum err store_node_sync(struct db *db, const struct node *node, const struct node_model *listed, size_t n,
                         int64_t now_us, struct err_info *info) MUST_CHECK;
/* A node of an export, with a new number. */
enum err store_node_import(struct db *db, const struct node *node, struct err_info *info) MUST_CHECK;

/* The nodes as last known, counted: give it back with nodes_unref. Read from the store when something of them has
 * changed; without a store, from nodes.jsonl beside it. Never NULL but without memory. Blocks. */
const struct nodes *store_nodes(void);
const struct nodes *store_nodes_ref(const struct nodes *nodes);
void store_nodes_unref(const struct nodes *nodes); /* NULL is fine */
/* At the end of the process, and between tests. */
void store_nodes_forget(void);

#endif
