/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Executable mappings. execve itself is decided where it opens the program (files.bpf.c); here
 * what becomes executable without it: ld.so run as a program, dlopen, mprotect; and wx = "deny".
 */
#include "shadow.bpf.h"
#include "stacked.bpf.h"
#include "verdict.bpf.h"

/* Memory that is no file's, or that has left its file, has no object to report. */
static __always_inline int refuse_wx(const struct pol_actor *actor, u32 op)
{
	return pol_refuse_for(actor, 0, 0, op, POL_REASON_ERR(WX, actor->err));
}

/* A file without a path: memfds, System V and anonymous shared memory. */
POL_SUBPROG int check_memfd(const struct pol_actor *actor, struct file *file, u32 op)
{
	u32 magic = file->f_path.dentry->d_sb->s_magic, shadow = 0;

	if (magic == TMPFS_MAGIC)
		shadow = pol_shadow_of(actor->guest, pol_address(file->f_path.dentry));
	if (shadow == 2 && actor->flags & POL_GUEST_SHADOW_EXEC)
		return 0;
	if (!shadow && actor->flags & POL_GUEST_MEMFD_EXEC &&
	    (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC)) {
		if (actor->flags & POL_GUEST_NO_WX)
			return refuse_wx(actor, op);
		return 0;
	}
	return pol_refuse_for(actor, pol_address(file->f_path.dentry),
			      pol_mount_of(file->f_path.mnt), op,
			      POL_REASON_ERR(MEMFD, actor->err));
}

static __always_inline int check_mapping(const struct pol_actor *actor, struct file *file, u32 op)
{
	struct dentry *dentry = file->f_path.dentry;
	u64 object, mount;

	if (dentry->d_sb->s_flags & SB_NOUSER)
		return check_memfd(actor, file, op);
	/* On overlayfs the file is the layer's, and so is its dentry. */
	if (!(file->f_mode & FMODE_NOACCOUNT) &&
	    pol_allows_at_once(actor, dentry, false, POL_RIGHT_EXECUTE))
		return 0;
	object = pol_mapped_dentry(file, &mount);
	return pol_check(actor, object, mount, POL_RIGHT_EXECUTE, op);
}

/**
 * pol_mmap_file - mmap(2) with PROT_EXEC: the right execute; and wx = "deny": no anonymous memory,
 * none that may be written, none shared with a descriptor that may write.
 *
 * Context: lsm/mmap_file. Return: 0; the policy's errno.
 */
SEC("lsm/mmap_file")
int BPF_PROG(pol_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pol_actor actor;
	bool anonymous, wx;

	if (!(prot & PROT_EXEC) || !pol_actor_current(&actor))
		return 0;
	/*
	 * No file: anonymous memory; asked by address, since to the verifier an argument is never NULL
	 * and the test is deleted (but from 7.0 on, where it may be and the program must test).
	 */
	anonymous = !file || !pol_address(file);
	wx = anonymous || prot & PROT_WRITE ||
	     (flags & MAP_SHARED_BIT && BPF_CORE_READ(file, f_mode) & FMODE_WRITE);
	if (wx && actor.flags & POL_GUEST_NO_WX)
		return pol_return(refuse_wx(&actor, POL_OP_HOOK(MMAP, MMAP_FILE)));
	/* execve's own mappings are of what it has opened to execute: decided in file_open. */
	if (anonymous || !file || BPF_CORE_READ_BITFIELD(task, in_execve))
		return 0;
	return pol_return(check_mapping(&actor, file, POL_OP_HOOK(MMAP, MMAP_FILE)));
}

/*
 * What is, was or may have been written: by its flags now, or by the pages of its own that a private
 * mapping has since. A shared one that may be made writable may have been.
 */
static __always_inline bool is_writable(const struct vm_area_struct *vma, unsigned long prot)
{
	if (prot & PROT_WRITE || vma->vm_flags & VM_WRITE)
		return true;
	if (vma->vm_flags & VM_SHARED)
		return vma->vm_flags & VM_MAYWRITE;
	return BPF_CORE_READ(vma, anon_vma);
}

/**
 * pol_file_mprotect - mprotect(2), pkey_mprotect(2) to PROT_EXEC: as mapping it so.
 *
 * Context: lsm/file_mprotect, not sleepable. Return: 0; the policy's errno.
 */
SEC("lsm/file_mprotect")
int BPF_PROG(pol_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	struct file *file = vma->vm_file;
	struct pol_actor actor;

	if (!(prot & PROT_EXEC) || !pol_actor_current(&actor))
		return 0;
	if (actor.flags & POL_GUEST_NO_WX && (!file || is_writable(vma, prot)))
		return pol_return(refuse_wx(&actor, POL_OP_HOOK(MPROTECT, FILE_MPROTECT)));
	if (!file || vma->vm_flags & VM_EXEC)
		return 0;
	return pol_return(check_mapping(&actor, file, POL_OP_HOOK(MPROTECT, FILE_MPROTECT)));
}

/**
 * pol_exec_done - execve(2) has succeeded: remember the program for the exit record.
 *
 * Context: lsm/bprm_committed_creds; decides nothing.
 */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(pol_exec_done, struct linux_binprm *bprm)
{
	struct pol_label *label = pol_label_current();
	struct file *file = bprm->file;

	if (label)
		__sync_fetch_and_and(&label->flags, ~POL_LABEL_STARTING);
	if (label && file)
		pol_label_exe(label, pol_address(file->f_path.dentry),
			      pol_mount_of(file->f_path.mnt));
	return 0;
}
