/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kafka, by librdkafka: it connects, retries and orders. A line is delivered once its report says so;
 * one that failed for good has the producer made anew, and all goes out again that was not delivered.
 */
#include <librdkafka/rdkafka.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base.h"
#include "forward.h"
#include "here.h"
#include "kafka_conf.h"

#define SECOND_US    (1000 * UINT64_C(1000))
#define RETRY_MAX_US (8 * SECOND_US)
#define FULL_US	     (SECOND_US / 10)

/**
 * struct kafka - @wake: written to by librdkafka when there are reports. @next: number of the first
 * line that it was not given. @failed: it has to be made anew, not before @retry_us; the wait after
 * that is @wait_us.
 */
struct kafka {
	rd_kafka_t *producer;
	int wake;
	sd_event_source *io;
	uint64_t next;
	bool failed;
	uint64_t retry_us;
	uint64_t wait_us;
};

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	uint64_t cnt;

	(void)source;
	(void)events;
	(void)!read(fd, &cnt, sizeof(cnt));
	forward_go(arg);
	return 0;
}

/* ------------------------------------------------------------------ what it says, in our thread */

static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *arg)
{
	struct forward *f = arg;

	(void)producer;
	if (!message->err) {
		window_done(&f->window, (uint64_t)(uintptr_t)message->_private);
		f->kafka->wait_us = SECOND_US;
		forward_taken(f);
		return;
	}
	forward_refused(f, rd_kafka_err2str(message->err));
	f->kafka->failed = true;
}

/* What one broker of several has is its own matter: librdkafka goes to another. */
static bool is_grave(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR__FATAL:
		return true;
	default:
		return false;
	}
}

static void on_error(rd_kafka_t *producer, int error, const char *reason, void *arg)
{
	struct forward *f = arg;

	(void)reason; /* has numbers in it that are others each time */
	if (!is_grave(error))
		return;
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		char why[256];

		(void)rd_kafka_fatal_error(producer, why, sizeof(why));
		forward_refused(f, why);
		f->kafka->failed = true;
	} else if (!f->said[0]) {
		forward_refused(f, rd_kafka_err2str(error));
	}
}

/* ------------------------------------------------------------------ the producer */

static void end_producer(struct kafka *kafka)
{
	if (!kafka->producer)
		return;
	(void)rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
						      RD_KAFKA_PURGE_F_NON_BLOCKING);
	rd_kafka_destroy(kafka->producer);
	kafka->producer = NULL;
}

static int make_producer(struct forward *f, struct pol_err *err)
{
	static const uint64_t one = 1;
	struct kafka *kafka = f->kafka;
	rd_kafka_queue_t *queue;
	rd_kafka_conf_t *conf;
	char why[256];
	int r = kafka_conf_new(f->options, &conf, err);

	if (r < 0)
		return r;
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, NULL);
	rd_kafka_conf_set_opaque(conf, f);
	kafka->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!kafka->producer) {
		rd_kafka_conf_destroy(conf);
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--kafka: %s", why);
	}
	queue = rd_kafka_queue_get_main(kafka->producer);
	rd_kafka_queue_io_event_enable(queue, kafka->wake, &one, sizeof(one));
	rd_kafka_queue_destroy(queue);
	kafka->next = f->window.first;
	kafka->failed = false;
	return 0;
}

static void make_again(struct forward *f, uint64_t now_us)
{
	struct kafka *kafka = f->kafka;
	struct pol_err err = { 0 };

	if (kafka->producer) {
		end_producer(kafka);
		kafka->retry_us = now_us + kafka->wait_us;
		kafka->wait_us *= 2;
		if (kafka->wait_us > RETRY_MAX_US)
			kafka->wait_us = RETRY_MAX_US;
	}
	if (now_us < kafka->retry_us)
		return;
	if (make_producer(f, &err) < 0) {
		forward_refused(f, err.message);
		kafka->retry_us = now_us + RETRY_MAX_US;
	}
}

/* ------------------------------------------------------------------ sending */

/* Return: whether it took it. */
static bool produce(struct forward *f, const struct line *line, uint64_t nr)
{
	rd_kafka_resp_err_t error = rd_kafka_producev(
		f->kafka->producer, RD_KAFKA_V_TOPIC(f->options->topic),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)line->text, line->len),
		RD_KAFKA_V_KEY(line->guest_len ? line->guest : NULL, line->guest_len),
		RD_KAFKA_V_OPAQUE((void *)(uintptr_t)nr), RD_KAFKA_V_END);

	if (error && error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		forward_refused(f, rd_kafka_err2str(error));
		f->kafka->failed = true;
	}
	return !error;
}

/* Return: whether all was taken. */
static bool produce_all(struct forward *f)
{
	struct kafka *kafka = f->kafka;

	for (; kafka->next < f->window.next; kafka->next++) {
		const struct line *line = window_get(&f->window, kafka->next);

		if (!line->done && !produce(f, line, kafka->next))
			return false;
	}
	return true;
}

static uint64_t step(struct forward *f)
{
	struct kafka *kafka = f->kafka;
	bool all;

	if (kafka->failed)
		make_again(f, pol_monotonic_us());
	if (kafka->failed)
		return FULL_US;
	(void)rd_kafka_poll(kafka->producer, 0);
	if (kafka->next < f->window.first)
		kafka->next = f->window.first;
	all = produce_all(f);
	return all ? SECOND_US : FULL_US;
}

static int open_kafka(struct forward *f, struct pol_err *err)
{
	struct kafka *kafka = calloc(1, sizeof(*kafka));
	int r;

	if (!kafka)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "no Kafka");
	kafka->wait_us = SECOND_US;
	f->kafka = kafka;
	kafka->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (kafka->wake < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot wait for Kafka");
	r = sd_event_add_io(f->event, &kafka->io, kafka->wake, EPOLLIN, on_wake, f);
	if (r < 0)
		return pol_err_set(err, POL_ERR_FAILED, r, "cannot wait for Kafka");
	r = make_producer(f, err);
	if (!r)
		forward_say("sending to topic '%s' of %s", f->options->topic, f->options->kafka);
	return r;
}

static void close_kafka(struct forward *f)
{
	struct kafka *kafka = f->kafka;

	if (!kafka)
		return;
	end_producer(kafka);
	sd_event_source_disable_unref(kafka->io);
	pol_closep(&kafka->wake);
	free(kafka);
}

const struct receiver receiver_kafka = {
	.open = open_kafka,
	.step = step,
	.close = close_kafka,
};
