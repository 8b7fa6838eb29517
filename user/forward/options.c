/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options.h"

#include <getopt.h>

#include "address.h"
#include "base.h"
#include "socket_path.h"
#include "str.h"
#include "version.h"
#include "words.h"

static const char usage[] =
	"usage: policyd-forward --tls HOST:PORT --ca FILE [--cert FILE --key FILE]\n"
	"               [--name NAME] [--state PATH] [--socket PATH] [--user USER]\n"
	"               [--guest G] [--type T] [--verdict V] [--path P]\n"
	"       policyd-forward --kafka BROKERS --topic T [--kafka-conf K=V]...\n"
	"               [--format F] [--state PATH] [--socket PATH] [--user USER]\n"
	"               [--guest G] [--type T] [--verdict V] [--path P]\n"
	"\n"
	"Subscribes to policyd and sends its events to one receiver: RFC 5424 messages by TLS, or\n"
	"messages to a topic of Kafka. Needs no privilege but to connect to policyd's socket.\n"
	"\n"
	"  --tls HOST:PORT   receiver of syslog messages by TLS (RFC 5425)\n"
	"  --ca FILE         certificates that vouch for it, PEM\n"
	"  --cert FILE       our certificate and those between it and its CA, PEM\n"
	"  --key FILE        its key, PEM, not encrypted\n"
	"  --name NAME       the receiver's certificate is of this name or address, not of HOST\n"
	"  --kafka BROKERS   HOST[:PORT],... of a Kafka cluster\n"
	"  --topic T         its topic\n"
	"  --kafka-conf K=V  a setting of librdkafka; @FILE: of lines K=V\n"
	"  --format F        of messages to Kafka: json (default), or another of 'policyctl events'\n"
	"  --state PATH      file that remembers what was delivered, for the next start\n"
	"  --socket PATH     where policyd serves (" POL_SOCKET ")\n"
	"  --user USER       become USER first; for who starts it as root\n"
	"  --guest G         events of guest G only\n"
	"  --type T          events of one type only, as of 'policyctl events'\n"
	"  --verdict V       events with one verdict only\n"
	"  --path P          events on path P or beneath it only\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"SIGTERM delivers what it has, for up to five seconds, and ends. Exit status: 0 done, 1 failed,\n"
	"or lines were not delivered that nothing remembers, 2 usage, 4 this host or user lacks\n"
	"something.\n";

enum {
	TLS = 256,
	CA,
	CERT,
	KEY,
	NAME,
	KAFKA,
	TOPIC,
	KAFKA_CONF,
	FORMAT,
	STATE,
	SOCKET,
	USER,
	GUEST,
	TYPE,
	VERDICT,
	PATH,
	HELP,
	VERSION
};

static const struct option longs[] = {
	{ "tls", required_argument, NULL, TLS },
	{ "ca", required_argument, NULL, CA },
	{ "cert", required_argument, NULL, CERT },
	{ "key", required_argument, NULL, KEY },
	{ "name", required_argument, NULL, NAME },
	{ "kafka", required_argument, NULL, KAFKA },
	{ "topic", required_argument, NULL, TOPIC },
	{ "kafka-conf", required_argument, NULL, KAFKA_CONF },
	{ "format", required_argument, NULL, FORMAT },
	{ "state", required_argument, NULL, STATE },
	{ "socket", required_argument, NULL, SOCKET },
	{ "user", required_argument, NULL, USER },
	{ "guest", required_argument, NULL, GUEST },
	{ "type", required_argument, NULL, TYPE },
	{ "verdict", required_argument, NULL, VERDICT },
	{ "path", required_argument, NULL, PATH },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ 0 },
};

static int usage_error(const char *what)
{
	(void)fprintf(stderr, "policyd-forward: %s\ntry 'policyd-forward --help'\n", what);
	return POL_ERR_USAGE;
}

static int bad_value(const char *option, const char *value, const char *expected)
{
	_cleanup_free_ char *shown = pol_str_escape(value, strlen(value));

	(void)fprintf(stderr, "policyd-forward: %s '%s': %s\ntry 'policyd-forward --help'\n",
		      option, shown ? shown : "?", expected);
	return POL_ERR_USAGE;
}

/* As of policyd's --syslog, without the "tcp:". */
static int set_tls(struct forward_options *options, const char *value)
{
	_cleanup_free_ char *address = NULL;
	const char *why;

	if (asprintf(&address, "tcp:%s", value) < 0)
		return usage_error("out of memory");
	options->tls_text = value;
	return pol_syslog_address_parse(address, &options->tls, &why) < 0
		       ? bad_value("--tls", value, why)
		       : 0;
}

static int set_conf(struct forward_options *options, const char *value)
{
	if (*value != '@' && (!strchr(value, '=') || *value == '='))
		return bad_value("--kafka-conf", value, "expected NAME=VALUE, or @FILE");
	if (options->conf_cnt == FORWARD_CONF_MAX)
		return usage_error("--kafka-conf: at most 32; put them into a file: @FILE");
	options->conf[options->conf_cnt++] = value;
	return 0;
}

static int set_format(struct forward_options *options, const char *value)
{
	options->request.format = pol_format_find(value);
	return options->request.format
		       ? 0
		       : bad_value("--format", value, "no such format; see 'policyctl events'");
}

static int set_type(struct forward_options *options, const char *value)
{
	int type = pol_type_parse(value);

	options->request.filter.type = (uint32_t)type;
	return type < 0 ? bad_value("--type", value, "no such type; see 'policyctl events'") : 0;
}

static int set_verdict(struct forward_options *options, const char *value)
{
	int verdict = pol_verdict_parse(value);

	options->request.filter.verdict = (uint32_t)verdict;
	return verdict < 0
		       ? bad_value("--verdict", value, "no such verdict; see 'policyctl events'")
		       : 0;
}

static int set_guest(struct forward_options *options, const char *value)
{
	free(options->request.guest);
	options->request.guest = strdup(value);
	return options->request.guest ? 0 : usage_error("out of memory");
}

static int set_path(struct forward_options *options, const char *value)
{
	struct pol_request *request = &options->request;

	free(request->path);
	request->path = NULL;
	if (pol_path_clean(value, strlen(value), &request->path) != POL_PATH_OK)
		return bad_value("--path", value, "expected an absolute path without '..'");
	request->filter.path = request->path;
	return 0;
}

static const struct {
	int option;
	int (*set)(struct forward_options *options, const char *value);
} setters[] = {
	{ TLS, set_tls },     { KAFKA_CONF, set_conf }, { FORMAT, set_format }, { TYPE, set_type },
	{ GUEST, set_guest }, { VERDICT, set_verdict }, { PATH, set_path },
};

/* Options that are kept as they are, by their numbers. */
static const char **text_of(struct forward_options *options, int option)
{
	switch (option) {
	case CA:
		return &options->ca;
	case CERT:
		return &options->cert;
	case KEY:
		return &options->key;
	case NAME:
		return &options->name;
	case KAFKA:
		return &options->kafka;
	case TOPIC:
		return &options->topic;
	case STATE:
		return &options->state;
	case USER:
		return &options->user;
	default:
		return &options->socket;
	}
}

static int set(struct forward_options *options, int option, const char *value)
{
	if (!*value)
		return usage_error("an option's value is empty");
	for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
		if (setters[i].option == option)
			return setters[i].set(options, value);
	*text_of(options, option) = value;
	return 0;
}

static int check_tls(const struct forward_options *options)
{
	if (!options->ca)
		return usage_error("--tls: --ca is missing: what vouches for the receiver");
	if (!options->cert != !options->key)
		return usage_error("--cert and --key: both or neither");
	if (options->request.format && strcmp(options->request.format->name, "syslog") != 0)
		return usage_error("--tls sends RFC 5424 messages: no --format but syslog");
	if (options->topic || options->conf_cnt)
		return usage_error("--topic and --kafka-conf are for --kafka");
	return -1;
}

static int check_kafka(const struct forward_options *options)
{
	if (!options->topic)
		return usage_error("--kafka: --topic is missing");
	if (options->ca || options->cert || options->key || options->name)
		return usage_error("--ca, --cert, --key and --name are for --tls; Kafka's TLS is "
				   "set by --kafka-conf");
	return -1;
}

static int check(const struct forward_options *options)
{
	struct sockaddr_un address;
	const char *why;

	if (!!options->tls_text + !!options->kafka != 1)
		return usage_error("one receiver: --tls or --kafka");
	if (pol_address_path(options->socket, &address, &why) < 0)
		return bad_value("--socket", options->socket,
				 "expected an absolute path of at most 107 bytes");
	if (options->state && *options->state != '/')
		return bad_value("--state", options->state, "expected an absolute path");
	return options->tls_text ? check_tls(options) : check_kafka(options);
}

static int finish(struct forward_options *options)
{
	if (!options->request.format)
		options->request.format = pol_format_find(options->tls_text ? "syslog" : "json");
	return -1;
}

int forward_options_parse(int argc, char **argv, struct forward_options *ret)
{
	int opt, r;

	*ret = (struct forward_options){
		.socket = POL_SOCKET,
		.request = { .kept = true, .follow = true, .marks = true },
	};
	optind = 0;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (opt) {
		case HELP:
			(void)fputs(usage, stdout);
			return 0;
		case VERSION:
			(void)printf("policyd-forward %s\n", POL_VERSION);
			return 0;
		case '?':
			(void)fputs("try 'policyd-forward --help'\n", stderr);
			return POL_ERR_USAGE;
		default:
			r = set(ret, opt, optarg);
			if (r)
				return r;
		}
	}
	if (optind < argc)
		return usage_error("no arguments but options are taken");
	r = check(ret);
	return r < 0 ? finish(ret) : r;
}

void forward_options_done(struct forward_options *options)
{
	pol_request_done(&options->request);
}
