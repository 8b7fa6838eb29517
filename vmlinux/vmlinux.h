/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel types: only those, and only the fields, that bpf/ touches. Every access is relocated
 * against the running kernel's BTF (CO-RE), so offsets and missing fields here mean nothing.
 * Checked against the BTF of every supported kernel by vmlinux/check.sh.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
typedef unsigned short umode_t;
typedef unsigned int fmode_t;

#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h: the map types, map flags and helper flags in use. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

/* include/uapi/linux/bpf.h: a map's value with one, known by this name, can be locked. */
struct bpf_spin_lock {
	__u32 val;
};

/* Likewise; what is in it is the kernel's. */
struct bpf_timer {
	__u64 : 64;
	__u64 : 64;
} __attribute__((aligned(8)));

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct qspinlock {
	atomic_t val;
};

struct raw_spinlock {
	struct qspinlock raw_lock;
};

typedef struct spinlock {
	struct raw_spinlock rlock;
} spinlock_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

/* Two words of 32 bits before 6.3, one of 64 since. */
typedef struct {
} kernel_cap_t;

struct qstr {
	u64 hash_len;
	u32 hash;
	u32 len;
	const unsigned char *name;
};

struct block_device;

struct user_namespace {
	int level;
};

struct super_block {
	u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
	int s_stack_depth;
	struct block_device *s_bdev;
	struct user_namespace *s_user_ns;
};

struct inode {
	umode_t i_mode;
	struct super_block *i_sb;
	unsigned long i_ino; /* u64 from 7.2: core.bpf.h */
	const unsigned int i_nlink;
	kuid_t i_uid;
	u32 i_generation;
	atomic_t i_writecount;
	void *i_private;
};

struct dentry {
	unsigned int d_flags;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct list_head {
	struct list_head *next;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts;
	int mnt_group_id;
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	fmode_t f_mode;
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct pids_cgroup {
	struct cgroup_subsys_state css;
	atomic64_t counter;
};

/* Numbers that depend on the configuration, or have changed: bpf_core_enum_value(). */
enum cgroup_subsys_id {
	pids_cgrp_id,
	memory_cgrp_id,
};

enum memcg_memory_event {
	MEMCG_OOM,
};

struct page_counter {
	atomic64_t usage;
	unsigned long watermark;
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	atomic64_t memory_events[8];
};

enum kernel_read_file_id {
	READING_MODULE,
	READING_MODULE_COMPRESSED,
	READING_KEXEC_IMAGE,
	READING_KEXEC_INITRAMFS,
};

enum kernel_load_data_id {
	LOADING_MODULE,
	LOADING_KEXEC_IMAGE,
	LOADING_KEXEC_INITRAMFS,
};

struct kernel_siginfo;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t fsuid;
	kernel_cap_t cap_effective;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16]; /* CGROUP_SUBSYS_COUNT of them */
	struct cgroup *dfl_cgrp;
};

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
};

struct task_io_accounting {
	u64 read_bytes;
	u64 write_bytes;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct mm_struct;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	u64 utime;
	u64 stime;
	unsigned long min_flt;
	unsigned long maj_flt;
	unsigned long maxrss;
	struct task_io_accounting ioac;
	struct rlimit rlim[16];
	struct mm_struct *oom_mm;
};

struct mm_struct {
	struct file *exe_file;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct pid_namespace {
	void *child_reaper; /* a task_struct; typed, the circle would hide it from check.sh */
};

struct upid {
	struct pid_namespace *ns;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct pid {
	struct hlist_head tasks[1];
	struct upid numbers[1];
};

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct pt_regs {
	unsigned long di;
	unsigned long bx;
	unsigned long orig_ax;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
};

struct fown_struct {
	struct pid *pid;
	enum pid_type pid_type;
};

struct task_struct {
	unsigned int flags;
	struct mm_struct *mm;
	unsigned int in_execve : 1;
	int exit_state;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	u64 utime;
	u64 stime;
	u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	char comm[16];
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct bpf_local_storage *bpf_storage;
	struct files_struct *files;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
	struct hlist_node pid_links[1];
	struct task_io_accounting ioac;
	const struct cred *real_cred;
	const struct cred *cred;
	struct io_uring_task *io_uring;
	spinlock_t alloc_lock;
};

struct anon_vma;

struct vm_area_struct {
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
	struct file *vm_file;
};

struct iattr {
	unsigned int ia_valid;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_cgroup_data sk_cgrp_data;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct unix_address {
	int len;
};

struct unix_sock {
	struct unix_address *addr;
	struct path path;
};

struct file_kattr;

struct io_uring_cmd {
	struct file *file;
};

struct linux_binprm {
	struct file *file;
};

struct seq_file;
struct bpf_map;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop
