/* The lanes of the thread pool: permits and bounded FIFO queues in front of libuv's pool. Called by fiber_await and the
 * resolver from any worker; process-wide. A job is run through the loop that submitted it, which stays open until the
 * job is done; the permit is given on by the pool thread itself, as soon as the job has run.
 * Invariant: a lane's queue is empty while a permit of it is free. */
#include "io/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/pool_internal.h"

struct lane {
  unsigned permits, queue_max;
  unsigned running, queued;
  struct pool_job *head, *tail;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all lanes; held for a few instructions */
static struct lane lanes[POOL_LANE_COUNT] = {
    [POOL_DNS] = {.permits = 4, .queue_max = 256},   [POOL_FILE] = {.permits = 2, .queue_max = 256},
    [POOL_CPU] = {.permits = 2, .queue_max = 256}, /* or the number of processors, see pool_init */
    [POOL_STORE] = {.permits = 1, .queue_max = 256}, [POOL_SLOW] = {.permits = 1, .queue_max = 16},
};

void pool_init(void) {
  unsigned cores = uv_available_parallelism(), threads = 0;
  pthread_mutex_lock(&lock);
  if (cores > lanes[POOL_CPU].permits) lanes[POOL_CPU].permits = cores;
  for (unsigned i = 0; i < POOL_LANE_COUNT; i++) threads += lanes[i].permits;
  pthread_mutex_unlock(&lock);
  char text[16];
  snprintf(text, sizeof text, "%u", threads);
  setenv("UV_THREADPOOL_SIZE", text, 0); /* an operator's own figure stays */
}

static void enqueue(struct lane *lane, struct pool_job *job) {
  job->is_queued = true;
  job->next = NULL;
  job->prev = lane->tail;
  if (lane->tail) {
    lane->tail->next = job;
  } else {
    lane->head = job;
  }
  lane->tail = job;
  lane->queued++;
}

static void dequeue(struct lane *lane, struct pool_job *job) {
  if (job->prev) {
    job->prev->next = job->next;
  } else {
    lane->head = job->next;
  }
  if (job->next) {
    job->next->prev = job->prev;
  } else {
    lane->tail = job->prev;
  }
  lane->queued--;
  job->is_queued = false;
}

/* Passes a permit on to the first in the queue, whose own loop hands the job to libuv. The post happens under the
 * lock: whoever withdraws a job that is no longer queued can rely on the post having been accepted. */
static void give_permit(struct lane *lane) {
  pthread_mutex_lock(&lock);
  struct pool_job *job = lane->head;
  if (job) {
    dequeue(lane, job);
    loop_post_node(job->loop, &job->post);
  } else {
    lane->running--;
  }
  pthread_mutex_unlock(&lock);
}

static void finish(struct pool_job *job, bool has_run) {
  job->loop->jobs_pending--;
  job->done(job, has_run);
}

static void on_work(uv_work_t *work) {
  struct pool_job *job = work->data;
  struct lane *lane = &lanes[job->lane];
  job->run(job);
  give_permit(lane);
}

static void on_after_work(uv_work_t *work, int status) {
  struct pool_job *job = work->data;
  bool has_run = status != UV_ECANCELED;
  if (!has_run) give_permit(&lanes[job->lane]);
  finish(job, has_run);
}

static void start(struct pool_job *job) {
  job->is_started = true;
  job->work.data = job;
  if (uv_queue_work(&job->loop->uv, &job->work, on_work, on_after_work) != 0) fiber_die("libuv refused a job");
}

static void start_posted(void *arg) {
  struct pool_job *job = arg;
  if (!job->is_withdrawn) {
    start(job);
    return;
  }
  give_permit(&lanes[job->lane]);
  finish(job, false);
}

static void finish_posted(void *arg) { finish(arg, false); }

enum err pool_submit(enum pool_lane lane_index, struct pool_job *job) {
  struct lane *lane = &lanes[lane_index];
  job->lane = lane_index;
  job->loop = loop_of_thread;
  job->is_queued = job->is_started = job->is_withdrawn = false;
  job->post = (struct loop_post_node){.fn = start_posted, .arg = job};
  bool is_refused = false, is_first = false;
  pthread_mutex_lock(&lock);
  if (lane->running < lane->permits) {
    lane->running++;
    is_first = true;
  } else if (lane->queued < lane->queue_max) {
    enqueue(lane, job);
  } else {
    is_refused = true;
  }
  pthread_mutex_unlock(&lock);
  if (is_refused) return ERR_BUSY;
  job->loop->jobs_pending++;
  loop_keep(job->loop);
  if (is_first) start(job);
  return OK;
}

bool pool_withdraw(struct pool_job *job) {
  pthread_mutex_lock(&lock);
  bool was_queued = job->is_queued;
  if (was_queued) dequeue(&lanes[job->lane], job);
  pthread_mutex_unlock(&lock);
  if (was_queued) {
    job->loop->jobs_pending--;
    return true;
  }
  job->is_withdrawn = true;
  if (job->is_started) uv_cancel((uv_req_t *)&job->work); /* works only before a thread has taken it */
  return false;
}

bool pool_unqueue(struct pool_job *job) {
  pthread_mutex_lock(&lock);
  bool was_queued = job->is_queued;
  if (was_queued) {
    dequeue(&lanes[job->lane], job);
    job->post.fn = finish_posted;
    loop_post_node(job->loop, &job->post);
  }
  pthread_mutex_unlock(&lock);
  return was_queued;
}
