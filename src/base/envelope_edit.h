/* Edits of the members that an envelope scan has found, as spans. Commas are a matter of the whole object (who is last,
 * who goes, who comes), so the edits are collected by table row and turned into spans at once. One edit a row: the last
 * caller wins, which is how provider overrules route overrules policy. Pure; lives beside its scan. */
#ifndef MAESTRO_BASE_ENVELOPE_EDIT_H
#define MAESTRO_BASE_ENVELOPE_EDIT_H

#include "base/envelope_scan.h"
#include "base/span.h"

struct envelope_edit {
  const struct envelope_scan *scan;
  uint64_t set, removed;                /* bit per row; never both */
  struct str value[ENVELOPE_PATHS_MAX]; /* of the rows in `set` */
};

/* After envelope_scan_end. scan must outlive the edit. Touches no value slot, so it is cheap. */
void envelope_edit_init(struct envelope_edit *e, const struct envelope_scan *scan);
/* The member gets this raw JSON (borrowed until the bytes are sent), whether it is there or not. */
void envelope_edit_set(struct envelope_edit *e, unsigned row, struct str json);
void envelope_edit_remove(struct envelope_edit *e, unsigned row);
/* Forgets the edit of a row. */
void envelope_edit_keep(struct envelope_edit *e, unsigned row);
/* Adds the spans; texts for new members are made in the arena. An edit of a child is left out where its parent is
 * itself set or removed, and a child set under a parent that is absent brings the parent with it
 * ({"parent":{"child":…}}); under a parent that is no object it fails with ERR_BAD_TYPE. New members go right behind
 * the opening brace. */
enum err envelope_edit_spans(const struct envelope_edit *e, struct arena *arena, struct span_list *out,
                             struct err_info *info) MUST_CHECK;

#endif
