/* Tokens of a text, exactly as OpenAI's published encodings count them: o200k_base and cl100k_base. Their vocabularies
 * (ranks of byte pairs, in the order in which they merge) and patterns (how a text is cut before) are taken at build
 * time from the npm package `tiktoken` (scripts/tokenizer_data; read 2026-11-28), against which a test counts.
 *
 * A vocabulary is unpacked by the first call that needs it, once for the process, which takes some 15 ms: not a thing
 * to do on a loop (tokenizer_is_ready). It stays: 3.5 MB for o200k_base, 1.7 MB for cl100k_base. Counting allocates
 * nothing, takes no lock, and is linear in the text whatever the text is. Any thread. A binary built without npm has no
 * vocabularies; its counts are estimates (text/token_estimate.h). */
#ifndef MAESTRO_TEXT_TOKENIZER_H
#define MAESTRO_TEXT_TOKENIZER_H

#include "base/str.h"

enum tokenizer_encoding { TOKENIZER_O200K, TOKENIZER_CL100K, TOKENIZER_ENCODINGS };

/* Whether counting by it does not begin with unpacking. True, too, where there is nothing to unpack. */
bool tokenizer_is_ready(enum tokenizer_encoding encoding);
/* Unpacks; false where this binary has no such vocabulary, or there was no memory for it (which stays so). */
bool tokenizer_load(enum tokenizer_encoding encoding);

/* The tokens of text, or -1 where tokenizer_load is false. The text is taken as text: what looks like a special token
 * is the characters that it is made of. Bytes that are no UTF-8 count as bytes, each a character of no class; the
 * reference never sees such, as it takes text.
 *
 * One caveat to "exactly": a run of more than TOKENIZER_WINDOW bytes that no pattern cuts (letters without a space) is
 * merged window by window, and joined where the joint provably does not change the result; a run that is made up so
 * that no such joint exists for hundreds of bytes may be counted a token off there. */
int64_t tokenizer_count(enum tokenizer_encoding encoding, struct str text);

enum { TOKENIZER_WINDOW = 512 };

#endif
