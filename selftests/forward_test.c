/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may subscribe by --group, and policyd-forward as such a one: each violation of a real engine
 * arrives by TLS, over ends of policyd and of itself. The receiver is the test's own; real ones are
 * tests/receivers/'s.
 */
#include "harness.h"

#include <grp.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "daemon.h"

#define FORWARD "/usr/bin/policyd-forward"
#define PORT	6514
#define GROUP	1000 /* of "user", who has it as its own */

SETUP()
{
	lo_up();
}

/* ---- who may subscribe ---- */

/* In a child with these ids. Return: what it was answered first. */
static const char *answer_to(uid_t uid, gid_t gid, gid_t further)
{
	static char answer[1024];
	int fds[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		const char *line;

		if (setgroups(1, &further) || setgid(gid) || setuid(uid))
			_exit(1);
		line = line_with(subscribe("{}"), "");
		_exit(write(fds[1], line, strlen(line)) < 0);
	}
	close(fds[1]);
	memset(answer, 0, sizeof(answer));
	if (read(fds[0], answer, sizeof(answer) - 1) < 0)
		FAIL("read: %s", strerror(errno));
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return answer;
}

TEST(serves_members_of_the_group)
{
	struct daemon d;
	struct stat st;
	char out[1024];

	load_one();
	more_args[0] = "--group";
	more_args[1] = "user";
	start(&d);
	EXPECT_EQ(0, stat(SOCK, &st));
	EXPECT_EQ(0660, (int)st.st_mode & 07777);
	EXPECT_EQ(0, (int)st.st_uid);
	EXPECT_EQ(GROUP, (int)st.st_gid);
	EXPECT_STRSTR("\"ok\":true", answer_to(0, 0, 0));
	EXPECT_STRSTR("\"ok\":true", answer_to(1001, GROUP, 65534));
	EXPECT_STRSTR("\"ok\":true", answer_to(1001, 65534, GROUP));
	/* Were its mode wrong: by who it is. */
	EXPECT_EQ(0, chmod(SOCK, 0666));
	EXPECT_STRSTR("for root and group 'user' only", answer_to(1000, 65534, 65534));
	EXPECT_EQ(0, end(&d, SIGTERM));
	EXPECT_EQ(4, run_cmd(out, sizeof(out), POLICYD " --group nosuch"));
	EXPECT_STRSTR("there is no group 'nosuch'", out);
}

/* ---- a receiver by TLS ---- */

static struct {
	int listener;
	int fd;
	SSL_CTX *context;
	SSL *ssl;
	size_t len;
	char buf[65536];
} receiver;

static EVP_PKEY *key;
static const char *ca;

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ASSERT_TRUE(extension != NULL);
	ASSERT_EQ(1, X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* Of 127.0.0.1, by itself; @ca is its file. */
static X509 *make_certificate(void)
{
	X509 *certificate = X509_new();
	FILE *f;

	key = EVP_EC_gen("P-256");
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)"receiver", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
	ASSERT_LE(1, X509_sign(certificate, key, EVP_sha256()));
	ca = text("%s/ca.pem", scratch_in("/srv"));
	f = fopen(ca, "we");
	ASSERT_EQ(1, PEM_write_X509(f, certificate));
	ASSERT_EQ(0, fclose(f));
	return certificate;
}

static void receiver_up(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons(PORT) };
	int one = 1;

	if (!receiver.context) {
		X509 *certificate = make_certificate();

		receiver.context = SSL_CTX_new(TLS_server_method());
		ASSERT_EQ(1, SSL_CTX_use_certificate(receiver.context, certificate));
		ASSERT_EQ(1, SSL_CTX_use_PrivateKey(receiver.context, key));
		X509_free(certificate);
	}
	receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(receiver.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ASSERT_EQ(0, bind(receiver.listener, (struct sockaddr *)&address, sizeof(address)));
	ASSERT_EQ(0, listen(receiver.listener, 8));
}

static void receiver_hang_up(void)
{
	SSL_free(receiver.ssl);
	receiver.ssl = NULL;
	close(receiver.fd);
	receiver.len = 0;
}

static void receiver_down(void)
{
	receiver_hang_up();
	close(receiver.listener);
}

/* More bytes, of a new connection if there is none. */
static bool receive_some(void)
{
	int n;

	if (!receiver.ssl) {
		receiver.fd = accept4(receiver.listener, NULL, NULL, SOCK_CLOEXEC);
		receiver.ssl = SSL_new(receiver.context);
		SSL_set_fd(receiver.ssl, receiver.fd);
		if (SSL_accept(receiver.ssl) != 1)
			return false;
	}
	n = SSL_read(receiver.ssl, receiver.buf + receiver.len,
		     (int)(sizeof(receiver.buf) - 1 - receiver.len));
	if (n > 0)
		receiver.len += (size_t)n;
	return n > 0;
}

/* The next message, "LENGTH MESSAGE". Return: NULL: the end of the connection. */
static const char *message(void)
{
	static char msg[16384];
	int want = 0, head = 0;

	for (;;) {
		receiver.buf[receiver.len] = 0;
		if (memchr(receiver.buf, ' ', receiver.len) &&
		    sscanf(receiver.buf, "%5d %n", &want, &head) == 1 &&
		    receiver.len >= (size_t)(head + want))
			break;
		if (!receive_some()) {
			receiver_hang_up();
			return NULL;
		}
	}
	memcpy(msg, receiver.buf + head, (size_t)want);
	msg[want] = 0;
	receiver.len -= (size_t)(head + want);
	memmove(receiver.buf, receiver.buf + head + want, receiver.len);
	return msg;
}

#define SEQ_MAX 4096

/* Violations of @bad that are told, each once, until there are @want. */
static long count_new(long want)
{
	static bool seen[SEQ_MAX];
	long cnt = 0;

	while (cnt < want) {
		const char *msg = message(), *at;
		unsigned long seq;

		if (!msg)
			continue; /* it connects again */
		at = strstr(msg, " seq=\"");
		if (!at || !strstr(msg, " - violation [") || !strstr(msg, bad))
			continue;
		seq = strtoul(at + 6, NULL, 10);
		if (seq < SEQ_MAX && !seen[seq]) {
			seen[seq] = true;
			cnt++;
		}
	}
	return cnt;
}

/* ---- the forwarder ---- */

struct forwarder {
	pid_t pid;
	const char *errors;
};

static void forwarder_start(struct forwarder *f, const char *state)
{
	const char *to = text("127.0.0.1:%d", PORT);

	f->errors = text("%s/errors", scratch());
	fflush(stdout);
	f->pid = fork();
	if (f->pid)
		return;
	dup2(open(f->errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDERR_FILENO);
	execl(FORWARD, "policyd-forward", "--user", "user", "--tls", to, "--ca", ca, "--state",
	      state, NULL);
	_exit(127);
}

static int forwarder_end(struct forwarder *f, int sig)
{
	int status = 0;

	kill(f->pid, sig);
	waitpid(f->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *forwarder_said(const struct forwarder *f)
{
	static char buf[8192];

	return read_file(f->errors, buf, sizeof(buf)) < 0 ? "" : buf;
}

static void start_for_group(struct daemon *d)
{
	more_args[0] = "--group";
	more_args[1] = "user";
	start(d);
}

static const char *state_for_user(void)
{
	const char *dir = scratch_in("/srv");

	EXPECT_EQ(0, chown(dir, 1000, GROUP));
	return text("%s/mark", dir);
}

TEST_TIMEOUT(what_was_refused_arrives_by_tls, 300)
{
	const char *state;
	struct forwarder f;
	struct daemon d;

	load_one();
	events_forget();
	state = state_for_user();
	receiver_up();
	start_for_group(&d);
	forwarder_start(&f, state);
	EXPECT_EQ(EACCES, PROBE("g", "names", "40", bad));
	EXPECT_EQ(40, count_new(40));
	/* It is nobody in particular. */
	EXPECT_EQ(0,
		  run_cmd(NULL, 0, "grep -q '^Uid:.1000.1000.1000.1000' /proc/%d/status", f.pid));
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q '^CapPrm:.0*$' /proc/%d/status", f.pid));
	EXPECT_EQ(0, run_cmd(NULL, 0, "grep -q '^NoNewPrivs:.1' /proc/%d/status", f.pid));
	/* policyd dies; the next one goes on, and so does the forwarder, by itself. */
	EXPECT_EQ(137, end(&d, SIGKILL));
	EXPECT_EQ(EACCES, PROBE("g", "names", "30", bad));
	start_for_group(&d);
	EXPECT_EQ(30, count_new(30));
	/* So does the forwarder: what came meanwhile is sent by the next one. */
	EXPECT_EQ(137, forwarder_end(&f, SIGKILL));
	receiver_hang_up();
	EXPECT_EQ(EACCES, PROBE("g", "names", "20", bad));
	forwarder_start(&f, state);
	EXPECT_EQ(20, count_new(20));
	/* And the receiver. */
	receiver_down();
	EXPECT_EQ(EACCES, PROBE("g", "names", "10", bad));
	receiver_up();
	EXPECT_EQ(10, count_new(10));
	EXPECT_TRUE(!strstr(forwarder_said(&f), "missing"));
	EXPECT_EQ(0, forwarder_end(&f, SIGTERM));
	EXPECT_EQ(0, end(&d, SIGTERM));
	receiver_down();
}

TEST(says_why_it_may_not)
{
	struct forwarder f;
	struct daemon d;
	int status = 0;
	char out[1024];

	load_one();
	receiver_up();
	start(&d); /* root only, but for its mode */
	EXPECT_EQ(0, chmod(SOCK, 0666));
	forwarder_start(&f, state_for_user());
	waitpid(f.pid, &status, 0);
	EXPECT_EQ(4, WEXITSTATUS(status));
	EXPECT_STRSTR("policyd refuses: events are for root only", forwarder_said(&f));
	EXPECT_EQ(4, run_cmd(out, sizeof(out), FORWARD " --tls 127.0.0.1:1 --ca %s", ca));
	EXPECT_STRSTR("does not run as", out);
	EXPECT_EQ(0, end(&d, SIGTERM));
	receiver_down();
}

LEAVES_NO_GUEST()
