/* How much a model shall think: APIs that say it in a word (OpenAI, Ollama, newer Gemini and Anthropic models) and
 * those that say it in tokens (older Gemini and Anthropic models), and the way between them. One table for all
 * dialects, so that a word means the same wherever it goes. Pure.
 *
 * Source: the budgets that Google's own OpenAI layer takes for the words low, medium and high (Gemini API reference,
 * "OpenAI compatibility", read 2026-11), which are also Anthropic's least, its documented middle and what it advises
 * for hard work. The stronger words are Anthropic's largest advised budget. */
#ifndef MAESTRO_LLM_EFFORT_H
#define MAESTRO_LLM_EFFORT_H

#include "llm/request.h"

/* Thinking was said to be unwanted, in whichever terms. */
bool effort_is_off(const struct request_reasoning *r);
/* Tokens for a word; -1: no word of the table ("none" is none of it either). */
int64_t effort_budget(struct str effort);
/* A word, and neither "none" nor of the table: only who knows it can say what it means. */
bool effort_is_other(struct str effort);
/* The nearest of "low", "medium" and "high" for a budget (bounds are halfway between theirs); empty for less than 1. */
struct str effort_of_budget(int64_t tokens);
/* The effort where it is no weaker than `least` and no stronger than `most` (both of the table), else that one; a word
 * that is not of the table is returned as it is: the target's to judge. */
struct str effort_within(struct str effort, struct str least, struct str most);

#endif
