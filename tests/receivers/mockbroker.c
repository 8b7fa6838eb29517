/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mockbroker TOPIC: a Kafka broker of librdkafka's own tests, for real clients, on loopback. Prints
 * its address; then "down", "up" and "refuse", the next request to write, on standard input; "done" is
 * the answer. What it has stays.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

#define PARTITIONS 3
#define BROKER	   1
#define PRODUCE	   0 /* Kafka's number of that request */

static void obey(rd_kafka_mock_cluster_t *cluster)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "down\n") == 0)
			(void)rd_kafka_mock_broker_set_down(cluster, BROKER);
		else if (strcmp(line, "refuse\n") == 0)
			rd_kafka_mock_push_request_errors(
				cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
		else
			(void)rd_kafka_mock_broker_set_up(cluster, BROKER);
		(void)puts("done");
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_t *client;
	char why[256];

	rd_kafka_conf_set_log_cb(conf, NULL);
	client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	cluster = client ? rd_kafka_mock_cluster_new(client, 1) : NULL;
	if (argc != 2 || !cluster ||
	    rd_kafka_mock_topic_create(cluster, argv[1], PARTITIONS, 1) != 0) {
		(void)fprintf(stderr, "usage: mockbroker TOPIC\n");
		return 1;
	}
	(void)puts(rd_kafka_mock_cluster_bootstraps(cluster));
	(void)fflush(stdout);
	obey(cluster);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(client);
	return 0;
}
