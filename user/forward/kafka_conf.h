/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of librdkafka: ours, then those of --kafka-conf. */
#pragma once

#include <librdkafka/rdkafka.h>

#include "err.h"
#include "options.h"

/**
 * kafka_conf_new() - @ret: to be given to rd_kafka_new(3), or destroyed.
 * Settings that delivery rests on, and those that would have nobody check a broker's certificate, are
 * refused. Return: 0; negative: @err says which, and why.
 */
int kafka_conf_new(const struct forward_options *options, rd_kafka_conf_t **ret,
		   struct pol_err *err);
