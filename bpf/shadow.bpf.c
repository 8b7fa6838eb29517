/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of which guests have snapshots (user/lib/shadow.h makes them): what may change such a file
 * makes its snapshots stale, and is told. Attached while some guest may have one, and from then to the
 * next load that finds none: to
 * everybody else an open for writing, a removal, a rename and a change of attributes then cost one
 * look-up.
 *
 * By the object, whoever does it, and before it is done: what is refused later on counts as done. A
 * store through a shared mapping comes to no hook; but the file was opened for writing before it, and
 * that does, or is seen when the snapshot is made (pol_anchor, @writers). Nothing here refuses.
 */
#include "shadow.bpf.h"
#include "event.bpf.h"
#include "walk.bpf.h"

__attribute__((noinline)) int pol_shadow_of(u32 guest, u64 address)
{
	const struct dentry *dentry = (const void *)address;
	struct pol_shadow_key key = { .guest = guest };
	const struct pol_shadow_value *shadow;

	key.ino = BPF_CORE_READ(dentry, d_inode, i_ino);
	key.dev = BPF_CORE_READ(dentry, d_sb, s_dev);
	shadow = bpf_map_lookup_elem(&shadows, &key);
	if (!shadow)
		return 0;
	return shadow->flags & POL_SHADOW_EXEC ? 2 : 1;
}

__attribute__((noinline)) int pol_is_snapshot(u64 address)
{
	const struct dentry *dentry = (const void *)address;
	struct pol_memory_file memory = {};

	memory.ino = BPF_CORE_READ(dentry, d_inode, i_ino);
	memory.dev = BPF_CORE_READ(dentry, d_sb, s_dev);
	return bpf_map_lookup_elem(&snapshots, &memory) ? 1 : 0;
}

/* ------------------------------------------------------------------ records */

struct pol_shadow_news {
	u64 generation;
	u32 guest;
	u32 action;
	u32 op;
	u32 err;
};

/* Global: the walks over maps below do not multiply the verifier's work. */
int pol_shadow_tell(const struct pol_shadow_news *news, const struct pol_shadow_value *shadow);

__attribute__((noinline)) int pol_shadow_tell(const struct pol_shadow_news *news,
					      const struct pol_shadow_value *shadow)
{
	struct pol_report_head head = { .type = POL_TYPE_SHADOW };
	struct pol_event *event;

	if (!news || !shadow)
		return 0;
	head.guest = news->guest;
	head.generation = news->generation;
	event = pol_event_begin(&head, bpf_get_current_task_btf());
	if (!event)
		return 0;
	event->shadow.size = shadow->size;
	event->shadow.action = news->action;
	event->shadow.op = news->op;
	event->shadow.err = news->err;
	event->shadow.flags = shadow->flags;
	bpf_probe_read_kernel(event->path, POL_PATH_SMALL, shadow->path);
	event->path_len = shadow->path_len;
	if (shadow->flags & POL_SHADOW_CUT)
		event->flags |= POL_EVENT_PATH_TRUNCATED;
	/* The last to let go says nothing of who had it. */
	if (news->action == POL_SHADOW_FREED)
		event->flags &= ~POL_EVENT_HAS_PROCESS;
	else
		pol_event_exes(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline u64 generation_now(void)
{
	const struct pol_control *ctl = pol_control_get();

	return ctl ? ctl->active : 0;
}

/* What a look at all shadows is for. @source: of STALE. @memory: of FREED. */
struct look {
	struct pol_dir_key source;
	struct pol_memory_file memory;
	u64 generation;
	u32 op;
};

static __always_inline bool is_source(const struct pol_dir_key *a, const struct pol_dir_key *b)
{
	return a->inode.ino == b->inode.ino && a->inode.dev == b->inode.dev &&
	       a->inode.generation == b->inode.generation && a->tree == b->tree;
}

static __always_inline void tell(u32 guest, const struct look *look, u32 action,
				 const struct pol_shadow_value *shadow)
{
	struct pol_shadow_news news = { .action = action };

	news.generation = look->generation;
	news.guest = guest;
	news.op = look->op;
	pol_shadow_tell(&news, shadow);
}

static int make_stale(struct bpf_map *map, struct pol_shadow_key *key, struct pol_shadow_value *shadow,
		      struct look *look)
{
	if (!is_source(&shadow->source, &look->source) || shadow->flags & POL_SHADOW_OLD)
		return 0;
	shadow->op = look->op;
	__sync_fetch_and_or(&shadow->flags, POL_SHADOW_OLD);
	tell(key->guest, look, POL_SHADOW_STALE, shadow);
	return 0;
}

static int make_free(struct bpf_map *map, struct pol_shadow_key *key, struct pol_shadow_value *shadow,
		     struct look *look)
{
	struct pol_shadow_key at = *key;

	if (at.ino != look->memory.ino || at.dev != look->memory.dev)
		return 0;
	tell(at.guest, look, POL_SHADOW_FREED, shadow);
	bpf_map_delete_elem(&shadows, &at);
	return 0;
}

/* ------------------------------------------------------------------ what changes a file */

/* Of all that come at once, one finds it fresh. */
POL_SUBPROG int change(const struct pol_dir_key *key, u32 op)
{
	struct pol_source *source = bpf_map_lookup_elem(&sources, key);
	struct look look = { .op = op };

	if (!source)
		return 0;
	__sync_fetch_and_add(&source->changes, 1);
	if (!__sync_lock_test_and_set(&source->fresh, 0))
		return 0;
	look.source = *key;
	look.generation = generation_now();
	bpf_for_each_map_elem(&shadows, make_stale, &look, 0);
	return 0;
}

/*
 * By direct loads: who opens for writing pays a third of what probe reads cost. The test is for kernels
 * that ask for one; others delete it (tests/lint/probe_reads.sh): @inode is never NULL.
 */
POL_SUBPROG int change_inode(struct inode *inode, u32 op)
{
	struct pol_dir_key key = {};
	u32 magic;

	if (!inode)
		return 0;
	magic = (u32)inode->i_sb->s_magic;
	pol_inode_key_of(inode, &key.inode);
	if (pol_has_trees(magic))
		pol_tree_key(pol_address(inode), magic, &key);
	return change(&key, op);
}

/**
 * pol_shadow_opened - a file is opened for writing: from now on it may change without a hook.
 *
 * Context: lsm/file_open. Return: 0.
 */
SEC("lsm/file_open")
int BPF_PROG(pol_shadow_opened, struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	change_inode(file->f_inode, POL_OP_OPEN);
	return 0;
}

/**
 * pol_shadow_unlinked - a name of a file is removed; one that has others counts as well.
 *
 * Context: lsm/inode_unlink: also what has no path hook, like a file server. Return: 0.
 */
SEC("lsm/inode_unlink")
int BPF_PROG(pol_shadow_unlinked, struct inode *dir, struct dentry *dentry)
{
	change_inode(dentry->d_inode, POL_OP_UNLINK);
	return 0;
}

/**
 * pol_shadow_renamed - a file gets another name, or gives its own to the one moved over it.
 *
 * Context: lsm/inode_rename, of an exchange once in each direction. Return: 0.
 */
SEC("lsm/inode_rename")
int BPF_PROG(pol_shadow_renamed, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
	     struct dentry *new)
{
	change_inode(old->d_inode, POL_OP_RENAME);
	if (BPF_CORE_READ(new, d_inode))
		change_inode(new->d_inode, POL_OP_RENAME);
	return 0;
}

/*
 * The hook comes before the filesystem asks whether the task may: who neither owns the file nor has a
 * capability for others' files changes nothing but, with the right to write, its size.
 */
static __always_inline bool may_set(const struct inode *inode, u32 valid)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	const u64 capable = 1ull << CAP_CHOWN | 1ull << CAP_FOWNER;
	u64 has = 0;

	/* Of these the kernel has asked already: the size, and times of now. */
	if (valid & ATTR_SIZE ||
	    (valid & (ATTR_ATIME | ATTR_MTIME) && !(valid & (ATTR_ATIME_SET | ATTR_MTIME_SET))) ||
	    inode->i_uid.val == task->cred->fsuid.val)
		return true;
	/* One word, or two halves before 6.3. */
	bpf_probe_read_kernel(&has, sizeof(has), &task->cred->cap_effective);
	return has & capable;
}

static __always_inline u32 op_of(u32 valid)
{
	if (valid & ATTR_SIZE)
		return POL_OP_TRUNCATE;
	if (valid & ATTR_MODE)
		return POL_OP_CHMOD;
	return valid & (ATTR_UID | ATTR_GID) ? POL_OP_CHOWN : POL_OP_UTIME;
}

/* @inode: as of change_inode(). */
static __always_inline int set(struct inode *inode, u32 valid)
{
	if (!(valid & (ATTR_SIZE | ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME)) ||
	    !inode || !may_set(inode, valid))
		return 0;
	change_inode(inode, op_of(valid));
	return 0;
}

/**
 * pol_shadow_set - truncate(2), chmod(2), chown(2), utimensat(2) and their kin.
 *
 * Context: lsm/inode_setattr; before 6.3 it has no idmap argument (pol_shadow_set_61). Return: 0.
 */
SEC("?lsm/inode_setattr")
int BPF_PROG(pol_shadow_set, void *idmap, struct dentry *dentry, struct iattr *attr)
{
	return set(dentry->d_inode, attr->ia_valid);
}

SEC("?lsm/inode_setattr")
int BPF_PROG(pol_shadow_set_61, struct dentry *dentry, struct iattr *attr)
{
	return set(dentry->d_inode, attr->ia_valid);
}

/* ------------------------------------------------------------------ the end of a snapshot */

/**
 * pol_shadow_freed - an inode goes: of a snapshot, the last descriptor and the last mapping have.
 *
 * Context: lsm/inode_free_security, of every inode: pipes, sockets and what is on a mounted tmpfs have two
 * tests. Return: ignored.
 */
SEC("lsm/inode_free_security")
int BPF_PROG(pol_shadow_freed, struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	struct look look = {};

	if (sb->s_magic != TMPFS_MAGIC || !(sb->s_flags & SB_NOUSER))
		return 0;
	look.memory.ino = inode->i_ino;
	look.memory.dev = sb->s_dev;
	if (!bpf_map_lookup_elem(&snapshots, &look.memory))
		return 0;
	look.generation = generation_now();
	bpf_for_each_map_elem(&shadows, make_free, &look, 0);
	bpf_map_delete_elem(&snapshots, &look.memory);
	return 0;
}

/*
 * From here on a change is told by whoever makes it; what came before, since it was copied, is told here.
 * Return: 2: it is stale.
 */
static __always_inline int watch(const struct pol_dir_key *key, u64 changes, u32 writers)
{
	struct pol_source *source = bpf_map_lookup_elem(&sources, key);

	if (!source)
		return 1;
	__sync_lock_test_and_set(&source->fresh, 1);
	if (*(volatile u64 *)&source->changes == changes && !writers)
		return 0;
	change(key, 0);
	return 2;
}

/**
 * pol_shadow_note - what user space tells: a snapshot was handed over, or refused.
 *
 * Context: syscall program, run by BPF_PROG_TEST_RUN; root alone can.
 * Return: 0; 1: there is no such entry, or none of its source; 2: it is stale already.
 */
SEC("syscall")
int pol_shadow_note(struct pol_shadow_note *note)
{
	struct pol_shadow_news news = { .action = note->action };
	struct pol_shadow_key key = note->key;
	const struct pol_shadow_value *shadow = bpf_map_lookup_elem(&shadows, &key);
	struct pol_dir_key source;

	if (!shadow)
		return 1;
	news.generation = note->generation;
	news.guest = key.guest;
	news.err = note->err;
	source = shadow->source;
	if (news.action == POL_SHADOW_CREATED && !bpf_map_lookup_elem(&sources, &source))
		return 1;
	pol_shadow_tell(&news, shadow);
	if (news.action != POL_SHADOW_CREATED)
		return 0;
	return watch(&source, note->changes, note->writers);
}
