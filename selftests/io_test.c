/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ceilings on I/O: what is written to io.max, on loop devices, and that the kernel keeps to it. */
#include "harness.h"

#include <time.h>

#include "guest_tasks.h"

#define DISK_SIZE (64 << 20)
#define NONE	  "rbps=max wbps=max riops=max wiops=max"

struct disk {
	const char *path;
	const char *number; /* "7:0" */
};

static struct disk disk_a, disk_b;

static const char *output(const char *cmd)
{
	char buf[256] = "";

	EXPECT_EQ(0, run_cmd(buf, sizeof(buf), "%s", cmd));
	buf[strcspn(buf, "\n")] = 0;
	return text("%s", buf);
}

static const char *number_of(const char *disk)
{
	return output(text("cat /sys/class/block/%s/dev", strrchr(disk, '/') + 1));
}

/* One partition over the whole of it, as an MBR has it. */
static void write_mbr(const char *image)
{
	unsigned char mbr[512] = { [446 + 4] = 0x83, [510] = 0x55, [511] = 0xaa };
	unsigned int begin = 8, sectors = DISK_SIZE / 512 - 8;
	int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	memcpy(mbr + 446 + 8, &begin, sizeof(begin));
	memcpy(mbr + 446 + 12, &sectors, sizeof(sectors));
	ASSERT_EQ(sizeof(mbr), write(fd, mbr, sizeof(mbr)));
	ASSERT_EQ(0, ftruncate(fd, DISK_SIZE));
	close(fd);
}

static const char *make_disk(void)
{
	const char *image = text("%s/img", scratch());

	write_mbr(image);
	return output(text("losetup -f -P --show %s", image));
}

/* The suite's two disks: a test is a process of its own, so their names are in a file. */
SETUP()
{
	if (!exists("/tmp/io_disks")) {
		const char *a = make_disk(), *b = make_disk();

		make_file("/tmp/io_disks", text("%s\n%s\n", a, b));
	}
	disk_a.path = output("sed -n 1p /tmp/io_disks");
	disk_b.path = output("sed -n 2p /tmp/io_disks");
	disk_a.number = number_of(disk_a.path);
	disk_b.number = number_of(disk_b.path);
}

static void load(const char *io)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") END "[guest.g.limits]\n%s\n", disk_a.path,
		    io);
}

static const char *io_max(void)
{
	static char buf[4096];

	EXPECT_LE(0, read_file(tasks_cgroup("g", "io.max"), buf, sizeof(buf)));
	return buf;
}

static const char *line_of(const struct disk *disk, const char *words)
{
	return text("%s %s\n", disk->number, words);
}

/* What is in io.max: exactly these lines, in the order that the kernel has them. */
static void expect_lines(const char *a, const char *b)
{
	const char *got = io_max();

	EXPECT_EQ(strlen(a) + strlen(b), strlen(got));
	EXPECT_STRSTR(a, got);
	EXPECT_STRSTR(b, got);
}

static void load_both(void)
{
	load(text(
		"io = [{ device = \"%s\", rbps = \"100MiB\", wbps = \"50MiB\", riops = 5000, wiops = "
		"6000 },\n{ device = \"%s\", wbps = 4096 }]",
		disk_a.path, disk_b.path));
}

static void expect_both(void)
{
	expect_lines(line_of(&disk_a, "rbps=104857600 wbps=52428800 riops=5000 wiops=6000"),
		     line_of(&disk_b, "rbps=max wbps=4096 riops=max wiops=max"));
}

TEST(are_written)
{
	load("");
	expect_lines("", "");
	load_both();
	expect_both();
	load_both();
	expect_both();
	EXPECT_CTL(0, "", "stop g");
	EXPECT_CTL(0, "", "run g -- true");
	expect_both();
}

TEST(go_with_the_policy)
{
	const char *one =
		text("io = [{ device = \"%s\", rbps = 2, riops = 4294967294 }]", disk_b.path);

	load_both();
	load(one);
	expect_lines(line_of(&disk_b, "rbps=2 wbps=max riops=4294967294 wiops=max"), "");
	load("io = \"max\"");
	expect_lines("", "");
	load(one);
	load("");
	expect_lines("", "");
}

TEST(a_partition_stands_for_its_disk)
{
	load(text("io = [{ device = \"%sp1\", rbps = \"1MiB\" }]", disk_a.path));
	expect_lines(line_of(&disk_a, "rbps=1048576 wbps=max riops=max wiops=max"), "");
	policy_write(GUEST("g") "[guest.g.limits]\n"
				"io = [{ device = \"%sp1\", rbps = \"1MiB\" },\n"
				"      { device = \"%s\", wbps = \"1MiB\" }]\n",
		     disk_a.path, disk_a.path);
	EXPECT_CTL(3, "error[P0515]", "check " POLICY_FILE);
	EXPECT_CTL(3, "error[P0515]", "load " POLICY_FILE);
	expect_lines(line_of(&disk_a, "rbps=1048576 wbps=max riops=max wiops=max"), "");
}

/* A node is there, and no device. */
TEST(a_device_that_is_gone)
{
	EXPECT_EQ(0, run_cmd(NULL, 0, "mknod /dev/gone b 7 200"));
	policy_write(GUEST("g") "[guest.g.limits]\nio = [{ device = \"/dev/gone\", rbps = 9 }]\n");
	EXPECT_CTL(3, "error[P0514]", "load " POLICY_FILE);
	EXPECT_CTL(0, "", "check --offline " POLICY_FILE);
	EXPECT_EQ(0, unlink("/dev/gone"));
}

/* Milliseconds that the guest takes to write 4 MiB past the page cache. */
static long write_ms(void)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	EXPECT_CTL(0, "4194304",
		   "run g -- dd if=/dev/zero of=%s bs=64k count=64 oflag=direct conv=notrunc",
		   disk_a.path);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
}

static long written(void)
{
	char buf[4096], *at;

	EXPECT_LE(0, read_file(tasks_cgroup("g", "io.stat"), buf, sizeof(buf)));
	at = strstr(buf, disk_a.number);
	at = at ? strstr(at, "wbytes=") : NULL;
	return at ? strtol(at + strlen("wbytes="), NULL, 10) : 0;
}

static void load_rate(const char *wbps)
{
	ASSERT_LOAD(GUEST("g") FILES RULE("%s", "rw") RULE("/dev/zero", "ro") END
		    "[guest.g.limits]\nio = [{ device = \"%s\", wbps = %s }]\n",
		    disk_a.path, disk_a.path, wbps);
}

/* 4 MiB at 512 KiB/s take eight seconds of the VM's clock, less what one slice lets through at once. */
TEST(are_kept)
{
	long free_ms, before, held_ms;

	load_rate("\"max\"");
	free_ms = write_ms();
	load_rate("\"512KiB\"");
	before = written();
	held_ms = write_ms();
	EXPECT_EQ(4 << 20, written() - before);
	printf("# 4 MiB: %ld ms, at 512 KiB/s %ld ms\n", free_ms, held_ms);
	EXPECT_LE(6000, held_ms);
	EXPECT_LE(free_ms, held_ms - 4000);
	EXPECT_STRSTR("wbps=524288", io_max());
}

TEST(disks_go)
{
	EXPECT_NOTHING(engine_idle());
	EXPECT_EQ(0, run_cmd(NULL, 0, "losetup -d %s %s && rm /tmp/io_disks", disk_a.path,
			     disk_b.path));
}

LEAVES_NO_GUEST()
