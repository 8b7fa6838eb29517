/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests with lazy shadows that do what they may not: nothing that they send or do makes the host
 * wait, leaves a descriptor with it, or gives them what is not the file's.
 */
#include "harness.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "lazy_side.h"

SETUP()
{
	lazy_setup();
}

/* ---- what it sends ---- */

static void expect_refused(int uffd, uint64_t base, uint64_t size)
{
	struct pol_pager pager = POL_PAGER_INIT;
	struct pol_pager_source source = source_of(shared->file);
	struct pol_err err = {};
	int had = descriptors();

	source.size = size;
	EXPECT_EQ(-EPROTO, pol_pager_open(&pager, uffd, base, &source, &err));
	EXPECT_EQ(-EPROTO, err.code);
	EXPECT_STRSTR("lazy shadow: ", err.message);
	EXPECT_TRUE(pager.uffd < 0);
	EXPECT_EQ(had, descriptors());
	close(source.fd);
}

TEST(no_userfaultfd)
{
	int fds[2], odd[] = { memfd_create("anon_inode:[userfaultfd]", 0), eventfd(0, 0),
			      epoll_create1(0), open("/dev/null", O_RDONLY), open("/", O_PATH) };

	ASSERT_EQ(0, pipe(fds));
	expect_refused(fds[0], PAGE, SIZE);
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		ASSERT_LE(0, odd[i]);
		expect_refused(odd[i], PAGE, SIZE);
	}
	expect_refused(-1, PAGE, SIZE);
	expect_refused(999, PAGE, SIZE);
}

/* Nor is a file of that name, which readlink(2) of its descriptor begins with a slash. */
TEST(a_file_that_is_called_so)
{
	ASSERT_EQ(0, chdir(scratch()));
	expect_refused(open("anon_inode:[userfaultfd]", O_RDWR | O_CREAT | O_CLOEXEC, 0600), PAGE,
		       SIZE);
}

TEST(no_handshake)
{
	expect_refused((int)syscall(SYS_userfaultfd, O_NONBLOCK | O_CLOEXEC), PAGE, SIZE);
}

TEST(no_such_address)
{
	int uffd;

	ASSERT_EQ(0, map_shadow());
	uffd = shared->region.uffd;
	expect_refused(uffd, 0, SIZE);
	expect_refused(uffd, PAGE + 1, SIZE);
	expect_refused(uffd, -PAGE, PAGE + 1);
	expect_refused(uffd, -PAGE, UINT64_MAX);
	expect_refused(uffd, PAGE, UINT64_MAX);
	expect_refused(uffd, PAGE, 0);
}

/* Whatever its caller has it as. */
TEST(the_callers_descriptor_stays_its_own)
{
	struct pol_pager pager = POL_PAGER_INIT;
	struct pol_pager_source source = source_of(shared->file);

	ASSERT_EQ(0, map_shadow());
	ASSERT_EQ(0, fcntl(shared->region.uffd, F_SETFL, 0));
	ASSERT_EQ(0, pol_pager_open(&pager, shared->region.uffd, (uintptr_t)shared->region.address,
				    &source, NULL));
	EXPECT_EQ(O_NONBLOCK, fcntl(pager.uffd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(pager.uffd, F_GETFD));
	EXPECT_EQ(0, pol_pager_serve(&pager, ENOUGH, NULL));
	pol_pager_close(&pager);
	EXPECT_TRUE(fcntl(shared->region.uffd, F_GETFD) >= 0);
	EXPECT_EQ(-1, fcntl(source.fd, F_GETFD));
}

/* ---- what it asks ---- */

/* It is over for good, says so each time, and its thread waits. */
static void expect_ended(struct side *side, int want, uint64_t copied)
{
	int got = 0;

	while (got >= 0 && is_asked(side))
		got = serve_once(side, ENOUGH);
	EXPECT_EQ(want, got);
	EXPECT_EQ(want, side->err.code);
	side->err = (struct pol_err){};
	EXPECT_EQ(want, serve_once(side, ENOUGH));
	EXPECT_EQ(want, side->err.code);
	EXPECT_EQ(copied, side->pager.copied);
	EXPECT_EQ(128 + SIGKILL, end_by_kill(side));
}

/* A page behind the mapping's, registered as it is. */
static void ask_elsewhere(void)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING, .range.len = PAGE };
	void *other = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	reg.range.start = (uintptr_t)other;
	if (ioctl(shared->region.uffd, UFFDIO_REGISTER, &reg))
		_exit(94);
	shared->out[0] = touch(1);
	shared->out[1] = 1 + *(volatile char *)other;
}

TEST(a_fault_elsewhere)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = ask_elsewhere });
	expect_ended(&side, -EPROTO, PAGE);
	EXPECT_EQ(1, shared->out[0]);
	EXPECT_EQ(0, shared->out[1]);
}

static void touch_said(void)
{
	shared->out[0] = 1 + at_page((size_t)shared->out[7])[0];
}

/* It says that the mapping begins some pages further on, or before. */
static int map_and_lie(void)
{
	int r = map_shadow();

	shared->region.address = at_page((size_t)shared->out[6]);
	shared->out[7] -= shared->out[6];
	return r;
}

static void expect_outside(long lie, long page)
{
	struct side side;

	shared->out[6] = lie;
	shared->out[7] = page;
	begin_and_go(&side, &(struct who){ .map = map_and_lie, .job = touch_said });
	expect_ended(&side, -EPROTO, 0);
	EXPECT_EQ(0, shared->out[0]);
}

TEST(an_address_that_is_not_the_mappings)
{
	expect_outside(1, 0);
	expect_outside(-1, PAGES - 1);
	expect_outside(PAGES, PAGES - 1);
}

/* ---- what comes as an event ---- */

static int map_with(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING,
				       .range.len = PAGES * PAGE };
	void *at = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, shared->memory, 0);

	reg.range.start = (uintptr_t)at;
	shared->region = (struct pol_lazy_region){ .address = at, .length = SIZE };
	shared->region.uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (ioctl(shared->region.uffd, UFFDIO_API, &api) ||
	    ioctl(shared->region.uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

static int map_with_forks(void)
{
	return map_with(UFFD_FEATURE_EVENT_FORK);
}

static int map_with_removals(void)
{
	return map_with(UFFD_FEATURE_EVENT_REMOVE);
}

static void fork_at_once(void)
{
	if (!fork())
		_exit(0);
	pause();
}

/* To read of a fork makes a descriptor: the reader's. */
TEST(a_fork_that_is_told)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .map = map_with_forks, .job = fork_at_once });
	expect_ended(&side, -EPROTO, 0);
}

static void give_back(void)
{
	touch(1);
	madvise(at_page(1), PAGE, MADV_DONTNEED);
	pause();
}

TEST(a_removal_that_is_told)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .map = map_with_removals, .job = give_back });
	expect_ended(&side, -EPROTO, PAGE);
}

/* ---- what they have in common ---- */

static void block_it(void)
{
	touch(1);
	if (fcntl(shared->region.uffd, F_SETFL, 0))
		_exit(94);
	shared->step = 1;
	touch(2);
}

static void expect_no_wait(struct side *side)
{
	ASSERT_TRUE(is_asked(side));
	EXPECT_EQ(1, serve_once(side, 1));
	await_step(1);
	await_sleep(side->pid, 1);
}

TEST(a_descriptor_that_is_made_to_block)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = block_it });
	expect_no_wait(&side);
	expect_ended(&side, -EPROTO, PAGE);
}

/* In just that moment: from 6.10 on a read can be told not to wait, whatever the descriptor is. */
TEST(a_read_that_does_not_wait)
{
	struct uffd_msg msg;
	struct iovec room = { &msg, sizeof(msg) };

	ASSERT_EQ(0, map_shadow());
	ASSERT_EQ(0, fcntl(shared->region.uffd, F_SETFL, 0));
	EXPECT_EQ(-1, preadv2(shared->region.uffd, &room, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(kernel_is(6, 10) ? EAGAIN : EOPNOTSUPP, errno);
}

static void *steal(void *arg)
{
	struct pollfd p = { .fd = shared->region.uffd, .events = POLLIN };
	struct uffd_msg msg;

	(void)arg;
	poll(&p, 1, -1);
	if (read(shared->region.uffd, &msg, sizeof(msg)) != sizeof(msg))
		_exit(95);
	shared->step = 2;
	return NULL;
}

static void steal_events(void)
{
	pthread_t thief;

	pthread_create(&thief, NULL, steal, NULL);
	touch(1);
}

TEST(events_that_it_takes_itself)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = steal_events });
	await_step(2);
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(0, side.pager.copied);
	EXPECT_EQ(128 + SIGKILL, end_by_kill(&side));
}

/* ---- what goes while a page is read ---- */

static struct side *now;

static void touch_one(void)
{
	touch(1);
}

static bool kills(void *arg)
{
	(void)arg;
	ASSERT_EQ(0, kill(now->pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, (id_t)now->pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	return false;
}

static void begin_with(struct side *side, void (*job)(void), bool (*stale)(void *))
{
	struct pol_pager_source source;

	begin(side, &(struct who){ .job = job });
	source = source_of(shared->file);
	source.stale = stale;
	now = side;
	go(side, source);
	ASSERT_TRUE(is_asked(side));
}

TEST(its_process_ends)
{
	struct side side;

	begin_with(&side, touch_one, kills);
	EXPECT_EQ(-ESRCH, serve_once(&side, ENOUGH));
	EXPECT_STRSTR("ended", side.err.message);
	EXPECT_EQ(-ESRCH, serve_once(&side, ENOUGH));
	EXPECT_EQ(0, side.pager.copied);
	EXPECT_EQ(128 + SIGKILL, end(&side));
}

TEST(its_process_has_ended)
{
	struct side side;

	begin_with(&side, touch_one, is_stale);
	ASSERT_EQ(0, kill(side.pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, (id_t)side.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT));
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(128 + SIGKILL, end(&side));
}

/* One thread waits for a page, another does something to the mapping, at the test's word. */
static void *touch_thread(void *arg)
{
	(void)arg;
	touch(1);
	return NULL;
}

static void await_word(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, touch_thread, NULL);
	while (shared->step < 1)
		usleep(1000);
}

static void unregister_it(void)
{
	struct uffdio_range range = { (uintptr_t)at_page(0), PAGES * PAGE };

	await_word();
	if (ioctl(shared->region.uffd, UFFDIO_UNREGISTER, &range))
		_exit(94);
	shared->step = 2;
	pause();
}

static void unmap_it(void)
{
	await_word();
	if (munmap(at_page(0), PAGES * PAGE))
		_exit(94);
	shared->step = 2;
	pause();
}

static void replace_it(void)
{
	await_word();
	if (mmap(at_page(0), PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(94);
	shared->step = 2;
	pause();
}

static bool gives_the_word(void *arg)
{
	(void)arg;
	shared->step = 1;
	await_step(2);
	return false;
}

static void expect_gone(void (*job)(void))
{
	struct side side;

	shared->step = 0;
	begin_with(&side, job, gives_the_word);
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(1, side.pager.gone);
	EXPECT_EQ(0, side.pager.copied);
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(128 + SIGKILL, end_by_kill(&side));
}

TEST(its_mapping_is_unregistered)
{
	expect_gone(unregister_it);
}

TEST(its_mapping_is_replaced)
{
	expect_gone(replace_it);
}

/* Its thread wakes to no mapping: SIGSEGV. */
TEST(its_mapping_goes)
{
	struct side side;

	begin_with(&side, unmap_it, gives_the_word);
	EXPECT_EQ(0, serve_once(&side, ENOUGH));
	EXPECT_EQ(1, side.pager.gone);
	EXPECT_EQ(0, side.pager.copied);
	EXPECT_EQ(128 + SIGSEGV, end(&side));
}

/* ---- it closes its own ---- */

static void close_own(void)
{
	close(shared->region.uffd);
	shared->out[0] = touch(1);
}

TEST(it_closes_its_descriptor)
{
	struct side side;

	begin_and_go(&side, &(struct who){ .job = close_own });
	EXPECT_EQ(0, serve(&side));
	EXPECT_EQ(PAGE, side.pager.copied);
	EXPECT_EQ(0, end(&side));
	EXPECT_EQ(1, shared->out[0]);
}

LEAVES_NO_GUEST()
