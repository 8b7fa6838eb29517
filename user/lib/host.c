/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base.h"
#include "cgroup.h"
#include "file.h"

static void problem(struct pol_host *host, const char *code, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void problem(struct pol_host *host, const char *code, const char *fix, const char *fmt, ...)
{
	struct pol_problem *at;
	va_list ap;

	if (host->problems_cnt == POL_HOST_PROBLEMS_MAX)
		return;
	at = &host->problems[host->problems_cnt++];
	at->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(at->message, sizeof(at->message), fmt, ap);
	va_end(ap);
	(void)snprintf(at->fix, sizeof(at->fix), "%s", fix);
}

static bool word_in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

/* An lsm= without bpf: programs load and attach without an error and are never called. */
static void probe_lsm(struct pol_host *host)
{
	char fix[384];
	int r;

	r = pol_file_read_line("/sys/kernel/security/lsm", host->lsm, sizeof(host->lsm));
	if (r < 0) {
		problem(host, "securityfs",
			"mount it: mount -t securityfs securityfs /sys/kernel/security",
			"cannot read the list of LSMs, /sys/kernel/security/lsm: %s", strerror(-r));
		return;
	}
	if (word_in_list(host->lsm, "bpf"))
		return;
	(void)snprintf(fix, sizeof(fix), "boot with lsm=%s%sbpf on the kernel command line",
		       host->lsm, host->lsm[0] ? "," : "");
	problem(host, "lsm_bpf", fix, "the BPF LSM is not active; the active ones are '%s'",
		host->lsm);
}

int pol_host_try_hook(const char *hook)
{
	const struct bpf_insn insns[] = {
		{ .code = 0xb7, .dst_reg = 0 }, /* r0 = 0 */
		{ .code = 0x95 },		/* exit */
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC);
	int id, fd;

	id = libbpf_find_vmlinux_btf_id(hook, BPF_LSM_MAC);
	if (id < 0)
		return id;
	opts.attach_btf_id = (unsigned int)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "pol_try", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void probe_bpf(struct pol_host *host)
{
	int r;

	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0) {
		problem(host, "btf", "use a kernel built with CONFIG_DEBUG_INFO_BTF=y",
			"the kernel's types, /sys/kernel/btf/vmlinux, cannot be read: %s",
			strerror(errno));
		return;
	}
	if (!host->root)
		return; /* the refusal would say nothing about the kernel */
	r = pol_host_try_hook("file_open");
	host->allocation_hook = !pol_host_try_hook("file_alloc_security");
	if (!r)
		return;
	problem(host, "bpf_lsm_program",
		"needs CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN, no lockdown, and outside a container "
		"that filters bpf(2); else use a VM",
		"the kernel refuses BPF LSM programs: %s", strerror(-r));
}

static void probe_bpffs(struct pol_host *host)
{
	struct statfs fs;

	if (!statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC)
		return;
	problem(host, "bpffs", "mount it: mount -t bpf bpf /sys/fs/bpf",
		"no BPF filesystem is mounted on /sys/fs/bpf");
}

static void probe_cgroup(struct pol_host *host)
{
	char path[512];

	if (pol_cgroup_mount(host->cgroup_mount, sizeof(host->cgroup_mount)) < 0) {
		problem(host, "cgroup2",
			"mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup (systemd hosts: boot with "
			"systemd.unified_cgroup_hierarchy=1)",
			"cgroup v2 is not mounted");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", host->cgroup_mount);
	(void)pol_file_read_line(path, host->controllers, sizeof(host->controllers));
}

/* The address of rename_lock: without it a rename could race a walk unseen. */
static void probe_rename_lock(struct pol_host *host)
{
	_cleanup_(pol_fclosep) FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address;
	char line[512], name[256], type;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %255s", &address, &type, name) != 3)
			continue;
		if (strcmp(name, "rename_lock") == 0) {
			host->rename_lock = address;
			break;
		}
	}
	if (host->rename_lock || !host->root)
		return;
	problem(host, "kptr_restrict",
		"sysctl kernel.kptr_restrict=1 (2 hides addresses from root, too)",
		"the kernel hides the address of rename_lock in /proc/kallsyms");
}

static void probe_user(struct pol_host *host)
{
	struct utsname uts;

	memset(host, 0, sizeof(*host));
	host->root = geteuid() == 0;
	if (!uname(&uts))
		(void)snprintf(host->kernel, sizeof(host->kernel), "%s", uts.release);
	if (!host->root)
		problem(host, "root", "run it as root", "not root");
}

void pol_host_probe(struct pol_host *ret)
{
	probe_user(ret);
	probe_lsm(ret);
	probe_bpf(ret);
	probe_bpffs(ret);
	probe_cgroup(ret);
	probe_rename_lock(ret);
}

static int first_problem(const struct pol_host *host, struct pol_err *err)
{
	if (!host->problems_cnt)
		return 0;
	pol_err_say(err, POL_ERR_HOST, host->root ? -ENOTSUP : -EPERM, "%s",
		    host->problems[0].message);
	return pol_err_fix(err, "%s", host->problems[0].fix);
}

int pol_host_require(struct pol_host *ret, struct pol_err *err)
{
	probe_user(ret);
	probe_lsm(ret);
	probe_bpffs(ret);
	probe_cgroup(ret);
	return first_problem(ret, err);
}

int pol_host_require_programs(struct pol_host *host, struct pol_err *err)
{
	probe_bpf(host);
	probe_rename_lock(host);
	return first_problem(host, err);
}

/* Anchors and the probe are known by the number of a process in the first of all pid namespaces. */
static int require_host_pids(struct pol_err *err)
{
	struct stat st;

	/* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	if (!stat("/proc/self/ns/pid", &st) && st.st_ino == 0xEFFFFFFCul)
		return 0;
	pol_err_say(err, POL_ERR_HOST, -ENOTSUP, "the host knows the probe by another number");
	return pol_err_fix(err, "run it in the host's pid namespace, with /proc mounted");
}

int pol_host_require_probe(struct pol_host *ret, struct pol_err *err)
{
	int r = pol_host_require(ret, err);

	if (!r)
		r = require_host_pids(err);
	return r ? r : pol_host_require_programs(ret, err);
}
