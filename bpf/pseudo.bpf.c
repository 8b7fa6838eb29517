/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filesystems that are a face of the kernel: which rights no rule gives on an object there. Asked
 * after the walk.
 */
#include "verdict.bpf.h"

#include "procfs.h"

#define READ_AND_LIST (POL_RIGHT_READ | POL_RIGHT_LIST)

#define NAME_WORDS (POL_PROC_NAME / 8)

/* A name, zero-padded: equal words are equal names. */
union name {
	char text[POL_PROC_NAME];
	u64 word[NAME_WORDS];
};

/* A path below the root of procfs, the last name first. */
union row {
	char text[POL_PROC_DEPTH][POL_PROC_NAME];
	u64 word[POL_PROC_DEPTH * NAME_WORDS];
};

#define P1(a) { .text = { a } },
#define P2(a, b) { .text = { b, a } },
#define P3(a, b, c) { .text = { c, b, a } },
#define P4(a, b, c, d) { .text = { d, c, b, a } },
static const union row public[] = { POL_PROC_PUBLIC(P1, P2, P3, P4) };

#define X(name) { .text = name },
static const union name writable[] = { POL_PROC_WRITABLE(X) };
#undef X

#define CNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Where an object of procfs lies.
 * @path: its name, its parent's, ..., as far up as was looked.
 * @pid: address of the struct pid in whose directory it lies; 0: of none, up to the root.
 * @depth: steps up to there.
 */
struct spot {
	union row path;
	u64 pid;
	u32 depth;
};

/* No name is all ones: a name that cannot be in the lists is equal to none of them. */
static __always_inline void read_name(const struct dentry *dentry, u64 *word)
{
	u32 len = BPF_CORE_READ(dentry, d_name.len);

	__builtin_memset(word, 0, POL_PROC_NAME);
	if (len >= POL_PROC_NAME ||
	    bpf_probe_read_kernel(word, len & 31, BPF_CORE_READ(dentry, d_name.name)))
		word[0] = ~0ull;
}

static __always_inline u64 pid_of(const struct inode *inode)
{
	const struct proc_inode *proc =
		(const void *)((u64)inode - bpf_core_field_offset(struct proc_inode, vfs_inode));

	return (u64)BPF_CORE_READ(proc, pid);
}

struct climb {
	u64 at;
	struct spot *spot;
	u32 done;
};

static int climb_one(u32 i, struct climb *climb)
{
	const struct dentry *dentry = (const void *)climb->at;
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct spot *spot = climb->spot;

	if (!inode || i > POL_PROC_DEPTH)
		return 1;
	spot->depth = i;
	climb->done = dentry == BPF_CORE_READ(dentry, d_sb, s_root);
	if (climb->done)
		return 1;
	if (i < POL_PROC_DEPTH)
		read_name(dentry, spot->path.word + i * NAME_WORDS);
	spot->pid = pid_of(inode);
	climb->done = !!spot->pid;
	climb->at = (u64)BPF_CORE_READ(dentry, d_parent);
	return climb->done;
}

/*
 * Upwards to the first object that is a task's, or to the root. Below a task's "net" lie objects
 * that are not. Return: 0; -1: it is being made, or too deep to be in a list.
 */
static __always_inline int locate(u64 at, struct spot *spot)
{
	struct climb climb = { .at = at, .spot = spot };

	bpf_loop(POL_PROC_DEPTH + 1, climb_one, &climb, 0);
	return climb.done ? 0 : -1;
}

/*
 * Whether words are in a list. By bpf_loop: the verifier goes through one comparison, not through
 * what all of them may come to.
 */
struct search {
	const u64 *words;
	u32 found;
};

static int try_public(u32 i, struct search *search)
{
	u64 differs = 0;

	if (i >= CNT(public))
		return 1;
	for (u32 k = 0; k < POL_PROC_DEPTH * NAME_WORDS; k++)
		differs |= search->words[k] ^ public[i].word[k];
	search->found = !differs;
	return !differs;
}

static int try_writable(u32 i, struct search *search)
{
	u64 differs = 0;

	if (i >= CNT(writable))
		return 1;
	for (u32 k = 0; k < NAME_WORDS; k++)
		differs |= search->words[k] ^ writable[i].word[k];
	search->found = !differs;
	return !differs;
}

static __always_inline bool is_public(const u64 *path)
{
	struct search search = { .words = path };

	bpf_loop(CNT(public), try_public, &search, 0);
	return search.found;
}

static __always_inline bool is_writable(const u64 *name)
{
	struct search search = { .words = name };

	bpf_loop(CNT(writable), try_writable, &search, 0);
	return search.found;
}

/* A task that is gone is nobody's. */
static __always_inline u32 guest_of_pid(u64 address)
{
	const struct pid *pid = (const void *)address;
	u64 link = (u64)BPF_CORE_READ(pid, tasks[0].first); /* PIDTYPE_PID */

	return link ? pol_guest_at(link - bpf_core_field_offset(struct task_struct, pid_links)) : 0;
}

/*
 * The rights that a rule can give where an object of procfs lies. @ret_pid: if it is not 0, then only
 * to the guest of that task. A frame of its own: it is gone when the guest is looked up.
 */
POL_SUBPROG u32 place_rights(u64 dentry, u64 *ret_pid)
{
	struct spot spot = {};

	*ret_pid = 0;
	if (locate(dentry, &spot))
		return 0;
	if (!spot.pid)
		return !spot.depth || is_public(spot.path.word) ? READ_AND_LIST : 0;
	*ret_pid = spot.pid;
	if (spot.depth) /* net/dev, net/stat/nf_conntrack; what is deeper are channels to daemons */
		return spot.depth <= 2 ? READ_AND_LIST : 0;
	if (is_writable(spot.path.word))
		return READ_AND_LIST | POL_RIGHT_WRITE | POL_RIGHT_TRUNCATE;
	return READ_AND_LIST;
}

static __always_inline u32 procfs_rights(u32 guest, u64 dentry, u32 flags)
{
	u32 rights;
	u64 pid;

	if (flags & POL_RULE_SYSCTL)
		return READ_AND_LIST;
	rights = place_rights(dentry, &pid);
	return pid && guest_of_pid(pid) != guest ? 0 : rights;
}

__attribute__((noinline)) int pol_never(u32 guest, u64 dentry, u32 flags)
{
	const struct dentry *object = (const void *)dentry;
	u32 magic = BPF_CORE_READ(object, d_sb, s_magic);

	switch (magic) {
	case PROC_SUPER_MAGIC:
		return POL_RIGHTS_ALL & ~procfs_rights(guest, dentry, flags);
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return POL_RIGHTS_ALL & ~READ_AND_LIST;
	}
	return pol_guarded(magic);
}
