/* links: policy */
/* The bound of a request's tokens over any bytes: it ends, it stays between the template's allowance and one token a
 * byte with an allowance for each key that can name a picture, and a body without quotes has none of these. */
#include <stdlib.h>

#include "policy/budget.h"

enum { PICTURE = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str body = str_from((const char *)data, size);
  int64_t tokens = budget_input_bound(body, PICTURE), quotes = 0;
  for (size_t i = 0; i < size; i++) quotes += data[i] == '"';
  int64_t most = (int64_t)size + BUDGET_TEMPLATE_TOKENS + quotes / 2 * PICTURE;
  if (tokens < BUDGET_TEMPLATE_TOKENS || tokens > most) abort();
  if (quotes < 2 && tokens != (int64_t)size + BUDGET_TEMPLATE_TOKENS) abort();
  const struct price price = {.nano_usd_per_mtok = {1000000, 2000000}, .known = 3};
  const struct budget_terms t = {.price = &price, .input_tokens = tokens, .has_output = true};
  int64_t amount = 0;
  if (!budget_amount(&t, 100, &amount) || budget_affordable(&t, 100, amount) != 100) abort();
  return 0;
}
