/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comes to a guest from others, or leads to them: unix sockets by name, descriptors in
 * messages; and what it may ask of devices.
 */
#include "harness.h"

#include <fcntl.h>

#include "guest.h"
#include "guest_fds.h"

static const char *root;

/* Stream and datagram sockets of nobody's guest, in two directories. */
static void serve(struct probe *p)
{
	root = scratch();
	make_dir(text("%s/ok", root));
	make_dir(text("%s/no", root));
	probe_start(p, NULL,
		    STEPS("listen", "stream", text("%s/ok/s", root), "listen", "dgram",
			  text("%s/ok/d", root), "listen", "stream", text("%s/no/s", root), "listen",
			  "dgram", text("%s/no/d", root), "listen", "stream", "@outside", "listen",
			  "dgram", "@outside-d", "pause"));
	probe_until(p, "paused");
}

#define CONNECTED(...)                                                                      \
	EXPECT_EVENT("type=violation", "op=connect", "missing=connect", "errno=EACCES", \
		     ##__VA_ARGS__)

TEST(connect_needs_its_right)
{
	struct probe server;

	serve(&server);
	ASSERT_LOAD(GUEST("g") "files = [\n\t{ path = \"%s\", access = \"rw\" },\n"
			       "\t{ path = \"%s/ok\", access = [\"rw\", \"connect\"] },\n]\n",
		    root, root);
	EXPECT_EQ(0, PROBE("g", "connect", "stream", text("%s/ok/s", root)));
	EXPECT_EQ(0, PROBE("g", "connect", "dgram", text("%s/ok/d", root)));
	EXPECT_EQ(0, PROBE("g", "send-to", text("%s/ok/d", root)));
	EXPECT_EQ(EACCES, PROBE("g", "connect", "stream", text("%s/no/s", root)));
	CONNECTED("hook=unix_stream_connect", text("path=%s/no/s", root));
	EXPECT_EQ(EACCES, PROBE("g", "connect", "dgram", text("%s/no/d", root)));
	CONNECTED("hook=unix_may_send", text("path=%s/no/d", root));
	EXPECT_EQ(EACCES, PROBE("g", "send-to", text("%s/no/d", root)));
	EXPECT_EQ(0, PROBE(NULL, "connect", "stream", text("%s/no/s", root)));
	EXPECT_EQ(0, PROBE(NULL, "connect", "dgram", text("%s/no/d", root)));
	EXPECT_EQ(0, PROBE(NULL, "send-to", text("%s/no/d", root)));
	probe_go(&server);
	EXPECT_EQ(0, probe_end(&server));
}

/* Abstract names: the guest's own, and nobody else's. */
TEST(abstract_names)
{
	struct probe server;

	serve(&server);
	ASSERT_LOAD(GUEST("g") GUEST("h"));
	EXPECT_EQ(EPERM, PROBE("g", "connect", "stream", "@outside"));
	EXPECT_EVENT("type=escape", "op=abstract_socket", "verdict=denied");
	events_forget();
	EXPECT_EQ(EPERM, PROBE("g", "connect", "dgram", "@outside-d"));
	EXPECT_EVENT("type=escape", "op=abstract_socket", "verdict=denied");
	EXPECT_EQ(EPERM, PROBE("g", "send-to", "@outside-d"));
	EXPECT_EQ(0, PROBE("g", "listen", "stream", "@inside", "listen", "dgram", "@inside-d",
			   "connect", "stream", "@inside", "connect", "dgram", "@inside-d",
			   "send-to", "@inside-d"));
	EXPECT_EQ(0, PROBE(NULL, "connect", "stream", "@outside"));
	EXPECT_EQ(0, PROBE(NULL, "send-to", "@outside-d"));
	probe_go(&server);
	EXPECT_EQ(0, probe_end(&server));
}

/* Another guest's abstract socket is a stranger's; who is no guest may connect to a guest. */
TEST(abstract_names_of_another_guest)
{
	struct probe other;

	ASSERT_LOAD(GUEST("g") GUEST("h"));
	probe_start(&other, "h", STEPS("listen", "stream", "@other", "pause"));
	probe_until(&other, "paused");
	EXPECT_EQ(EPERM, PROBE("g", "connect", "stream", "@other"));
	EXPECT_EQ(0, PROBE("h", "connect", "stream", "@other"));
	EXPECT_EQ(0, PROBE(NULL, "connect", "stream", "@other"));
	probe_go(&other);
	EXPECT_EQ(0, probe_end(&other));
}

/* ---- descriptors in messages ---- */

static void hand(struct probe *p, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	ASSERT_LE(0, fd);
	probe_give(p, fd);
	close(fd);
}

/* Return: "CAME CUT" of one that is opened with @flags and sent to @guest. */
static const char *received(const char *guest, const char *path, int flags)
{
	const char *line;
	struct probe p;

	probe_start_socket(&p, guest, STEPS("receive", "1"));
	hand(&p, path, flags);
	line = text("%s", probe_until(&p, "received"));
	probe_end(&p);
	return line + strlen("received 0 ");
}

TEST(received_as_if_opened)
{
	const char *ok, *no;

	root = scratch();
	ok = make_file(text("%s/f", root), "x");
	make_dir(text("%s/no", root));
	no = make_file(text("%s/no/f", root), "x");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "ro") RULE("%s/no", "none") END, root, root);
	EXPECT_STREQ("1 0", received("g", ok, O_RDONLY));
	EXPECT_STREQ("0 1", received("g", ok, O_RDWR));
	EXPECT_EVENT("type=violation", "op=receive", "hook=file_receive", "missing=write",
		     "errno=EACCES", text("path=%s", ok));
	EXPECT_STREQ("0 1", received("g", no, O_RDONLY));
	EXPECT_EVENT("type=violation", "op=receive", "missing=read", text("path=%s", no));
	EXPECT_STREQ("1 0", received("g", no, O_PATH));
	EXPECT_STREQ("1 0", received("g", root, O_RDONLY | O_DIRECTORY));
	EXPECT_STREQ("0 1", received("g", text("%s/no", root), O_RDONLY | O_DIRECTORY));
	EXPECT_EVENT("type=violation", "op=receive", "missing=list");
	EXPECT_STREQ("0 1", received("g", "/dev/full", O_RDONLY));
	EXPECT_EVENT("type=violation", "op=receive", "path=/dev/full");
	EXPECT_STREQ("0 1", received("g", "/proc/self/ns/mnt", O_RDONLY));
	EXPECT_STREQ("1 0", received(NULL, no, O_RDWR));
	EXPECT_STREQ("1 0", received(NULL, "/dev/full", O_RDONLY));
}

/*
 * Access mode 3: neither read nor written by, for ioctls alone; to open it the kernel asks for both.
 */
TEST(received_for_ioctls_alone)
{
	const char *rw, *ro, *no;

	root = scratch();
	rw = make_file(text("%s/f", root), "x");
	make_dir(text("%s/ro", root));
	ro = make_file(text("%s/ro/f", root), "x");
	make_dir(text("%s/no", root));
	no = make_file(text("%s/no/f", root), "x");
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("%s/ro", "ro") RULE("%s/no", "none") END,
		    root, root, root);
	EXPECT_STREQ("1 0", received("g", rw, O_ACCMODE));
	EXPECT_STREQ("0 1", received("g", ro, O_ACCMODE));
	EXPECT_EVENT("type=violation", "op=receive", "access=read,write", "missing=write",
		     "errno=EACCES", text("path=%s", ro));
	EXPECT_STREQ("0 1", received("g", no, O_ACCMODE));
	EXPECT_EVENT("type=violation", "op=receive", "missing=read,write", text("path=%s", no));
	EXPECT_STREQ("1 0", received(NULL, no, O_ACCMODE));
}

/* ---- devices ---- */

TEST(ioctl_of_a_device)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("/dev/full", "rw") "\t{ path = \"/dev/zero\", access = "
							      "[\"rw\", \"ioctl\"] },\n" END);
	EXPECT_EQ(EACCES, PROBE("g", "ioctl", "/dev/full"));
	EXPECT_EVENT("type=violation", "op=ioctl", "hook=file_ioctl", "missing=ioctl",
		     "errno=EACCES", "path=/dev/full");
	EXPECT_EQ(ENOTTY, PROBE("g", "ioctl", "/dev/zero"));
	EXPECT_EQ(0, PROBE("g", "ioctl-vfs", "/dev/full"));
	EXPECT_EQ(ENOTTY, PROBE(NULL, "ioctl", "/dev/full"));
}

static const char *stdin_path;

static void open_stdin(void)
{
	dup2(open(stdin_path, O_RDONLY), STDIN_FILENO);
}

/* A terminal that came with the guest: no rule names it, so it is left alone. */
TEST(ioctl_of_what_came_along)
{
	struct probe p;

	stdin_path = "/dev/full";
	ASSERT_LOAD(GUEST("g"));
	probe_prepare = open_stdin;
	probe_start(&p, "g", STEPS("ioctl-fd", "0"));
	probe_prepare = NULL;
	EXPECT_STREQ(text("ioctl-fd %d", ENOTTY), probe_until(&p, "ioctl-fd"));
	probe_end(&p);
}

LEAVES_NO_GUEST()
