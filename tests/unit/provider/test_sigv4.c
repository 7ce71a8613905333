/* Signatures are those of the vendor's own signer for JavaScript (@smithy/signature-v4 5.7.5), asked for the same
 * requests with service "bedrock"; key id and secret are the examples of AWS's documents. */
#include "provider/sigv4.h"

#include <stdio.h>

#include "unit.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static const struct {
  const char *path, *body, *token, *region, *host;
  int64_t time_s;
  const char *date, *body_hash, *day, *headers, *signature;
} rows[] = {
    {"/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse", "{\"messages\":[]}", "", "us-east-1",
     "bedrock-runtime.us-east-1.amazonaws.com", 1795896930, "20261128T201530Z",
     "5e4ce7b36ba37b78a5d5f9fd08e6b7b54ba6879d651aa46ec9e1d6fa24ebe30a", "20261128",
     "host;x-amz-content-sha256;x-amz-date", "73a703e514e4c7c4aa51b6fde5ab9bd6dd3659f104022b30e7b21dce234b5f77"},
    {"/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.m/converse-stream",
     "{\"a\":\"\xc3\xbc\",\"b\":[1,2]}", "FwoGZXIvYXdzEXAMPLE//TOKEN==", "eu-west-1",
     "bedrock-runtime.eu-west-1.amazonaws.com", 1709164800, "20240229T000000Z",
     "815fc624760d8eb5090c0da64ed49386a8da3a0ef36c4a331d131430f76e6530", "20240229",
     "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
     "7e3c53c0234167d2a8719c04328ecac37427d9bc0c55a430750173a54aa4437b"},
    {"/model/a~b-c_d.e%20f!'()*/converse", "", "", "us-gov-west-1", "127.0.0.1:4566", 946684799, "19991231T235959Z",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "19991231",
     "host;x-amz-content-sha256;x-amz-date", "0b643f4cecb7953064365a73890f0796ad7f3be3d1e86f5dbeaf7c1afe4baf06"},
};

static struct arena arena;
static struct err_info info;

static struct sigv4_request request_of(size_t i, struct str body[3], size_t cut) {
  struct str whole = str_from_c(rows[i].body);
  body[0] = str_sub(whole, 0, cut);
  body[1] = STR_NONE;
  body[2] = str_sub(whole, cut, whole.n);
  return (struct sigv4_request){.method = STR("POST"),
                                .path = str_from_c(rows[i].path),
                                .host = str_from_c(rows[i].host),
                                .region = str_from_c(rows[i].region),
                                .service = STR("bedrock"),
                                .body = body,
                                .body_slices = 3,
                                .time_s = rows[i].time_s};
}

TEST(the_vendors_signer_signs_the_same) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct sigv4_credential c = {STR("AKIDEXAMPLE"), STR(SECRET), str_from_c(rows[i].token)};
    for (size_t cut = 0; cut <= strlen(rows[i].body); cut++) { /* in whichever slices the body comes */
      struct str body[3];
      struct sigv4_request r = request_of(i, body, cut);
      struct http_header v[SIGV4_HEADERS_MAX];
      size_t n = 0;
      char want[512];
      arena_init(&arena, 0);
      assert_int_equal(sigv4_sign(&arena, &c, &r, v, &n, &info), OK);
      const struct http_headers h = {v, n};
      snprintf(want, sizeof want,
               "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%s/%s/bedrock/aws4_request, SignedHeaders=%s, Signature=%s",
               rows[i].day, rows[i].region, rows[i].headers, rows[i].signature);
      assert_str(http_header_get(h, STR("authorization")), str_from_c(want));
      assert_str(http_header_get(h, STR("x-amz-date")), str_from_c(rows[i].date));
      assert_str(http_header_get(h, STR("x-amz-content-sha256")), str_from_c(rows[i].body_hash));
      assert_str(http_header_get(h, STR("x-amz-security-token")), str_from_c(rows[i].token));
      assert_int_equal(n, 3 + (rows[i].token[0] != 0));
      for (size_t k = 0; k < n; k++) assert_true(str_find(v[k].value, STR(SECRET)) == SIZE_MAX);
      arena_clear(&arena);
    }
  }
}

TEST(what_no_header_may_hold_is_refused) {
  static const struct sigv4_credential bad[] = {
      {STR(""), STR(SECRET), STR("")},     {STR("A\r\nx: y"), STR(SECRET), STR("")},
      {STR("A"), STR(""), STR("")},        {STR("A"), STR("with space"), STR("")},
      {STR("A"), STR(SECRET), STR("t\n")}, {STR("A"), STR(SECRET), STR("t\xc3\xbc")},
  };
  struct str body[3];
  struct sigv4_request r = request_of(0, body, 0);
  struct http_header v[SIGV4_HEADERS_MAX];
  size_t n = 99;
  arena_init(&arena, 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(sigv4_sign(&arena, &bad[i], &r, v, &n, &info), ERR_BAD_VALUE);
    assert_null(strstr(info.text, SECRET));
  }
  const struct sigv4_credential good = {STR("A"), STR(SECRET), STR("")};
  r.region = STR("");
  assert_int_equal(sigv4_sign(&arena, &good, &r, v, &n, &info), ERR_BAD_VALUE);
  r = request_of(0, body, 0);
  r.time_s = -1;
  assert_int_equal(sigv4_sign(&arena, &good, &r, v, &n, &info), ERR_BAD_VALUE);
  r.time_s = INT64_C(253402300800); /* the year 10000 */
  assert_int_equal(sigv4_sign(&arena, &good, &r, v, &n, &info), ERR_BAD_VALUE);
  r.time_s = INT64_MAX;
  assert_int_equal(sigv4_sign(&arena, &good, &r, v, &n, &info), ERR_BAD_VALUE);
  assert_int_equal(n, 99);
  arena_clear(&arena);
}

TEST(regions_stand_in_hosts) {
  assert_str(sigv4_region_of(STR("bedrock-runtime.us-east-1.amazonaws.com")), STR("us-east-1"));
  assert_str(sigv4_region_of(STR("bedrock-runtime.cn-north-1.amazonaws.com.cn")), STR("cn-north-1"));
  assert_str(sigv4_region_of(STR("bedrock-runtime.eu-west-1.api.aws")), STR("eu-west-1"));
  assert_int_equal(sigv4_region_of(STR("127.0.0.1")).n, 0);
  assert_int_equal(sigv4_region_of(STR("bedrock.example.com")).n, 0);
  assert_int_equal(sigv4_region_of(STR("localhost")).n, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_vendors_signer_signs_the_same),
                                     cmocka_unit_test(what_no_header_may_hold_is_refused),
                                     cmocka_unit_test(regions_stand_in_hosts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
