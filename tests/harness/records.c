/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void test_record_room(union test_record *record, uint16_t room)
{
	record->event.path_room = room;
	record->event.size = (uint32_t)sizeof(struct pol_event) + room;
}

void test_record_plain(union test_record *record, enum pol_type type)
{
	memset(record, 0, sizeof(*record));
	record->event.abi = POL_ABI_VERSION;
	record->event.type = (uint8_t)type;
	record->event.boot_ns = 123456789;
	record->event.seq = 41;
	record->event.generation = 3;
	record->event.guest = 3;
	test_record_room(record, 0);
}

static size_t reverse(const char *path, size_t len, char *out, size_t size)
{
	size_t used = 0;

	while (len && *path == '/') {
		path++;
		len--;
	}
	while (len) {
		const char *slash = memrchr(path, '/', len);
		size_t start = slash ? (size_t)(slash - path) + 1 : 0;

		if (used + len - start + 1 > size)
			abort();
		memcpy(out + used, path + start, len - start);
		used += len - start;
		out[used++] = '/';
		len = slash ? start - 1 : 0;
	}
	return used;
}

void test_record_path(union test_record *record, const void *path, size_t len)
{
	size_t used = reverse(path, len, record->event.path, POL_PATH_LARGE);

	record->event.path_len = (uint16_t)used;
	test_record_room(record, used <= POL_PATH_SMALL ? POL_PATH_SMALL : POL_PATH_LARGE);
}

static void set_exes(struct pol_event *event, const char *exe, const char *parent)
{
	event->exe_len = (uint16_t)reverse(exe, strlen(exe), event->exe, POL_EXE_SIZE);
	event->parent_exe_len =
		(uint16_t)reverse(parent, strlen(parent), event->parent_exe, POL_EXE_SIZE);
}

static void set_process(struct pol_event *event)
{
	event->flags |= POL_EVENT_HAS_PROCESS;
	event->process = (struct pol_event_process){
		.start_ns = 123456,
		.cgroup = 77,
		.tgid = 71,
		.tid = 71,
		.parent_tgid = 70,
		.comm = "sh",
		.parent_comm = "vmm",
	};
	set_exes(event, "/usr/bin/dash", "/usr/bin/vmm");
}

void test_record_violation(union test_record *record)
{
	static const char path[] = "/srv/web/secrets/key";

	test_record_plain(record, POL_TYPE_VIOLATION);
	record->event.verdict = POL_VERDICT_DENIED;
	record->event.flags = POL_EVENT_HAS_RULE;
	record->event.access = (struct pol_event_access){
		.inode = { .ino = 1234, .dev = 8u << 20 | 1 },
		.access = POL_RIGHT_WRITE,
		.missing = POL_RIGHT_WRITE,
		.rule = 7,
		.op = POL_OP_OPEN,
		.hook = POL_HOOK_FILE_OPEN,
		.reason = POL_REASON_RULE,
		.err = EACCES,
	};
	set_process(&record->event);
	test_record_path(record, path, sizeof(path) - 1);
}

void test_record_exit(union test_record *record)
{
	test_record_plain(record, POL_TYPE_EXIT);
	record->event.exit = (struct pol_event_exit){
		.duration_ns = 1500000000,
		.utime_ns = 4000000,
		.stime_ns = 8000000,
		.maxrss_bytes = 1048576,
		.minflt = 101,
		.majflt = 2,
		.read_bytes = 4096,
		.write_bytes = 512,
		.code = 9,
		.cause = POL_CAUSE_SIGNAL,
		.fds_peak = 9,
		.sender = { .tgid = 1, .comm = "x" },
	};
	set_process(&record->event);
}

void test_record_ceiling(union test_record *record)
{
	test_record_plain(record, POL_TYPE_CEILING);
	record->event.verdict = POL_VERDICT_DENIED;
	record->event.ceiling = (struct pol_event_ceiling){
		.now = 256,
		.ceiling = 256,
		.resource = POL_RESOURCE_FDS,
		.percent = 100,
		.err = EMFILE,
	};
	set_process(&record->event);
}

void test_record_shadow(union test_record *record)
{
	static const char path[] = "/srv/web/lib/libweb.so.1";

	test_record_plain(record, POL_TYPE_SHADOW);
	record->event.shadow = (struct pol_event_shadow){
		.size = 706904,
		.action = POL_SHADOW_STALE,
		.op = POL_OP_OPEN,
		.flags = POL_SHADOW_EXEC | POL_SHADOW_OLD,
	};
	record->event.flags = POL_EVENT_HAS_PROCESS;
	record->event.process = (struct pol_event_process){
		.start_ns = 98765432,
		.cgroup = 1,
		.tgid = 812,
		.tid = 812,
		.parent_tgid = 811,
		.comm = "install",
		.parent_comm = "make",
	};
	set_exes(&record->event, "/usr/bin/install", "/usr/bin/make");
	test_record_path(record, path, sizeof(path) - 1);
}

static const char *guest_name(void *arg, uint64_t generation, uint32_t guest)
{
	(void)arg;
	(void)generation;
	return guest == 3 ? "web" : NULL;
}

static int rule(void *arg, uint64_t generation, uint32_t id, struct pol_event_rule *ret)
{
	(void)arg;
	if (generation != 3 || id != 7)
		return -ENOENT;
	*ret = (struct pol_event_rule){
		.where = "policy.toml:37",
		.path = "/srv/web/secrets",
		.path_len = strlen("/srv/web/secrets"),
	};
	return 0;
}

static const char *sha256(void *arg, uint64_t generation)
{
	(void)arg;
	return generation == 3 ? "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
			       : NULL;
}

static const char *cgroup(void *arg, uint64_t id)
{
	(void)arg;
	return id == 77 ? "/policyctl/web" : NULL;
}

const struct pol_event_ctx test_record_ctx = {
	.host = "h1",
	.boot_id = "3a2f0a52-6f3c-4d43-9d0b-0f3d8f0e5c11",
	.boot_to_real_ns = 1795222923000000000,
	.guest_name = guest_name,
	.rule = rule,
	.sha256 = sha256,
	.cgroup = cgroup,
};

void test_ring_init(struct test_ring *ring, size_t size)
{
	*ring = (struct test_ring){ .size = size, .data = calloc(2, size) };
	if (!ring->data)
		abort();
}

void test_ring_done(struct test_ring *ring)
{
	free(ring->data);
	ring->data = NULL;
}

/* The kernel maps the same pages twice; here what is written is copied to the other half. */
static void put(struct test_ring *ring, uint64_t pos, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		size_t at = (size_t)(pos + i) & (ring->size - 1);

		ring->data[at] = bytes[i];
		ring->data[at + ring->size] = bytes[i];
	}
}

uint64_t test_ring_reserve(struct test_ring *ring, size_t len)
{
	uint64_t pos = ring->producer, total = (len + 8 + 7) & ~(uint64_t)7;
	uint32_t header[2] = { (uint32_t)len | BPF_RINGBUF_BUSY_BIT, 0 };

	if (pos + total - ring->consumer > ring->size - 1)
		return 0;
	put(ring, pos, header, sizeof(header));
	ring->producer = pos + total;
	return pos + 1;
}

void test_ring_write(struct test_ring *ring, uint64_t ticket, const void *data, size_t len)
{
	put(ring, ticket - 1 + 8, data, len);
}

void test_ring_submit(struct test_ring *ring, uint64_t ticket, bool discard)
{
	uint64_t pos = ticket - 1;
	uint32_t len;

	memcpy(&len, ring->data + (pos & (ring->size - 1)), sizeof(len));
	len &= ~BPF_RINGBUF_BUSY_BIT;
	if (discard)
		len |= BPF_RINGBUF_DISCARD_BIT;
	put(ring, pos, &len, sizeof(len));
}

uint64_t test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545F4914F6CDD1D);
}

uint64_t test_seed(const char *name)
{
	const char *given = getenv("TEST_SEED");
	struct timespec now;
	uint64_t seed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0)
		     : (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec;
	if (!seed)
		seed = 1;
	(void)fprintf(stderr, "%s: TEST_SEED=%llu\n", name, (unsigned long long)seed);
	return seed;
}
