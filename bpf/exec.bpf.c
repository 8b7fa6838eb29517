/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Executable mappings. execve itself is decided where it opens the program (files.bpf.c); here
 * what becomes executable without it: ld.so run as a program, dlopen, mprotect.
 */
#include "stacked.bpf.h"
#include "verdict.bpf.h"

static __always_inline int check_mapping(struct file *file, u32 op)
{
	struct dentry *dentry = file->f_path.dentry;
	struct pol_actor actor;
	u64 object, mount;

	if (!pol_actor_current(&actor))
		return 0;
	object = pol_mapped_dentry(file, &mount);
	if (dentry->d_sb->s_flags & SB_NOUSER)
		return pol_return(pol_refuse_for(&actor, object, mount, op,
						 POL_REASON_ERR(MEMFD, actor.err)));
	/* On overlayfs the file is the layer's, and so is its dentry. */
	if (!(file->f_mode & FMODE_NOACCOUNT) &&
	    pol_walk_allows(dentry, false, actor.ruleset, actor.generation, POL_RIGHT_EXECUTE))
		return 0;
	return pol_return(pol_check(&actor, object, mount, POL_RIGHT_EXECUTE, op));
}

SEC("lsm/mmap_file")
int BPF_PROG(pol_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot)
{
	struct task_struct *task = bpf_get_current_task_btf();

	/*
	 * execve's own mappings are of what it has opened to execute: decided in file_open. No file:
	 * anonymous memory; asked by address, since to the verifier an argument is never NULL and the
	 * test is deleted (but from 7.0 on, where it may be and the program must test).
	 */
	if (!(prot & PROT_EXEC) || BPF_CORE_READ_BITFIELD(task, in_execve))
		return 0;
	if (!file || !pol_address(file))
		return 0;
	return check_mapping(file, POL_OP_HOOK(MMAP, MMAP_FILE));
}

SEC("lsm/file_mprotect")
int BPF_PROG(pol_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	struct file *file = vma->vm_file;

	if (!file || !(prot & PROT_EXEC) || vma->vm_flags & VM_EXEC)
		return 0;
	return check_mapping(file, POL_OP_HOOK(MPROTECT, FILE_MPROTECT));
}

/**
 * pol_exec_done - execve(2) has succeeded: remember the program for the exit record.
 *
 * Context: lsm/bprm_committed_creds; decides nothing.
 */
SEC("lsm/bprm_committed_creds")
int BPF_PROG(pol_exec_done, struct linux_binprm *bprm)
{
	struct pol_label *label =
		bpf_task_storage_get(&labels, bpf_get_current_task_btf(), NULL, 0);
	struct file *file = bprm->file;

	if (label)
		__sync_fetch_and_and(&label->flags, ~POL_LABEL_STARTING);
	if (label && file)
		pol_label_exe(label, pol_address(file->f_path.dentry),
			      pol_mount_of(file->f_path.mnt));
	return 0;
}
