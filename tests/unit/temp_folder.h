/* A folder for one test file: temp_folder_make and temp_folder_remove are a group's setup and teardown. */
#ifndef MAESTRO_TESTS_TEMP_FOLDER_H
#define MAESTRO_TESTS_TEMP_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char temp_folder[64];

static inline int temp_folder_make(void **state) {
  (void)state;
  snprintf(temp_folder, sizeof temp_folder, "/tmp/maestro-test-XXXXXX");
  return mkdtemp(temp_folder) ? 0 : -1;
}

static inline int temp_folder_remove(void **state) {
  char command[128];
  (void)state;
  snprintf(command, sizeof command, "rm -rf '%s'", temp_folder);
  return system(command);
}

#endif
