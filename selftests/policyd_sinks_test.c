/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policyd and receivers that come, go and read badly: each violation arrives as a whole message, or
 * is counted as lost. The receivers are the test's own; what real ones make of it is receivers/'s.
 */
#include "harness.h"

#include <limits.h>
#include <netinet/in.h>

#include "daemon.h"

/* ---- receivers ---- */

/* What policyd is told: behind @prefix a path, or a port. */
static const struct way {
	const char *prefix;
	int family;
	int type;
} ways[] = {
	{ "unix:", AF_UNIX, SOCK_DGRAM },	   { "unix:", AF_UNIX, SOCK_STREAM },
	{ "udp:127.0.0.1:", AF_INET, SOCK_DGRAM }, { "tcp:127.0.0.1:", AF_INET, SOCK_STREAM },
	{ "tcp:[::1]:", AF_INET6, SOCK_STREAM },
};
#define WAYS	    (sizeof(ways) / sizeof(ways[0]))
#define UNIX_DGRAM  (&ways[0])
#define UNIX_STREAM (&ways[1])
#define TCP	    (&ways[3])

struct receiver {
	const struct way *way;
	const char *path;
	int port;
	int listener; /* or, of datagrams, the socket itself */
	int fd;
	size_t piece; /* it reads so much at once; 0: what there is */
	size_t len;   /* in @buf, not yet a message */
	char buf[65536];
};

SETUP()
{
	lo_up();
}

static socklen_t address_for(const struct receiver *r, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				    .sin6_port = htons((uint16_t)r->port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)r->port) };
	struct sockaddr_un un = address_of(r->path);

	switch (r->way->family) {
	case AF_UNIX:
		memcpy(ret, &un, sizeof(un));
		return sizeof(un);
	case AF_INET:
		memcpy(ret, &four, sizeof(four));
		return sizeof(four);
	default:
		memcpy(ret, &six, sizeof(six));
		return sizeof(six);
	}
}

/* Ports below the ephemeral ones: nobody else has them. */
static void receiver_init(struct receiver *r, const struct way *way)
{
	static int port = 6514;

	*r = (struct receiver){ .way = way, .listener = -1, .fd = -1, .port = port++ };
	r->path = text("%s/in", scratch());
}

static const char *receiver_address(const struct receiver *r)
{
	return text("%s%s", r->way->prefix,
		    r->way->family == AF_UNIX ? r->path : text("%d", r->port));
}

static void receiver_up(struct receiver *r)
{
	struct sockaddr_storage address;
	socklen_t len = address_for(r, &address);
	int one = 1, room = 4 << 20; /* of UDP, what finds none is dropped */

	r->len = 0;
	r->listener = socket(r->way->family, r->way->type | SOCK_CLOEXEC, 0);
	setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (r->way->family == AF_INET && r->way->type == SOCK_DGRAM)
		setsockopt(r->listener, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	ASSERT_EQ(0, bind(r->listener, (struct sockaddr *)&address, len));
	if (r->way->type == SOCK_DGRAM)
		r->fd = r->listener;
	else
		ASSERT_EQ(0, listen(r->listener, 8));
}

/* It dies, with what it has not read; a unix one's name goes, too. */
static void receiver_down(struct receiver *r)
{
	close(r->listener);
	if (r->fd >= 0 && r->fd != r->listener)
		close(r->fd);
	r->fd = r->listener = -1;
	unlink(r->path);
}

/* Only the connection dies. */
static void receiver_hang_up(struct receiver *r)
{
	close(r->fd);
	r->fd = -1;
	r->len = 0;
}

static ssize_t receive_some(struct receiver *r)
{
	size_t room = sizeof(r->buf) - 1 - r->len;
	ssize_t n;

	if (r->fd < 0)
		r->fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	n = recv(r->fd, r->buf + r->len, r->piece ? r->piece : room, 0);
	if (n > 0)
		r->len += (size_t)n;
	return n;
}

/* "LENGTH MESSAGE". Return: bytes of both; 0: not whole yet; -1: no frame. */
static long frame_of(struct receiver *r, int *ret_head)
{
	int want = 0, head = 0;

	r->buf[r->len] = 0;
	if (!memchr(r->buf, ' ', r->len))
		return r->len < 8 ? 0 : -1;
	if (sscanf(r->buf, "%5d %n", &want, &head) != 1 || want < 1 || r->buf[head - 1] != ' ')
		return -1;
	*ret_head = head;
	return r->len < (size_t)(head + want) ? 0 : head + want;
}

/* The next message that came whole. Return: NULL: the end of the connection, or no message. */
static const char *message(struct receiver *r)
{
	static char msg[65536];
	int head = 0;
	long len;

	if (r->way->type == SOCK_DGRAM)
		r->len = 0;
	for (;;) {
		len = r->way->type == SOCK_DGRAM ? (long)r->len : frame_of(r, &head);
		if (len)
			break;
		if (receive_some(r) <= 0)
			return NULL;
	}
	if (len < 0) {
		FAIL("no frame: %.200s", r->buf);
		return NULL;
	}
	memcpy(msg, r->buf + head, (size_t)(len - head));
	msg[len - head] = 0;
	r->len -= (size_t)len;
	memmove(r->buf, r->buf + len, r->len);
	if (msg[0] != '<' || msg[strlen(msg) - 1] == '\n')
		FAIL("no message: %.200s", msg);
	return msg;
}

static const char *field(const char *msg, const char *name)
{
	static char value[8192];
	const char *at = strstr(msg, text(" %s=\"", name));

	if (!at || sscanf(at + strlen(name) + 3, "%8191[^\"]", value) != 1)
		return "";
	return value;
}

#define SEEN_MAX (1 << 14)

/* Whether it is new, by its event_uid: a message may come twice, and is then the same one. */
static bool is_new(const char *msg)
{
	static char *seen[SEEN_MAX];
	const char *uid = field(msg, "event_uid");
	size_t hash = 5381;

	for (const char *p = uid; *p; p++)
		hash = hash * 33 + (unsigned char)*p;
	for (hash %= SEEN_MAX; seen[hash]; hash = (hash + 1) % SEEN_MAX)
		if (!strcmp(seen[hash], uid))
			return false;
	seen[hash] = strdup(uid);
	return true;
}

/* Violations of which a message tells; none of other kinds, and none that it told before. */
static long told_by(const char *msg)
{
	if (!is_new(msg))
		return 0;
	if (strstr(msg, " - violation ["))
		return 1;
	if (strstr(msg, " - lost [") && !strcmp("violation", field(msg, "of")))
		return strtol(field(msg, "count"), NULL, 10);
	return 0;
}

static long count_messages(struct receiver *r, long want)
{
	const char *msg;
	long cnt = 0;

	while (cnt < want && (msg = message(r)))
		cnt += told_by(msg);
	return cnt;
}

/* Likewise, and then to the last event of the payload that made them: nothing is left unread. */
static long take_messages(struct receiver *r, long want)
{
	long cnt = count_messages(r, want);
	const char *msg;

	do
		msg = message(r);
	while (msg && !strstr(msg, "\"guest.empty\""));
	return cnt;
}

static void start_to(struct daemon *d, const struct receiver *r, const char *keep)
{
	const char *args[] = { "--syslog", receiver_address(r), keep ? "--keep" : NULL, keep };

	memcpy(more_args, args, sizeof(args));
	start(d);
}

static int times_said(const char *what)
{
	int cnt = 0;

	for (const char *at = said(); (at = strstr(at, what)); at++)
		cnt++;
	return cnt;
}

static struct receiver receiver;

/* ---- each way ---- */

TEST(each_way_delivers_every_event)
{
	struct daemon d;
	FILE *f;

	load_one();
	for (size_t i = 0; i < WAYS; i++) {
		events_forget();
		receiver_init(&receiver, &ways[i]);
		receiver_up(&receiver);
		start_to(&d, &receiver, NULL);
		f = subscribe_violations();
		refuse_many(f, 40);
		EXPECT_EQ(40, take_messages(&receiver, 40));
		EXPECT_EQ(EACCES, PROBE("g", "open", "r", bad));
		EXPECT_EQ(1, take_messages(&receiver, 1));
		/* Known to be there, so that nothing is left for the next reader. */
		EXPECT_EQ(0, end(&d, SIGTERM));
		EXPECT_EQ(0, EVENTS("type=violation"));
		EXPECT_STREQ("policyd: reading the events of the loaded engine\n", said());
		receiver_down(&receiver);
		fclose(f);
	}
}

TEST(evil_names_arrive_whole)
{
	static const struct {
		const char *name;
		const char *field;
		const char *value;
	} evil[] = {
		{ "a\n12 <86>1 x", "path_hex", "610a3132203c38363e312078" },
		{ "\xff\xfe\x7f", "path_hex", "fffe7f" },
		{ "[sd@1 a=b]\\", "path", "[sd@1 a=b\\]\\\\" },
		{ "9 <1>1 - -", "path", "9 <1>1 - -" },
	};
	struct daemon d;

	load_one();
	events_forget();
	receiver_init(&receiver, TCP);
	receiver_up(&receiver);
	start_to(&d, &receiver, NULL);
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		const char *msg, *value, *want = evil[i].value;

		EXPECT_EQ(EACCES, PROBE("g", "open", "r",
					make_file(text("%s/%s", root, evil[i].name), "")));
		do
			msg = message(&receiver);
		while (msg && !told_by(msg));
		value = msg ? field(msg, evil[i].field) : "";
		EXPECT_STREQ(
			want,
			value + (strlen(value) > strlen(want) ? strlen(value) - strlen(want) : 0));
	}
	EXPECT_EQ(0, end(&d, SIGTERM));
	receiver_down(&receiver);
}

/* ---- gone, and back ---- */

#define MORE_THAN_IS_KEPT 600

static void gone_and_back(const struct way *way, const char *why)
{
	struct daemon d;
	FILE *f;

	events_forget();
	receiver_init(&receiver, way);
	start_to(&d, &receiver, "64KiB");
	EXPECT_STRSTR(why, said()); /* before there is any event */
	f = subscribe_violations();
	refuse_many(f, MORE_THAN_IS_KEPT);
	receiver_up(&receiver);
	EXPECT_EQ(MORE_THAN_IS_KEPT, count_messages(&receiver, MORE_THAN_IS_KEPT));
	EXPECT_EQ(1, times_said(why));
	/* A receiver that has read all and ends: what comes then waits for the next one. */
	receiver_down(&receiver);
	refuse_many(f, 5);
	receiver_up(&receiver);
	EXPECT_EQ(5, take_messages(&receiver, 5));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_STRSTR("takes events again", said());
	EXPECT_EQ(0, EVENTS("type=violation"));
	receiver_down(&receiver);
	fclose(f);
}

TEST(a_receiver_that_is_gone_is_waited_for)
{
	load_one();
	gone_and_back(TCP, "takes no more events: Connection refused, waiting");
	gone_and_back(UNIX_STREAM, "takes no more events: No such file or directory, waiting");
	gone_and_back(UNIX_DGRAM, "takes no more events: No such file or directory, waiting");
}

TEST(says_at_its_end_what_a_receiver_that_is_gone_cost)
{
	struct daemon d;

	load_one();
	events_forget();
	receiver_init(&receiver, TCP);
	start_to(&d, &receiver, "64KiB");
	refuse_many(subscribe_violations(), MORE_THAN_IS_KEPT);
	EXPECT_EQ(1, end(&d, SIGTERM));
	EXPECT_STRSTR("events that found no room", said());
}

/* It reads nothing, and holds nobody up; then all there is. */
TEST(a_receiver_that_does_not_read_is_told_what_it_missed)
{
	struct daemon d;
	FILE *f;

	load_one();
	for (size_t i = 0; i < WAYS; i++) {
		if (ways[i].family != AF_UNIX && ways[i].type == SOCK_DGRAM)
			continue; /* UDP: it cannot be known */
		events_forget();
		receiver_init(&receiver, &ways[i]);
		receiver_up(&receiver);
		start_to(&d, &receiver, "64KiB");
		f = subscribe_violations();
		refuse_many(f, MORE_THAN_IS_KEPT);
		EXPECT_EQ(MORE_THAN_IS_KEPT, count_messages(&receiver, MORE_THAN_IS_KEPT));
		EXPECT_EQ(0, end(&d, SIGTERM));
		receiver_down(&receiver);
		fclose(f);
	}
}

/*
 * Of three refusals the receiver reads the first; the second once the third is there. Return: how
 * many are left to the next reader.
 */
static long left_under_load(void)
{
	struct daemon d;
	struct probe p;
	FILE *f;

	events_forget();
	receiver_init(&receiver, UNIX_STREAM);
	receiver.piece = 1; /* what it has not read is known to be on the way */
	receiver_up(&receiver);
	start_to(&d, &receiver, NULL);
	f = subscribe_violations();
	probe_start(&p, "g",
		    STEPS("open", "r", bad, "pause", "open", "r", bad, "pause", "open", "r", bad,
			  "pause"));
	EXPECT_EQ(1, count_messages(&receiver, 1));
	EXPECT_EQ(1, count_of(f, 1));
	probe_until(&p, "paused");
	probe_go(&p);
	EXPECT_EQ(1, count_of(f, 1));
	probe_until(&p, "paused");
	probe_go(&p);
	probe_until(&p, "paused");
	usleep(200000); /* for one that would read on */
	EXPECT_EQ(1, count_messages(&receiver, 1));
	EXPECT_EQ(1, count_of(f, 1));
	EXPECT_EQ(137, end(&d, SIGKILL));
	fclose(f);
	receiver_down(&receiver);
	probe_go(&p);
	probe_end(&p);
	return EVENTS("type=violation");
}

/*
 * Some are always on the way while guests are busy: the rings go on all the same, as no more is read
 * until what was is there. Not for longer than a second, and a busy host may need that for the steps
 * of a try.
 */
TEST(under_load_the_rings_go_on)
{
	long left = 0;

	load_one();
	for (int i = 0; i < 5 && left != 1; i++)
		left = left_under_load();
	EXPECT_EQ(1, left);
}

/* ---- killed in the middle ---- */

/*
 * A unix receiver's unread messages are known to be unread: with it in the middle of one, and dead,
 * there is none that it neither had whole nor gets again, again whole.
 */
TEST(killed_in_the_middle_of_a_message_a_unix_receiver_misses_none)
{
	long refused = 60, cnt = 0;
	struct daemon d;
	FILE *f;

	load_one();
	events_forget();
	receiver_init(&receiver, UNIX_STREAM);
	receiver.piece = 1; /* what it has read is what it has */
	receiver_up(&receiver);
	start_to(&d, &receiver, NULL);
	f = subscribe_violations();
	refuse_many(f, refused);
	for (long i = 1; i <= 5; i++) {
		cnt += count_messages(&receiver, 2);
		/* Some bytes of the next one, each time another number of them. */
		EXPECT_EQ(i, recv(receiver.fd, receiver.buf, (size_t)i, 0));
		receiver_hang_up(&receiver);
	}
	EXPECT_EQ(10, cnt);
	EXPECT_EQ(refused - cnt, take_messages(&receiver, refused - cnt));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(0, EVENTS("type=violation"));
	receiver_down(&receiver);
}

/* By TCP what a dead receiver had not read is gone, but never a part of a message. */
TEST(killed_in_the_middle_of_a_message_a_tcp_receiver_gets_no_torn_one)
{
	struct daemon d;
	FILE *f;

	load_one();
	events_forget();
	receiver_init(&receiver, TCP);
	receiver_up(&receiver);
	start_to(&d, &receiver, NULL);
	f = subscribe_violations();
	refuse_many(f, 400);
	EXPECT_EQ(3, count_messages(&receiver, 3));
	EXPECT_LE(1, recv(receiver.fd, receiver.buf, 100, 0));
	receiver_hang_up(&receiver);
	refuse_many(f, 10);
	/* Whole from the first byte on. */
	EXPECT_EQ(10, count_messages(&receiver, 10));
	EXPECT_EQ(0, end(&d, SIGTERM));
	receiver_down(&receiver);
}

/* ---- the journal ---- */

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static const struct way journal_way = { "", AF_UNIX, SOCK_DGRAM };

/* The bytes of a field of the entry in @r's buffer, behind its name and what the protocol has then. */
static const char *entry_field(const struct receiver *r, const char *name, size_t *ret_len)
{
	const char *line = text("\n%s", name);
	const char *at = memmem(r->buf, r->len, line, strlen(line));
	uint64_t len;

	*ret_len = 0;
	if (!at)
		return "";
	at += strlen(line);
	if (*at == '=') {
		*ret_len = strcspn(at + 1, "\n");
		return at + 1;
	}
	memcpy(&len, at + 1, sizeof(len)); /* 64 bits, little endian */
	*ret_len = (size_t)len;
	return at + 1 + sizeof(len);
}

static bool entry_has(const struct receiver *r, const char *name, const char *value, size_t len)
{
	size_t got;
	const char *data = entry_field(r, name, &got);

	return got == len && !memcmp(data, value, len);
}

/* Violations of which the entries tell, until there are @want. */
static long count_entries(struct receiver *r, long want)
{
	size_t len;
	long cnt = 0;

	while (cnt < want) {
		r->len = 0;
		if (receive_some(r) <= 0)
			break;
		if (entry_has(r, "POLICYD_TYPE", "violation", 9))
			cnt++;
		else if (entry_has(r, "POLICYD_TYPE", "lost", 4) &&
			 entry_has(r, "POLICYD_OF", "violation", 9))
			cnt += strtol(entry_field(r, "POLICYD_COUNT", &len), NULL, 10);
	}
	return cnt;
}

/* As journald has it: a socket at its place, entries by its protocol. */
TEST(the_journal_gets_every_event_and_is_waited_for)
{
	const char *args[] = { "--journal", "--keep", "256KiB" };
	const char *why = "the journal takes no more events: No such file or directory, waiting";
	struct daemon d;
	FILE *f;

	ASSERT_EQ(0, run_cmd(NULL, 0, "mkdir -p /run/systemd/journal"));
	load_one();
	events_forget();
	receiver_init(&receiver, &journal_way);
	receiver.path = JOURNAL_SOCKET;
	memcpy(more_args, args, sizeof(args));
	start(&d);
	EXPECT_STRSTR(why, said());
	f = subscribe_violations();
	refuse_many(f, MORE_THAN_IS_KEPT);
	receiver_up(&receiver);
	EXPECT_EQ(MORE_THAN_IS_KEPT, count_entries(&receiver, MORE_THAN_IS_KEPT));
	EXPECT_EQ(1, times_said(why));
	receiver_down(&receiver);
	EXPECT_EQ(EACCES, PROBE("g", "open", "r", make_file(text("%s/a\nB=\\;", root), "")));
	receiver_up(&receiver);
	EXPECT_EQ(1, count_entries(&receiver, 1));
	EXPECT_TRUE(
		entry_has(&receiver, "POLICYD_PATH", text("%s/a\nB=\\;", root), strlen(root) + 7));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_STRSTR("takes events again", said());
	EXPECT_EQ(0, EVENTS("type=violation"));
	receiver_down(&receiver);
}

/* ---- how it is asked ---- */

TEST(refuses_what_makes_no_sense)
{
	char out[4096];

	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --syslog /dev/log"));
	EXPECT_STRSTR("--syslog: expected unix:PATH, udp:HOST:PORT or tcp:HOST:PORT", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --syslog tcp:logs"));
	EXPECT_STRSTR("a port behind the host", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --syslog udp:a:1 --syslog udp:b:1"));
	EXPECT_STRSTR("one receiver", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --syslog udp:a:1 --file /f"));
	EXPECT_STRSTR("one of them", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --format json --syslog udp:a:1"));
	EXPECT_STRSTR("no --format but syslog", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --syslog udp:a:1 --sync"));
	EXPECT_STRSTR("are for --file", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --journal --syslog udp:a:1"));
	EXPECT_STRSTR("one of them", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --journal --format json"));
	EXPECT_STRSTR("no --format", out);
	EXPECT_EQ(2, run_cmd(out, sizeof(out), POLICYD " --journal --keep 64KiB"));
	EXPECT_STRSTR("at least 256KiB", out);
}

LEAVES_NO_GUEST()
