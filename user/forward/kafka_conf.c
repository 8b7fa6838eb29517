/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kafka_conf.h"

#include <strings.h>

#include "base.h"
#include "file.h"

#define LINE_MAX_SIZE 8192

/* A message is done once all replicas have it; it waits for ever; repeats by us are told apart. */
static const struct {
	const char *name;
	const char *value;
} ours[] = {
	{ "client.id", "policyd-forward" },
	{ "enable.idempotence", "true" },
	{ "message.timeout.ms", "0" },
	{ "log_level", "0" },
};

static const char *const refused[] = {
	"bootstrap.servers",
	"metadata.broker.list",
	"enable.idempotence",
	"acks",
	"request.required.acks",
	"message.timeout.ms",
	"delivery.timeout.ms",
	/* No broker without a certificate of its name. */
	"enable.ssl.certificate.verification",
	"ssl.endpoint.identification.algorithm",
};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct pol_err *err)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	return pol_err_say(err, POL_ERR_USAGE, -EINVAL, "--kafka-conf '%.64s': %s", name, why);
}

/* Of the two only the name is ever shown: a value may be a password. */
static int set_line(rd_kafka_conf_t *conf, const char *line, struct pol_err *err)
{
	const char *equals = strchr(line, '=');
	_cleanup_free_ char *name = equals ? strndup(line, (size_t)(equals - line)) : NULL;

	if (!equals)
		return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
				   "--kafka-conf: a line is not NAME=VALUE");
	if (!name)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "--kafka-conf");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcasecmp(name, refused[i]) == 0)
			return pol_err_say(err, POL_ERR_USAGE, -EINVAL,
					   "--kafka-conf '%s': is not to be set here", name);
	return set(conf, name, equals + 1, err);
}

/* Empty lines and those that begin with '#' are none. */
static int set_file(rd_kafka_conf_t *conf, const char *path, struct pol_err *err)
{
	_cleanup_(pol_fclosep) FILE *file = fopen(path, "re");
	char line[LINE_MAX_SIZE];
	int r = 0;

	if (!file)
		return pol_err_set(err, POL_ERR_HOST, -errno, "--kafka-conf: cannot read '%.200s'",
				   path);
	while (!r && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			r = set_line(conf, line, err);
	}
	return r;
}

static int set_all(rd_kafka_conf_t *conf, const struct forward_options *options,
		   struct pol_err *err)
{
	int r = set(conf, "bootstrap.servers", options->kafka, err);

	for (size_t i = 0; i < ARRAY_SIZE(ours) && !r; i++)
		r = set(conf, ours[i].name, ours[i].value, err);
	for (size_t i = 0; i < options->conf_cnt && !r; i++) {
		const char *text = options->conf[i];

		r = *text == '@' ? set_file(conf, text + 1, err) : set_line(conf, text, err);
	}
	return r;
}

int kafka_conf_new(const struct forward_options *options, rd_kafka_conf_t **ret,
		   struct pol_err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int r = set_all(conf, options, err);

	if (r < 0)
		rd_kafka_conf_destroy(conf);
	else
		*ret = conf;
	return r;
}
