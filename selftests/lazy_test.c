/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shadows that are filled as they are touched, for guests that do as they should: which bytes they
 * read, who pays for them, and what becomes of a file that changes meanwhile.
 */
#include "harness.h"

#include <sys/resource.h>

#include "lazy_side.h"
#include "refuse.h"

SETUP()
{
	lazy_setup();
}

/* ---- what is served ---- */

/* out: bytes that differ, bytes behind the end that are not zero. */
static void compare_all(void)
{
	const unsigned char *at = at_page(0);

	for (size_t i = 0; i < SIZE; i++)
		shared->out[0] += at[i] != byte_of(i);
	for (size_t i = SIZE; i < PAGES * PAGE; i++)
		shared->out[1] += at[i] != 0;
}

static void expect_all(const char *guest, uid_t uid)
{
	struct side side;

	begin_and_go(&side, &(struct who){ guest, uid, NULL, compare_all });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(PAGES * PAGE, side.pager.copied);
	EXPECT_EQ(0, side.pager.gone);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(0, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
	EXPECT_EQ(0, memory_bytes());
}

TEST(every_byte)
{
	expect_all(NULL, 0);
}

TEST(every_byte_for_a_guest)
{
	ASSERT_LOAD(GUEST("g") "[guest.g.limits]\nfds = 20\n");
	expect_all("g", 0);
	EXPECT_FALSE(shared->region.user_only);
	EXPECT_EQ(0, EVENTS("type=violation"));
}

TEST(every_byte_for_a_guest_without_privileges)
{
	ASSERT_LOAD(GUEST("g"));
	expect_all("g", USER);
	EXPECT_TRUE(shared->region.user_only);
	EXPECT_EQ(0, EVENTS("type=violation"));
}

/* A number of the mapping in smaps, bytes. */
static long of_mapping(const char *what)
{
	char *line = NULL, begin[32];
	bool there = false;
	size_t room = 0;
	long kib = -1;
	FILE *f = fopen("/proc/self/smaps", "re");

	snprintf(begin, sizeof(begin), "%lx-", (unsigned long)shared->region.address);
	while (kib < 0 && getline(&line, &room, f) > 0) {
		there |= !strncmp(line, begin, strlen(begin));
		if (there && !strncmp(line, what, strlen(what)))
			kib = strtol(line + strlen(what), NULL, 10);
	}
	free(line);
	fclose(f);
	return kib * 1024;
}

static void touch_three(void)
{
	shared->out[0] = touch(3) + touch(17) + touch(PAGES - 1) + touch(3);
	shared->out[1] = of_mapping("Rss:");
	shared->out[2] = of_mapping("Anonymous:");
	madvise(at_page(17), PAGE, MADV_DONTNEED);
	shared->out[3] = touch(17);
}

/* And what was given back is asked for again. */
TEST(only_what_is_touched)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = touch_three });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(4, shared->out[0]);
	EXPECT_EQ(3 * PAGE, shared->out[1]);
	EXPECT_EQ(3 * PAGE, shared->out[2]);
	EXPECT_EQ(1, shared->out[3]);
	EXPECT_EQ(4 * PAGE, side.pager.copied);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(0, memory_bytes());
}

/* ---- many threads ---- */

#define THREADS 8

static void *touch_one(void *arg)
{
	return (void *)(long)touch((size_t)arg);
}

static void touch_by_threads(size_t first, size_t step)
{
	pthread_t threads[THREADS];
	void *ok;

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, touch_one, (void *)(first + i * step));
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &ok);
		shared->out[0] += (long)ok;
	}
}

/* And is there until all that it asked has been answered. */
static void the_same_page(void)
{
	touch_by_threads(5, 0);
	await_step(1);
}

static void a_page_each(void)
{
	touch_by_threads(5, 1);
}

TEST(one_page_for_all_who_wait)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = the_same_page });
	await_sleep(side.pid, THREADS + 1);
	EXPECT_EQ(1, serve_once(&side, ENOUGH));
	shared->step = 1;
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(PAGE, side.pager.copied);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(THREADS, shared->out[0]);
}

TEST(no_more_than_it_may)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = a_page_each });
	await_sleep(side.pid, THREADS + 1);
	EXPECT_EQ(0, serve_once(&side, 0));
	EXPECT_EQ(1, serve_once(&side, 1));
	EXPECT_EQ(3, serve_once(&side, 3));
	EXPECT_EQ(THREADS - 4, serve_once(&side, ENOUGH));
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(THREADS * PAGE, side.pager.copied);
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(THREADS, shared->out[0]);
}

/* ---- writes, system calls, children ---- */

static void write_all(void)
{
	for (size_t i = 0; i < PAGES; i++)
		at_page(i)[1] = 0;
	for (size_t i = 0; i < PAGES; i++)
		shared->out[0] += at_page(i)[0] == byte_of(i * PAGE) && !at_page(i)[1];
}

TEST(writes_are_its_own)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = write_all });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(PAGES * PAGE, side.pager.copied);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(PAGES, shared->out[0]);
	memset(shared->out, 0, sizeof(shared->out));
	expect_all(NULL, 0);
}

static void call_with_pages(void)
{
	int fds[2];

	if (pipe(fds))
		_exit(94);
	shared->out[0] = write(fds[1], at_page(1), TAIL) < 0 ? -errno : TAIL;
	(void)!write(fds[1], "xx", 2);
	shared->out[1] = read(fds[0], at_page(2), 2) < 0 ? -errno : 2;
	shared->out[2] = touch(1);
	shared->out[3] = write(fds[1], at_page(1), TAIL) < 0 ? -errno : TAIL;
}

static void expect_calls(uid_t uid, int from, int to)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .uid = uid, .job = call_with_pages });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(from, shared->out[0]);
	EXPECT_EQ(to, shared->out[1]);
	EXPECT_EQ(1, shared->out[2]);
	EXPECT_EQ(TAIL, shared->out[3]);
}

TEST(system_calls_on_pages_that_are_not_there)
{
	expect_calls(0, TAIL, 2);
	expect_calls(USER, -EFAULT, -EFAULT);
}

static void fork_one(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(touch(9));
	waitpid(pid, &status, 0);
	shared->out[0] = WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
	shared->out[1] = touch(9);
}

/* It would read zeros. */
TEST(a_child_has_no_mapping)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = fork_one });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(SIGSEGV, shared->out[0]);
	EXPECT_EQ(1, shared->out[1]);
}

/* ---- who pays ---- */

#define MANY 2048ul /* pages */

static void touch_many(void)
{
	for (size_t i = 0; i < MANY; i++)
		shared->out[0] += touch(i);
	shared->step = 1;
	pause();
}

static long memory_of(const char *cgroup)
{
	return read_number(text("%s/memory.current", cgroup));
}

TEST(the_guest_pays)
{
	const char *own = text(CGROUP_ROOT "/host%d", getpid());
	struct pol_pager_source source;
	long guest, host;
	struct side side;

	ASSERT_LOAD(GUEST("g") "[guest.g.limits]\nmemory = \"64MiB\"\n");
	write_bytes(shared->file, MANY * PAGE);
	shared->memory = make_shadow(MANY * PAGE);
	ASSERT_EQ(0, mkdir(own, 0755));
	ASSERT_EQ(0, write_file(text("%s/cgroup.procs", own), "0"));
	begin(&side, &(struct who){ "g", 0, NULL, touch_many });
	source = source_of(shared->file);
	source.size = MANY * PAGE;
	guest = memory_of(CGROUPS "/g");
	host = memory_of(own);
	go(&side, source);
	while (shared->step < 1)
		EXPECT_LE(0, serve_once(&side, ENOUGH));
	guest = memory_of(CGROUPS "/g") - guest;
	host = memory_of(own) - host;
	printf("# %lu bytes served: the guest's cgroup + %ld, the host's %+ld\n", MANY * PAGE,
	       guest, host);
	/* Charged by 64 pages at a time on each CPU; and it has page tables. */
	EXPECT_LE(MANY * PAGE - 256 * PAGE, guest);
	EXPECT_LE(guest, MANY * PAGE + 256 * PAGE);
	EXPECT_LE(host, 256 * PAGE);
	EXPECT_EQ(MANY, shared->out[0]);
	EXPECT_EQ(128 + SIGKILL, end_by_kill(&side));
	ASSERT_EQ(0, write_file(CGROUP_ROOT "/cgroup.procs", "0"));
	EXPECT_EQ(0, rmdir(own));
}

/* The kernel ends the guest, not who serves it; that may be told of the shortage before, or not. */
TEST(the_guests_ceiling)
{
	struct pol_pager_source source;
	struct side side;
	char events[512];
	int r = 0;

	ASSERT_LOAD(GUEST("g") "[guest.g.limits]\nmemory = \"4MiB\"\nswap = 0\n");
	write_bytes(shared->file, MANY * PAGE);
	shared->memory = make_shadow(MANY * PAGE);
	begin(&side, &(struct who){ "g", 0, NULL, touch_many });
	source = source_of(shared->file);
	source.size = MANY * PAGE;
	go(&side, source);
	while (r != -ESRCH && is_asked(&side))
		r = serve_once(&side, ENOUGH);
	printf("# at the ceiling: %d, %llu bytes copied\n", r,
	       (unsigned long long)side.pager.copied);
	EXPECT_LE(side.pager.copied, 4ul << 20);
	EXPECT_EQ(0, shared->step);
	EXPECT_LE(0, read_file(CGROUPS "/g/memory.events", events, sizeof(events)));
	EXPECT_FALSE(strstr(events, "oom_kill 0\n"));
	EXPECT_EQ(128 + SIGKILL, end(&side));
}

/* ---- a file that changes ---- */

static void touch_two(void)
{
	shared->out[0] = touch(1);
	shared->step = 1;
	shared->out[1] = 1 + touch(2);
}

/* What was served stays; nothing more is: who asks gets SIGBUS, or waits where a kernel has no such answer. */
static void expect_end_of_service(struct side *side, int want)
{
	int got = 0;

	while (got >= 0 && is_asked(side))
		got = serve_once(side, ENOUGH);
	EXPECT_EQ(want, got);
	EXPECT_EQ(want, side->err.code);
	EXPECT_EQ(PAGE, side->pager.copied);
	if (kernel_is(6, 6)) {
		EXPECT_EQ(128 + SIGBUS, end(side));
	} else {
		EXPECT_EQ(0, serve_once(side, ENOUGH));
		EXPECT_EQ(128 + SIGKILL, end_by_kill(side));
	}
	EXPECT_EQ(1, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
}

static void serve_first(struct side *side)
{
	begin_and_go(side, &(struct who){ .job = touch_two });
	ASSERT_TRUE(is_asked(side));
	EXPECT_EQ(1, serve_once(side, 1));
	await_step(1);
}

TEST(a_file_that_was_changed)
{
	struct side side;

	serve_first(&side);
	shared->stale = true;
	expect_end_of_service(&side, -ESTALE);
	EXPECT_STRSTR("the file has changed", side.err.message);
}

TEST(a_file_that_is_shorter_now)
{
	struct side side;

	serve_first(&side);
	ASSERT_EQ(0, truncate(shared->file, 2 * PAGE + TAIL));
	expect_end_of_service(&side, -ESTALE);
}

static void touch_up_to_three(void)
{
	shared->out[0] = touch(1);
	shared->step = 1;
	shared->out[0] += touch(2);
	shared->out[1] = 1 + touch(3);
}

/* Whoever asks is told how it is; and in just that moment every byte is another one. */
static bool changes_when_asked(void *arg)
{
	static unsigned char zeros[SIZE];
	bool before = is_stale(arg);

	if (shared->step) {
		int fd = open(shared->file, O_WRONLY | O_CLOEXEC);

		ASSERT_EQ(SIZE, write(fd, zeros, SIZE));
		close(fd);
		shared->stale = true;
	}
	return before;
}

/* What had been read before is of the version that it should be; what is read afterwards is not copied. */
TEST(a_file_that_changes_while_a_page_is_read)
{
	struct side side;

	begin(&side, &(struct who){ .job = touch_up_to_three });
	go(&side, (struct pol_pager_source){ open(shared->file, O_RDONLY | O_CLOEXEC), SIZE,
					     changes_when_asked, shared });
	ASSERT_TRUE(is_asked(&side));
	EXPECT_EQ(1, serve_once(&side, 1));
	await_step(1);
	ASSERT_TRUE(is_asked(&side));
	EXPECT_EQ(1, serve_once(&side, 1));
	EXPECT_EQ(-ESTALE, serve(&side));
	EXPECT_EQ(2 * PAGE, side.pager.copied);
	(void)kill(side.pid, kernel_is(6, 6) ? 0 : SIGKILL);
	EXPECT_EQ(128 + (kernel_is(6, 6) ? SIGBUS : SIGKILL), end(&side));
	EXPECT_EQ(2, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
}

/* As of a file that is mapped itself. */
TEST(a_file_that_cannot_be_read)
{
	struct side side;
	int dir;

	serve_first(&side);
	dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(side.pager.source.fd, dup3(dir, side.pager.source.fd, O_CLOEXEC));
	close(dir);
	expect_end_of_service(&side, -EISDIR);
}

/* ---- what cannot be mapped ---- */

static void expect_no_map(int want, enum pol_err_kind kind, int fd, int prot)
{
	struct pol_lazy_region region = { .uffd = 77 };
	struct pol_err err = {};
	int had = descriptors();

	EXPECT_EQ(want, pol_lazy_region_map(fd, prot, &region, &err));
	EXPECT_EQ(kind, err.kind);
	EXPECT_EQ(want, err.code);
	EXPECT_TRUE(err.message[0]);
	EXPECT_EQ(77, region.uffd);
	EXPECT_EQ(had, descriptors());
}

TEST(what_cannot_be_mapped)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	expect_no_map(-EINVAL, POL_ERR_USAGE, shared->memory, PROT_READ | PROT_EXEC);
	expect_no_map(-EINVAL, POL_ERR_USAGE, shared->memory, PROT_NONE);
	expect_no_map(-EINVAL, POL_ERR_USAGE, make_shadow(0), PROT_READ);
	expect_no_map(-EINVAL, POL_ERR_USAGE, fds[0], PROT_READ);
	expect_no_map(-EBADF, POL_ERR_USAGE, 999, PROT_READ);
	expect_no_map(-EACCES, POL_ERR_FAILED, open(shared->file, O_WRONLY), PROT_READ);
}

static void without_call(int code)
{
	ASSERT_EQ(0, refuse_call(SYS_userfaultfd, code));
	expect_no_map(-code, POL_ERR_HOST, shared->memory, PROT_READ);
}

TEST(no_userfaultfd_by_seccomp)
{
	without_call(EPERM);
}

TEST(no_userfaultfd_in_the_kernel)
{
	without_call(ENOSYS);
}

TEST(no_descriptor_left)
{
	const struct rlimit none = { 0, 0 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	struct pol_lazy_region region;

	EXPECT_EQ(-EMFILE, pol_lazy_region_map(shared->memory, PROT_READ, &region, NULL));
}

/* ---- what the kernel does, and the documents say ---- */

static int register_shared(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING,
				       .range.len = PAGES * PAGE };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	void *at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, shared->memory, 0);

	ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	ASSERT_TRUE(at != MAP_FAILED);
	reg.range.start = (uintptr_t)at;
	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

TEST(no_shared_mapping)
{
	EXPECT_EQ(-EPERM, register_shared());
}

/*
 * A page that the memfd has itself is nobody's to be asked for; and a mapping of it, by whom ever,
 * makes one, of zeros. So a lazy shadow is of one guest.
 */
static void fill_a_hole(void)
{
	const volatile unsigned char *other =
		mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, shared->memory, 0);

	shared->out[0] = other[4 * PAGE];
	shared->out[1] = at_page(4)[0];
	shared->out[2] = touch(5);
}

TEST(a_hole_that_another_mapping_has_filled)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = fill_a_hole });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(0, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
	EXPECT_EQ(1, shared->out[2]);
	EXPECT_LE(PAGE, memory_bytes());
}

static void move_it(void)
{
	unsigned char *to =
		mremap(at_page(0), PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	shared->step = 1;
	shared->out[0] = 1 + to[6 * PAGE];
}

/* Rather nothing than zeros. */
TEST(a_mapping_that_was_moved)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = move_it });
	EXPECT_EQ(-EPROTO, serve(&side));
	await_step(1);
	await_sleep(side.pid, 1);
	EXPECT_EQ(128 + SIGKILL, end_by_kill(&side));
	EXPECT_EQ(0, shared->out[0]);
}

/* The last descriptor of it: zeros; one that the guest has kept: it waits. */
static void lose_the_host(void)
{
	close(shared->region.uffd);
	shared->step = 1;
	shared->out[0] = 1 + at_page(7)[0];
}

TEST(the_last_descriptor_is_closed)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = lose_the_host });
	await_step(1);
	ASSERT_TRUE(is_asked(&side));
	pol_pager_close(&side.pager);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(1, shared->out[0]);
}

TEST(the_host_is_gone_and_the_guest_waits)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = touch_two });
	ASSERT_TRUE(is_asked(&side));
	pol_pager_close(&side.pager);
	await_sleep(side.pid, 1);
	EXPECT_EQ(0, shared->step);
	EXPECT_EQ(128 + SIGKILL, end_by_kill(&side));
}

LEAVES_NO_GUEST()
