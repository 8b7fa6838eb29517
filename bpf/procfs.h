/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a rule on procfs can open, beside the directories of the guest's own tasks: exact lists.
 * Anything that is not in them is refused, in every mode.
 *
 * Included by pseudo.bpf.c and by user space; Documentation/policy-format.rst has the same lists
 * (a unit test compares). Names are shorter than POL_PROC_NAME and at most POL_PROC_DEPTH deep.
 */
#pragma once

#define POL_PROC_NAME 24
#define POL_PROC_DEPTH 4

/*
 * Read by anybody on the host, and by ordinary software: libc, language runtimes, crypto libraries,
 * monitors. No file of these leads to another task, to the kernel's memory or addresses, or shows
 * when others work (interrupts, timers); P1() has one name, P2() a directory and a name, ...
 */
#define POL_PROC_PUBLIC(P1, P2, P3, P4)                                                            \
	P1("cgroups")                                                                              \
	P1("cmdline")                                                                              \
	P1("config.gz")                                                                            \
	P1("cpuinfo")                                                                              \
	P1("crypto")                                                                               \
	P1("devices")                                                                              \
	P1("diskstats")                                                                            \
	P1("filesystems")                                                                          \
	P1("loadavg")                                                                              \
	P1("meminfo")                                                                              \
	P1("misc")                                                                                 \
	P1("partitions")                                                                           \
	P1("pressure")                                                                             \
	P1("stat")                                                                                 \
	P1("swaps")                                                                                \
	P1("uptime")                                                                               \
	P1("version")                                                                              \
	P1("vmstat")                                                                               \
	P2("pressure", "cpu")                                                                      \
	P2("pressure", "io")                                                                       \
	P2("pressure", "irq")                                                                      \
	P2("pressure", "memory")                                                                   \
	P3("sys", "crypto", "fips_enabled")                                                        \
	P3("sys", "fs", "aio-max-nr")                                                              \
	P3("sys", "fs", "file-max")                                                                \
	P3("sys", "fs", "nr_open")                                                                 \
	P3("sys", "fs", "pipe-max-size")                                                           \
	P3("sys", "kernel", "cap_last_cap")                                                        \
	P3("sys", "kernel", "domainname")                                                          \
	P3("sys", "kernel", "hostname")                                                            \
	P3("sys", "kernel", "ngroups_max")                                                         \
	P3("sys", "kernel", "osrelease")                                                           \
	P3("sys", "kernel", "ostype")                                                              \
	P3("sys", "kernel", "pid_max")                                                             \
	P3("sys", "kernel", "randomize_va_space")                                                  \
	P3("sys", "kernel", "threads-max")                                                         \
	P3("sys", "kernel", "version")                                                             \
	P3("sys", "vm", "max_map_count")                                                           \
	P3("sys", "vm", "mmap_min_addr")                                                           \
	P3("sys", "vm", "overcommit_memory")                                                       \
	P3("sys", "vm", "overcommit_ratio")                                                        \
	P3("sys", "vm", "swappiness")                                                              \
	P4("sys", "fs", "inotify", "max_user_instances")                                           \
	P4("sys", "fs", "inotify", "max_user_watches")                                             \
	P4("sys", "kernel", "random", "boot_id")                                                   \
	P4("sys", "kernel", "random", "entropy_avail")                                             \
	P4("sys", "kernel", "random", "uuid")                                                      \
	P4("sys", "kernel", "seccomp", "actions_avail")                                            \
	P4("sys", "net", "core", "somaxconn")                                                      \
	P4("sys", "net", "ipv4", "ip_local_port_range")

/*
 * What may be written in the directory of a task of the guest's own: it acts on that task alone,
 * and the kernel asks for what it always asks for. The names are unique there (those of attr are in
 * its subdirectories too, with the same meaning). Not here: mem (it writes through read-only
 * mappings), loginuid, and everything else.
 */
#define POL_PROC_WRITABLE(X)                                                                       \
	X("autogroup")                                                                             \
	X("clear_refs")                                                                            \
	X("comm")                                                                                  \
	X("coredump_filter")                                                                       \
	X("current")                                                                               \
	X("exec")                                                                                  \
	X("fscreate")                                                                              \
	X("gid_map")                                                                               \
	X("keycreate")                                                                             \
	X("oom_adj")                                                                               \
	X("oom_score_adj")                                                                         \
	X("projid_map")                                                                            \
	X("sched")                                                                                 \
	X("setgroups")                                                                             \
	X("sockcreate")                                                                            \
	X("timerslack_ns")                                                                         \
	X("uid_map")
