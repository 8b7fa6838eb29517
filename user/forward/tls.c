/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A receiver of syslog messages by TLS (RFC 5425). It acknowledges nothing: what counts is what its
 * side of the TCP connection has (SIOCOUTQ), as for policyd's --syslog. Connecting, and the waits
 * between attempts, are syslog_link.c's.
 */
#include <linux/sockios.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "base.h"
#include "forward.h"
#include "here.h"
#include "syslog_link.h"
#include "tls_context.h"
#include "wire.h"

#define MS_US UINT64_C(1000)

/* Nothing tells of acknowledgements, of the end of a wait, or that an attempt takes too long. */
#define ACK_US	   (50 * MS_US)
#define SOON_US	   (20 * MS_US)
#define CONNECT_US (250 * MS_US)

/* A name's servers that do not answer hold up the loop: not for long. */
#define RESOLVER_PATIENCE "timeout:1 attempts:1"

/* A handshake that takes longer is given up. */
#define HANDSHAKE_NS (10 * UINT64_C(1000000000))

/*
 * By TLS 1.3 the receiver looks for our certificate after our side of the handshake: so long its next
 * word, a ticket or an alert, is waited for before anything is sent that it might never read.
 */
#define WORD_NS UINT64_C(1000000000)

/**
 * struct tls - @began_ns: when TCP was connected. @shaken_ns: when the handshake ended; 0: it has not.
 * @spoke: a ticket came. @wants: EPOLLOUT, if that is what is waited for.
 */
struct tls {
	struct pol_syslog_link link;
	sd_event_source *io;
	SSL_CTX *context;
	SSL *ssl;
	uint64_t began_ns;
	uint64_t shaken_ns;
	bool spoke;
	uint32_t wants;
	struct wire wire;
};

static int on_io(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	forward_go(arg);
	return 0;
}

/* Before the descriptor is closed. */
static void on_closing(void *arg)
{
	struct tls *tls = ((struct forward *)arg)->tls;

	tls->io = sd_event_source_disable_unref(tls->io);
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	tls->ssl = NULL;
	tls->context = NULL;
}

/* What was not acknowledged goes out again, from the beginning of a message. */
static void give_up(struct forward *f, int error, const char *why)
{
	forward_refused(f, why);
	(void)pol_syslog_link_break(&f->tls->link, error);
}

static void fail_tls(struct forward *f, int r, int saved_errno)
{
	int error = SSL_get_error(f->tls->ssl, r);

	give_up(f, -EPROTO, tls_why(f->tls->ssl, error, saved_errno));
}

/* Return: whether it has to be waited for; else it failed, and is given up. */
static bool waits(struct forward *f, int r)
{
	struct tls *tls = f->tls;
	int saved_errno = errno, error = SSL_get_error(tls->ssl, r);

	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		fail_tls(f, r, saved_errno);
		return false;
	}
	if (error == SSL_ERROR_WANT_WRITE)
		tls->wants = EPOLLOUT;
	return true;
}

/* ------------------------------------------------------------------ connecting */

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	(void)session;
	tls->spoke = true;
	return 0; /* we keep no session */
}

static int begin(struct forward *f)
{
	struct tls *tls = f->tls;
	struct pol_err err = { 0 };
	int r;

	if (tls_context_new(f->options, &tls->context, &err) < 0) {
		give_up(f, -EPROTO, err.message);
		return -EPROTO;
	}
	SSL_CTX_set_session_cache_mode(tls->context,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls->context, on_ticket);
	tls->ssl = tls_new(tls->context, f->options, tls->link.fd);
	r = tls->ssl ? sd_event_add_io(f->event, &tls->io, tls->link.fd, EPOLLIN, on_io, f)
		     : -ENOMEM;
	if (r < 0) {
		give_up(f, r, strerror(-r));
		return r;
	}
	(void)SSL_set_app_data(tls->ssl, tls);
	tls->began_ns = pol_boot_ns();
	tls->shaken_ns = 0;
	tls->spoke = false;
	tls->wire = (struct wire){ .next = f->window.first };
	return 0;
}

/* Return: whether it is connected. */
static bool connect_tcp(struct forward *f)
{
	struct tls *tls = f->tls;
	int r = pol_syslog_link_open(&tls->link, pol_boot_ns());

	if (!r)
		return tls->ssl || !begin(f);
	if (r != -EALREADY && tls->link.fd < 0 && r != -EPROTO)
		forward_refused(f, pol_syslog_link_why(&tls->link, r));
	return false;
}

/* Return: whether it is done. */
static bool shake_hands(struct forward *f)
{
	struct tls *tls = f->tls;
	int r;

	if (tls->shaken_ns)
		return true;
	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(tls->ssl);
	if (r == 1) {
		tls->shaken_ns = pol_boot_ns();
		tls->spoke |= SSL_version(tls->ssl) < TLS1_3_VERSION;
		return true;
	}
	if (waits(f, r) && pol_boot_ns() - tls->began_ns > HANDSHAKE_NS)
		give_up(f, -EPROTO, "it does not answer the TLS handshake");
	return false;
}

/* ------------------------------------------------------------------ sending */

/*
 * No receiver answers: its tickets, its alerts, its end; what else it says is passed over, a part at a
 * time. Return: whether it is there.
 */
static bool listen_to(struct forward *f)
{
	char buf[4096];
	int r = 1;

	for (int i = 0; i < 16 && r > 0; i++) {
		ERR_clear_error();
		errno = 0;
		r = SSL_read(f->tls->ssl, buf, sizeof(buf));
	}
	return r > 0 || waits(f, r);
}

static void take_acknowledged(struct forward *f)
{
	struct tls *tls = f->tls;
	uint64_t before = f->window.first, written;
	int pending = 0;

	if (ioctl(tls->link.fd, SIOCOUTQ, &pending) < 0)
		return;
	written = BIO_number_written(SSL_get_wbio(tls->ssl));
	wire_acknowledged(&tls->wire, &f->window, written - (uint64_t)pending);
	if (f->window.first == before)
		return;
	pol_syslog_link_arrived(&tls->link);
	forward_taken(f);
}

/* Return: whether it is there. */
static bool send_all(struct forward *f)
{
	struct tls *tls = f->tls;
	int r;

	while (wire_fill(&tls->wire, &f->window)) {
		ERR_clear_error();
		errno = 0;
		r = SSL_write(tls->ssl, tls->wire.data, (int)tls->wire.len);
		if (r <= 0)
			return waits(f, r);
		wire_written(&tls->wire, BIO_number_written(SSL_get_wbio(tls->ssl)));
	}
	return true;
}

static bool may_send(const struct tls *tls)
{
	return tls->spoke || pol_boot_ns() - tls->shaken_ns > WORD_NS;
}

static uint64_t talk(struct forward *f)
{
	struct tls *tls = f->tls;

	if (!shake_hands(f))
		return CONNECT_US;
	/* What it has is taken before it is asked whether it is there. */
	take_acknowledged(f);
	if (!listen_to(f))
		return CONNECT_US;
	if (!may_send(tls))
		return ACK_US;
	if (!send_all(f))
		return CONNECT_US;
	take_acknowledged(f);
	return wire_busy(&tls->wire) ? ACK_US : NEVER_US;
}

static uint64_t step(struct forward *f)
{
	struct tls *tls = f->tls;
	uint64_t in_us;

	tls->wants = 0;
	if (connect_tcp(f))
		in_us = talk(f);
	else
		in_us = tls->link.connecting ? SOON_US : CONNECT_US;
	if (tls->io)
		(void)sd_event_source_set_io_events(tls->io, EPOLLIN | tls->wants);
	return in_us;
}

static int open_tls(struct forward *f, struct pol_err *err)
{
	SSL_CTX *context;
	int r = tls_context_new(f->options, &context, err);

	if (r < 0)
		return r;
	SSL_CTX_free(context);
	if (setenv("RES_OPTIONS", RESOLVER_PATIENCE, 0) < 0)
		return pol_err_set(err, POL_ERR_FAILED, -errno, "cannot set RES_OPTIONS");
	f->tls = calloc(1, sizeof(*f->tls));
	if (!f->tls)
		return pol_err_set(err, POL_ERR_FAILED, -ENOMEM, "no TLS");
	f->tls->link = (struct pol_syslog_link){
		.to = &f->options->tls,
		.fd = -EBADF,
		.closing = on_closing,
		.arg = f,
	};
	forward_say("sending to %s by TLS", f->options->tls_text);
	return 0;
}

static void close_tls(struct forward *f)
{
	struct tls *tls = f->tls;

	if (!tls)
		return;
	/* close_notify: the receiver knows that nothing was cut off. */
	if (tls->ssl && tls->shaken_ns)
		(void)SSL_shutdown(tls->ssl);
	pol_syslog_link_close(&tls->link);
	free(tls);
}

const struct receiver receiver_tls = {
	.open = open_tls,
	.step = step,
	.close = close_tls,
};
