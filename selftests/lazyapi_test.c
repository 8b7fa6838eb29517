/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lazy shadows as libpolicy has them: made, mapped by a guest and served, and what the engine knows of
 * the file meanwhile.
 */
#include "harness.h"

#include <grp.h>
#include <sys/resource.h>

#include "api.h"
#include "lazy_side.h"

static const char *dir;
static struct pol_lazy *lazy;

static void load(const char *more)
{
	ASSERT_LOADED(GUEST("g") "[guest.g.shadow]\npaths = [\"%s\"]\n%s" GUEST(
			      "h") "[guest.h.shadow]\npaths = [\"%s\"]\n",
		      dir, more, dir);
}

SETUP()
{
	lazy_setup();
	close(shared->memory);
	dir = text("%.*s", (int)(strrchr(shared->file, '/') - shared->file), shared->file);
}

/* ---- a guest, and who serves it ---- */

static int map_by_library(void)
{
	struct pol_lazy_mapping mapping = { .size = sizeof(mapping) };
	int r = pol_lazy_map(shared->memory, PROT_READ, &mapping, &error);

	shared->region.address = mapping.address;
	shared->region.length = mapping.length;
	shared->region.uffd = mapping.uffd;
	shared->region.user_only = mapping.flags & POL_LAZY_USER_ONLY;
	return r;
}

static void make(uint32_t flags)
{
	shared->memory = pol_shadow_make("g", shared->file, flags, NULL, NULL, &error);
	if (shared->memory < 0)
		FAIL("pol_shadow_make: %d, %s", shared->memory, error.message);
	ASSERT_LE(0, shared->memory);
}

/* It stands before its job, as guest g. */
static void begin_lazy(struct side *side, uid_t uid, void (*job)(void))
{
	make(POL_SHADOW_MAKE_LAZY);
	begin(side, &(struct who){ "g", uid, map_by_library, job });
}

static int open_lazy(const struct side *side)
{
	return pol_lazy_open("g", shared->memory, shared->file, side->uffd,
			     (uintptr_t)shared->region.address, &lazy, &error);
}

static void go_lazy(struct side *side)
{
	EXPECT_RETURN(0, open_lazy(side));
	ASSERT_TRUE(lazy != NULL);
	close(side->uffd);
	ASSERT_EQ(1, write(side->sock, "", 1));
}

/* As is_asked(), by the library's descriptor. */
static bool asks(const struct side *side)
{
	struct pollfd p[] = { { .fd = pol_lazy_fd(lazy), .events = POLLIN },
			      { .fd = side->sock, .events = POLLIN } };

	ASSERT_LE(1, poll(p, 2, 30000));
	return p[0].revents;
}

static int serve_lazy(const struct side *side)
{
	while (asks(side)) {
		int r = pol_lazy_serve(lazy, ENOUGH, &error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int end_lazy(struct side *side)
{
	pol_lazy_close(lazy);
	return end(side);
}

/* ---- served ---- */

static void compare_all(void)
{
	for (size_t i = 0; i < SIZE; i++)
		shared->out[0] += at_page(0)[i] != byte_of(i);
}

static void expect_served(uid_t uid)
{
	struct side side;

	begin_lazy(&side, uid, compare_all);
	EXPECT_EQ(SIZE, shared->region.length);
	EXPECT_EQ(!!uid, shared->region.user_only);
	go_lazy(&side);
	EXPECT_EQ(0, pol_lazy_copied(lazy));
	EXPECT_EQ(0, serve_lazy(&side));
	EXPECT_EQ(PAGES * PAGE, pol_lazy_copied(lazy));
	EXPECT_EQ(0, end_lazy(&side));
	EXPECT_EQ(0, shared->out[0]);
	EXPECT_EQ(0, memory_bytes());
	close(shared->memory);
	EXPECT_EQ(0, EVENTS("type=violation"));
}

TEST(a_guest_is_served)
{
	load("");
	expect_served(0);
	expect_served(USER);
}

/* Neither the cap nor the budget are for it. */
TEST(larger_than_the_cap)
{
	struct pol_guest_info info = { .size = sizeof(info) };

	load("max_size = 4096\nbudget = 4096\n");
	EXPECT_RETURN(-EFBIG, pol_shadow_make("g", shared->file, 0, NULL, NULL, &error));
	expect_served(0);
	make(POL_SHADOW_MAKE_LAZY);
	EXPECT_RETURN(0, pol_guest_info("g", &info, &error));
	EXPECT_EQ(1, info.shadows);
	EXPECT_EQ(0, info.shadow_bytes);
}

TEST(never_executable)
{
	const uint32_t both = POL_SHADOW_MAKE_EXEC | POL_SHADOW_MAKE_LAZY;
	struct pol_lazy_mapping mapping = { .size = sizeof(mapping) };

	load("exec = true\n");
	EXPECT_RETURN(-EINVAL, pol_shadow_make("g", shared->file, both, NULL, NULL, &error));
	make(POL_SHADOW_MAKE_LAZY);
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL,
		    pol_lazy_map(shared->memory, PROT_READ | PROT_EXEC, &mapping, &error));
}

/* ---- two guests ---- */

/*
 * Who maps it and does not register makes pages of zeros in it, which nobody is asked for any more. The
 * mapping stays.
 */
static void fill_with_zeros(int shadow)
{
	const volatile unsigned char *at = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, shadow, 0);

	ASSERT_TRUE(at != MAP_FAILED);
	for (size_t i = 0; i < PAGES; i++)
		EXPECT_EQ(0, at[i * PAGE]);
}

TEST(one_guests_is_not_anothers)
{
	const uint32_t lazily = POL_SHADOW_MAKE_LAZY;
	int shadow;

	load("");
	shadow = pol_shadow_make("h", shared->file, lazily, NULL, NULL, &error);
	ASSERT_LE(0, shadow);
	fill_with_zeros(shadow);
	expect_served(0);
	close(shadow);
	shadow = pol_shadow_make("g", shared->file, lazily, NULL, NULL, &error);
	ASSERT_LE(0, shadow);
	fill_with_zeros(shadow);
	expect_served(0);
}

/* It lives by a mapping alone, and nobody can hand it on: there is a new one. */
TEST(a_snapshot_that_is_only_mapped)
{
	struct pol_shadow first = { .size = sizeof(first) }, second = { .size = sizeof(second) };
	int fd;

	load("");
	fd = pol_shadow_make("g", shared->file, 0, NULL, &first, &error);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	fd = pol_shadow_make("g", shared->file, 0, NULL, &second, &error);
	EXPECT_LE(0, fd);
	EXPECT_NE(first.inode, second.inode);
}

/* ---- a file that changes ---- */

static void touch_two(void)
{
	shared->out[0] = touch(1);
	shared->step = 1;
	shared->out[1] = 1 + touch(2);
}

static void serve_first(struct side *side)
{
	load("");
	begin_lazy(side, 0, touch_two);
	go_lazy(side);
	ASSERT_TRUE(asks(side));
	EXPECT_EQ(1, pol_lazy_serve(lazy, 1, &error));
	await_step(1);
}

static void expect_stale(struct side *side)
{
	EXPECT_RETURN(-ESTALE, serve_lazy(side));
	EXPECT_EQ(PAGE, pol_lazy_copied(lazy));
	if (!kernel_is(6, 6))
		ASSERT_EQ(0, kill(side->pid, SIGKILL));
	EXPECT_EQ(128 + (kernel_is(6, 6) ? SIGBUS : SIGKILL), end_lazy(side));
	EXPECT_EQ(1, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
}

/* A store through a mapping of it moves no time of the file; the open before it is seen. */
TEST(a_file_that_is_written_to)
{
	unsigned char *at;
	struct side side;
	int fd;

	serve_first(&side);
	fd = open(shared->file, O_RDWR | O_CLOEXEC);
	at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_TRUE(at != MAP_FAILED);
	at[2 * PAGE] = 0;
	close(fd);
	expect_stale(&side);
	EXPECT_RETURN(-ESTALE,
		      pol_lazy_open("g", shared->memory, shared->file, 0, PAGE, &lazy, &error));
}

TEST(a_file_that_is_replaced)
{
	struct side side;

	serve_first(&side);
	write_bytes(text("%s/other", dir), SIZE);
	ASSERT_EQ(0, rename(text("%s/other", dir), shared->file));
	expect_stale(&side);
}

/* ---- what is refused ---- */

static void expect_refused(int want, const char *guest, int shadow, const char *path, int uffd)
{
	struct pol_lazy *none = (void *)1;
	int had = descriptors();

	EXPECT_RETURN(want, pol_lazy_open(guest, shadow, path, uffd,
					  (uintptr_t)shared->region.address, &none, &error));
	EXPECT_TRUE(none == (void *)1);
	EXPECT_EQ(had, descriptors());
}

TEST(what_is_no_lazy_shadow)
{
	const char *other = text("%s/other", dir), *file = shared->file;
	int uffd, eager;

	load("");
	write_bytes(other, SIZE);
	eager = pol_shadow_make("g", file, 0, NULL, NULL, &error);
	ASSERT_LE(0, eager);
	make(POL_SHADOW_MAKE_LAZY);
	ASSERT_EQ(0, map_by_library());
	uffd = shared->region.uffd;
	expect_refused(-EINVAL, "g", eager, file, uffd);
	EXPECT_STRSTR("it has all its bytes", error.message);
	expect_refused(-ENOENT, "g", make_shadow(SIZE), file, uffd);
	expect_refused(-EBADF, "g", 999, file, uffd);
	expect_refused(-ENOENT, "h", shared->memory, file, uffd);
	expect_refused(-ENOENT, "nobody", shared->memory, file, uffd);
	expect_refused(-EACCES, "g", shared->memory, "/etc/passwd", uffd);
	expect_refused(-ENOENT, "g", shared->memory, text("%s/none", dir), uffd);
	expect_refused(-EINVAL, "g", shared->memory, "source", uffd);
	expect_refused(-ESTALE, "g", shared->memory, other, uffd);
	EXPECT_STRSTR("another file", error.message);
	expect_refused(-EPROTO, "g", shared->memory, file, eager);
	shared->region.address = (void *)1;
	expect_refused(-EPROTO, "g", shared->memory, file, uffd);
}

static void as_nobody(void)
{
	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		_exit(1);
	expect_refused(-EPERM, "g", shared->memory, shared->file, 0);
	_exit(0);
}

TEST(who_is_not_root)
{
	pid_t pid;

	load("");
	make(POL_SHADOW_MAKE_LAZY);
	fflush(stdout);
	pid = fork();
	if (!pid)
		as_nobody();
	EXPECT_EQ(0, end_of(pid));
}

TEST(arguments)
{
	struct pol_lazy_mapping mapping = { .size = sizeof(mapping) - 1 };

	load("");
	make(POL_SHADOW_MAKE_LAZY);
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL,
		    pol_lazy_map(shared->memory, PROT_READ, &mapping, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL,
		    pol_lazy_map(shared->memory, PROT_READ, NULL, &error));
	ASSERT_EQ(0, map_by_library());
	EXPECT_RETURN(0, open_lazy(&(struct side){ .uffd = shared->region.uffd }));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_lazy_serve(lazy, 0, &error));
	EXPECT_KIND(POL_ERROR_USAGE, -EINVAL, pol_lazy_serve(lazy, UINT32_MAX, &error));
	EXPECT_RETURN(0, pol_lazy_serve(lazy, INT32_MAX, &error));
	EXPECT_RETURN(0, pol_lazy_serve(lazy, 1, NULL));
	pol_lazy_close(lazy);
	pol_lazy_close(NULL);
}

/* The first descriptor that is missing, and the second, and so on: each is an error, and none is left. */
TEST(no_descriptor_is_left)
{
	struct rlimit limit = { 0, 1024 };
	int had, failed = 0, r = -EMFILE;

	load("");
	make(POL_SHADOW_MAKE_LAZY);
	ASSERT_EQ(0, map_by_library());
	had = descriptors();
	for (rlim_t room = 0; room < 200 && r < 0; room++) {
		limit.rlim_cur = room;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		r = open_lazy(&(struct side){ .uffd = shared->region.uffd });
		limit.rlim_cur = 1024;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		if (r < 0)
			EXPECT_EQ(had, descriptors());
		failed += r < 0;
	}
	EXPECT_EQ(0, r);
	EXPECT_LE(5, failed);
	pol_lazy_close(lazy);
	EXPECT_EQ(had, descriptors());
}

LEAVES_NO_GUEST()
