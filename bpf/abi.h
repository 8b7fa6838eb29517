/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one definition of what crosses the kernel boundary: map keys and values, event records,
 * limits, and every closed list (rights, operations, hooks, reasons, event types) with its words.
 *
 * Included by the BPF programs (after vmlinux.h) and by user space.
 * Invariants: fixed-width types only, wide fields first, padding explicit and zero, numbers of
 * the closed lists are never reused. A change of layout or meaning bumps POL_ABI_VERSION.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#define POL_ABI_VERSION 8

/* Limits. Each is checked by user space with a message that names it; none is a silent bound. */
#define POL_GUESTS_MAX 16384u /* guest ids 1..MAX-1; 10 000 guests are the design's scale */
#define POL_GUEST_ENGINE 0u   /* id of the engine's own events */
#define POL_GUEST_PROBE 1u    /* id of the live self-test: never has a rule, never makes an event */
#define POL_GUEST_FIRST 2u
#define POL_GUEST_NAME_SIZE 64 /* policy-language.md: at most 63 bytes, and the NUL */
#define POL_CGROUP_SLOTS 32768u /* open addressing, at most half full with POL_GUESTS_MAX */
#define POL_CGROUP_PROBES 64u	/* longest probe sequence user space may build */
#define POL_CGROUP_LEVELS 64u	/* levels of the cgroup tree that level_mask can name */
/*
 * File descriptions and tasks that can be charged at once, over all guests; past it ENFILE and
 * EAGAIN (fails files_full, tasks_full). 16 bytes of table each; entries are made on demand.
 */
#define POL_FILES_MAX (1u << 19)
#define POL_TASKS_MAX (1u << 17)
#define POL_OWNERS_MAX (1u << 14) /* file descriptions whose owner (F_SETOWN) a guest has set */
#define POL_NAME_SIZE 256	/* NAME_MAX is 255 (include/uapi/linux/limits.h) */
#define POL_WALK_FAST 24	/* unrolled-by-verifier part of the walk; deeper goes by bpf_loop */
#define POL_WALK_MAX 8192	/* policy-language.md, semantics 6: past it, path_too_deep */
#define POL_WALK_TRIES 16	/* a walk that raced a rename is tried again this often in all */
#define POL_COMM_SIZE 16	/* TASK_COMM_LEN */
#define POL_EXE_SIZE 256	/* bytes of an executable's path in an event */
/*
 * The two rooms for a path in an event: 256 and 4096 bytes of text, and one name more, so that the
 * verifier can see that a name never ends past the room. (Each size costs every program that
 * reports a third more time in the verifier.)
 */
#define POL_PATH_SMALL (256 + POL_NAME_SIZE)
#define POL_PATH_LARGE (4096 + POL_NAME_SIZE)

/*
 * X-macro lists: X(NAME, number, "word"). The words are the contracts' (policy-language.md,
 * events.md); Documentation/events.rst lists them and a test compares the two.
 */
#define POL_RIGHTS(X)                                                                              \
	X(READ, 0, "read")                                                                         \
	X(WRITE, 1, "write")                                                                       \
	X(EXECUTE, 2, "execute")                                                                   \
	X(LIST, 3, "list")                                                                         \
	X(CREATE, 4, "create")                                                                     \
	X(DELETE, 5, "delete")                                                                     \
	X(RENAME, 6, "rename")                                                                     \
	X(LINK, 7, "link")                                                                         \
	X(TRUNCATE, 8, "truncate")                                                                 \
	X(METADATA, 9, "metadata")                                                                 \
	X(IOCTL, 10, "ioctl")                                                                      \
	X(CONNECT, 11, "connect")

#define X(name, nr, word) POL_RIGHT_##name = 1u << (nr),
enum pol_right { POL_RIGHTS(X) };
#undef X
#define POL_RIGHTS_CNT 12
#define POL_RIGHTS_ALL ((1u << POL_RIGHTS_CNT) - 1)

#define POL_TYPES(X)                                                                               \
	X(VIOLATION, 1, "violation")                                                               \
	X(CEILING, 2, "ceiling")                                                                   \
	X(EXIT, 3, "exit")                                                                         \
	X(LOST, 4, "lost")                                                                         \
	X(GUEST, 5, "guest")                                                                       \
	X(POLICY, 6, "policy")                                                                     \
	X(ESCAPE, 7, "escape")                                                                     \
	X(ALLOW, 8, "allow")                                                                       \
	X(SHADOW, 9, "shadow")                                                                     \
	X(EXEC, 10, "exec")                                                                        \
	X(FORK, 11, "fork")

#define X(name, nr, word) POL_TYPE_##name = (nr),
enum pol_type { POL_TYPES(X) };
#undef X
#define POL_TYPES_CNT 12 /* one more than the highest number: arrays are indexed by type */

#define POL_VERDICTS(X)                                                                            \
	X(NONE, 0, "")                                                                             \
	X(DENIED, 1, "denied")                                                                     \
	X(WOULD_DENY, 2, "would_deny")                                                             \
	X(ALLOWED, 3, "allowed")                                                                   \
	X(PRESSURE, 4, "pressure")                                                                 \
	X(KILLED, 5, "killed")

#define X(name, nr, word) POL_VERDICT_##name = (nr),
enum pol_verdict { POL_VERDICTS(X) };
#undef X

/* op of violations (1..), then of escapes (64..). */
#define POL_OPS(X)                                                                                 \
	X(OPEN, 1, "open")                                                                         \
	X(CREATE, 2, "create")                                                                     \
	X(MKDIR, 3, "mkdir")                                                                       \
	X(MKNOD, 4, "mknod")                                                                       \
	X(SYMLINK, 5, "symlink")                                                                   \
	X(UNLINK, 6, "unlink")                                                                     \
	X(RMDIR, 7, "rmdir")                                                                       \
	X(RENAME, 8, "rename")                                                                     \
	X(LINK, 9, "link")                                                                         \
	X(TRUNCATE, 10, "truncate")                                                                \
	X(CHMOD, 11, "chmod")                                                                      \
	X(CHOWN, 12, "chown")                                                                      \
	X(UTIME, 13, "utime")                                                                      \
	X(XATTR, 14, "xattr")                                                                      \
	X(ACL, 15, "acl")                                                                          \
	X(CHATTR, 16, "chattr")                                                                    \
	X(IOCTL, 17, "ioctl")                                                                      \
	X(EXEC, 18, "exec")                                                                        \
	X(MMAP, 19, "mmap")                                                                        \
	X(MPROTECT, 20, "mprotect")                                                                \
	X(RECEIVE, 21, "receive")                                                                  \
	X(INHERIT, 22, "inherit")                                                                  \
	X(CONNECT, 23, "connect")                                                                  \
	X(BIND, 24, "bind")                                                                        \
	X(NOTIFY, 25, "notify")                                                                    \
	X(STAT, 26, "stat")                                                                        \
	X(READLINK, 27, "readlink")                                                                \
	X(STATFS, 28, "statfs")                                                                    \
	X(GETXATTR, 29, "getxattr")                                                                \
	X(LISTXATTR, 30, "listxattr")                                                              \
	X(MOUNT, 64, "mount")                                                                      \
	X(UMOUNT, 65, "umount")                                                                    \
	X(PIVOT_ROOT, 66, "pivot_root")                                                            \
	X(USERNS, 67, "userns")                                                                    \
	X(CLONE_INTO_CGROUP, 68, "clone_into_cgroup")                                              \
	X(CGROUP, 69, "cgroup")                                                                    \
	X(PTRACE, 70, "ptrace")                                                                    \
	X(SIGNAL, 71, "signal")                                                                    \
	X(PRLIMIT, 72, "prlimit")                                                                  \
	X(SCHED, 73, "sched")                                                                      \
	X(BPF, 74, "bpf")                                                                          \
	X(IO_URING, 75, "io_uring")                                                                \
	X(MODULE, 76, "module")                                                                    \
	X(KEXEC, 77, "kexec")                                                                      \
	X(PERF, 78, "perf")                                                                        \
	X(KEYCTL, 79, "keyctl")                                                                    \
	X(DEVICE, 80, "device")                                                                    \
	X(ABSTRACT_SOCKET, 81, "abstract_socket")                                                  \
	X(FANOTIFY, 82, "fanotify")

#define X(name, nr, word) POL_OP_##name = (nr),
enum pol_op { POL_OPS(X) };
#undef X
#define POL_OP_ESCAPE_FIRST 64

#define POL_HOOKS(X)                                                                               \
	X(FILE_OPEN, 1, "file_open")                                                               \
	X(PATH_MKNOD, 2, "path_mknod")                                                             \
	X(PATH_MKDIR, 3, "path_mkdir")                                                             \
	X(PATH_SYMLINK, 4, "path_symlink")                                                         \
	X(PATH_UNLINK, 5, "path_unlink")                                                           \
	X(PATH_RMDIR, 6, "path_rmdir")                                                             \
	X(PATH_RENAME, 7, "path_rename")                                                           \
	X(PATH_LINK, 8, "path_link")                                                               \
	X(PATH_TRUNCATE, 9, "path_truncate")                                                       \
	X(FILE_TRUNCATE, 10, "file_truncate")                                                      \
	X(PATH_CHMOD, 11, "path_chmod")                                                            \
	X(PATH_CHOWN, 12, "path_chown")                                                            \
	X(INODE_SETATTR, 13, "inode_setattr")                                                      \
	X(MMAP_FILE, 14, "mmap_file")                                                              \
	X(TASK_ALLOC, 15, "task_alloc")                                                            \
	X(SCHED_PROCESS_EXIT, 16, "sched_process_exit")                                            \
	X(TASK_FREE, 17, "task_free")                                                              \
	X(INODE_INIT_SECURITY_ANON, 18, "inode_init_security_anon")                                \
	X(USERNS_CREATE, 19, "userns_create")                                                      \
	X(SB_MOUNT, 20, "sb_mount")                                                                \
	X(SB_UMOUNT, 21, "sb_umount")                                                              \
	X(SB_REMOUNT, 22, "sb_remount")                                                            \
	X(SB_PIVOTROOT, 23, "sb_pivotroot")                                                        \
	X(MOVE_MOUNT, 24, "move_mount")                                                            \
	X(BPF, 25, "bpf")                                                                          \
	X(PTRACE_ACCESS_CHECK, 26, "ptrace_access_check")                                          \
	X(PTRACE_TRACEME, 27, "ptrace_traceme")                                                    \
	X(FILE_MPROTECT, 28, "file_mprotect")                                                      \
	X(INODE_SETXATTR, 29, "inode_setxattr")                                                    \
	X(INODE_REMOVEXATTR, 30, "inode_removexattr")                                              \
	X(INODE_SET_ACL, 31, "inode_set_acl")                                                      \
	X(INODE_REMOVE_ACL, 32, "inode_remove_acl")                                                \
	X(TASK_SETRLIMIT, 33, "task_setrlimit")                                                    \
	X(TASK_KILL, 34, "task_kill")                                                              \
	X(TASK_SETSCHEDULER, 35, "task_setscheduler")                                              \
	X(TASK_SETNICE, 36, "task_setnice")                                                        \
	X(TASK_SETIOPRIO, 37, "task_setioprio")                                                    \
	X(TASK_MOVEMEMORY, 38, "task_movememory")                                                  \
	X(BPF_MAP, 39, "bpf_map")                                                                  \
	X(BPF_PROG, 40, "bpf_prog")                                                                \
	X(PERF_EVENT_OPEN, 41, "perf_event_open")                                                  \
	X(KERNEL_READ_FILE, 42, "kernel_read_file")                                                \
	X(KERNEL_LOAD_DATA, 43, "kernel_load_data")                                                \
	X(LOCKED_DOWN, 44, "locked_down")                                                          \
	X(SB_KERN_MOUNT, 45, "sb_kern_mount")                                                      \
	X(CAPABLE, 46, "capable")                                                                  \
	X(FILE_RECEIVE, 47, "file_receive")                                                        \
	X(FILE_IOCTL, 48, "file_ioctl")                                                            \
	X(FILE_IOCTL_COMPAT, 49, "file_ioctl_compat")                                              \
	X(INODE_FILE_SETATTR, 50, "inode_file_setattr")                                            \
	X(UNIX_STREAM_CONNECT, 51, "unix_stream_connect")                                          \
	X(UNIX_MAY_SEND, 52, "unix_may_send")                                                      \
	X(INODE_GETATTR, 53, "inode_getattr")                                                      \
	X(INODE_READLINK, 54, "inode_readlink")                                                    \
	X(SB_STATFS, 55, "sb_statfs")                                                              \
	X(INODE_GETXATTR, 56, "inode_getxattr")                                                    \
	X(INODE_LISTXATTR, 57, "inode_listxattr")                                                  \
	X(PATH_NOTIFY, 58, "path_notify")                                                          \
	X(FILE_SEND_SIGIOTASK, 59, "file_send_sigiotask")                                          \
	X(FILE_FCNTL, 66, "file_fcntl")                                                            \
	X(KEY_PERMISSION, 67, "key_permission")                                                    \
	X(QUOTA_ON, 68, "quota_on")                                                                \
	X(INODE_GET_ACL, 70, "inode_get_acl")                                                      \
	X(INODE_FILE_GETATTR, 71, "inode_file_getattr")                                            \
	X(URING_CMD, 72, "uring_cmd")                                                              \
	X(BPRM_CREDS_FROM_FILE, 73, "bprm_creds_from_file")                                        \
	X(BPRM_COMMITTING_CREDS, 74, "bprm_committing_creds")

#define X(name, nr, word) POL_HOOK_##name = (nr),
enum pol_hook { POL_HOOKS(X) };
#undef X

/* An operation and the hook that decides it, in one word. */
#define POL_OP_HOOK(op, hook) (((__u32)POL_OP_##op << 16) | POL_HOOK_##hook)

#define POL_REASONS(X)                                                                             \
	X(NONE, 0, "")                                                                             \
	X(RULE, 1, "rule")                                                                         \
	X(NO_RULE, 2, "no_rule")                                                                   \
	X(WIDENS, 3, "widens")                                                                     \
	X(ANCHOR, 4, "anchor")                                                                     \
	X(BUILTIN, 5, "builtin")                                                                   \
	X(DEVICE, 6, "device")                                                                     \
	X(WX, 7, "wx")                                                                             \
	X(MEMFD, 8, "memfd")                                                                       \
	X(INHERITED, 9, "inherited")                                                               \
	X(STALE, 10, "stale")                                                                      \
	X(PATH_RACE, 11, "path_race")                                                              \
	X(PATH_TOO_DEEP, 12, "path_too_deep")                                                      \
	X(DISCONNECTED, 13, "disconnected")                                                        \
	X(MAP_FULL, 14, "map_full")                                                                \
	X(NO_STORAGE, 15, "no_storage")

#define X(name, nr, word) POL_REASON_##name = (nr),
enum pol_reason { POL_REASONS(X) };
#undef X

/* What a ceiling is on. */
#define POL_RESOURCES(X)                                                                           \
	X(NONE, 0, "")                                                                             \
	X(FDS, 1, "fds")                                                                           \
	X(PIDS, 2, "pids")                                                                         \
	X(MEMORY, 3, "memory")

#define X(name, nr, word) POL_RESOURCE_##name = (nr),
enum pol_resource { POL_RESOURCES(X) };
#undef X
#define POL_RESOURCES_CNT 4

enum pol_mode { POL_MODE_ENFORCE = 0, POL_MODE_AUDIT = 1 };

/* action of guest and policy events */
#define POL_ACTIONS(X)                                                                             \
	X(NONE, 0, "")                                                                             \
	X(CREATED, 1, "created")                                                                   \
	X(ATTACHED, 2, "attached")                                                                 \
	X(EMPTY, 3, "empty")                                                                       \
	X(STOPPED, 4, "stopped")                                                                   \
	X(DETACHED, 5, "detached")                                                                 \
	X(LOADED, 16, "loaded")                                                                    \
	X(REPLACED, 17, "replaced")                                                                \
	X(ROLLED_BACK, 18, "rolled back")                                                          \
	X(UNLOADED, 19, "unloaded")                                                                \
	X(DISABLED, 20, "disabled")

#define X(name, nr, word) POL_ACTION_##name = (nr),
enum pol_action { POL_ACTIONS(X) };
#undef X

/* ------------------------------------------------------------------------------------------- */
/* Maps                                                                                        */

/**
 * struct pol_control - the engine's one switchboard (map "control", one entry).
 * @active: generation that decides, 0: none, nothing is confined. The one store that publishes.
 * @level_mask: bit n set: some guest's cgroup lies at level n of the cgroup2 tree.
 * @abi: POL_ABI_VERSION of the programs that read the maps.
 * @next_guest: lowest guest id never given out; ids are not reused until unload.
 * @mounts: inode number of the mount namespace that the last loader was in.
 * @settled: the last generation whose ceilings were applied wholly; behind @active if a load died
 *	     between the two: the next one does the rest.
 * @btrfs_root: from a btrfs inode's struct inode to its btrfs_inode.root, in bytes;
 *	@btrfs_id: from there to root_key.objectid, the subvolume's number. 0: not known, and there
 *	is no rule on btrfs. The types are in a module, which may be loaded after the programs.
 *
 * Written by user space under the store's lock; read by every program. Mapped, so that @active
 * is one aligned 8-byte store.
 */
struct pol_control {
	__u64 active;
	__u64 level_mask;
	__u32 abi;
	__u32 next_guest;
	__u64 settled;
	__u64 mounts;
	__s32 btrfs_root;
	__u32 btrfs_id;
	__u64 pad[2];
};
_Static_assert(sizeof(struct pol_control) == 64, "pol_control");

/**
 * struct pol_inode_key - an inode as the kernel sees it.
 * @ino: i_ino.
 * @dev: s_dev of its superblock (the kernel's encoding: major << 20 | minor).
 * @generation: i_generation: ext4 gives an inode number back at once, never with this.
 *
 * Read by the anchor iterator at load and by the walk at each decision: the same loads, so the
 * same numbers (stat's st_dev differs on btrfs). Alone enough for most filesystems; see
 * struct pol_dir_key for the others.
 */
struct pol_inode_key {
	__u64 ino;
	__u32 dev;
	__u32 generation;
};
_Static_assert(sizeof(struct pol_inode_key) == 16, "pol_inode_key");

/**
 * struct pol_dir_key - key of map "dirs": a directory, in one set of rules.
 * @inode: on overlayfs, whose own numbers come and go, @ino and @generation are those of the
 *	   directory in the layer that the kernel tells this one from others by.
 * @ruleset: guests with equal rules share a set. 0 in what the anchor iterator writes.
 * @tree: where one superblock has the same inode number several times: on btrfs the subvolume (a
 *	  snapshot keeps number and generation), on overlayfs s_dev of the layer; else 0.
 */
struct pol_dir_key {
	struct pol_inode_key inode;
	__u32 ruleset;
	__u32 tree;
};
_Static_assert(sizeof(struct pol_dir_key) == 24, "pol_dir_key");

/* The tree is not known, or past what a key holds. No rule is made there, so nothing is found. */
#define POL_TREE_UNKNOWN 0xffffffffu

/*
 * A layer of overlayfs on btrfs needs the subvolume beside the layer's device: both numbers in @ino,
 * each whole. Past these bounds: POL_TREE_UNKNOWN.
 */
#define POL_LAYER_INO_BITS 40
#define POL_LAYER_SUBVOLUME_BITS 24

#define POL_DIR_RULE 1u	 /* the directory is a rule's anchor: access and rule are valid */
#define POL_DIR_NAMES 2u /* it is the parent of file rules: look in "names" */
#define POL_DIR_ABOVE 4u /* it lies above an anchor or is a file rule's parent: may not be moved */
#define POL_RULE_LOG 8u	 /* allowed accesses are events too */
/*
 * The name that a directory rule's anchor had: the walk comes to it only where another object has
 * that name now, and refuses (reason stale). Else a directory put in its place would get the rights
 * of the rule above, and a carve-out would open.
 */
#define POL_RULE_STALE 16u
/*
 * It lies above what a rule of this set gives something on: its own attributes may be looked at where
 * stat = "deny" (in rule sets of guests that say so).
 */
#define POL_DIR_WAY 32u
#define POL_RULE_SYSCTL 64u /* made on /proc/sys or below: all of it may be read */

/**
 * struct pol_rule_value - value of maps "dirs", "names_32" and "names_64".
 * @access: rights, a mask of enum pol_right. 0 is a carve-out.
 * @rule: id of the rule in its generation, for the report.
 * @flags: POL_DIR_* and POL_RULE_LOG.
 */
struct pol_rule_value {
	__u32 access;
	__u32 rule;
	__u32 flags;
};
_Static_assert(sizeof(struct pol_rule_value) == 12, "pol_rule_value");

#define POL_NAME_SHORT 64 /* names below this are keys themselves */

/**
 * struct pol_name_key - key of maps "names_32" and "names_64": a short name in a directory.
 * @dir: the parent directory and the rule set.
 * @name: the bytes, padded with zeros. names_32's key ends after 32 of them; a name of n bytes is
 *	  in the smaller map with more than n, so equal keys are equal names.
 */
struct pol_name_key {
	struct pol_dir_key dir;
	char name[POL_NAME_SHORT];
};
_Static_assert(sizeof(struct pol_name_key) == 24 + POL_NAME_SHORT, "pol_name_key");

/**
 * struct pol_long_key, struct pol_long_value - map "names_long": names of 64 to 255 bytes.
 * @hash: POL_NAME_HASH over the name, zero-padded to a multiple of 32 bytes.
 * @name: the name itself, zero-padded: its bytes decide, the hash only finds them. Two names of one
 *	  directory with one hash are refused at load. (A 280-byte key does not fit on the stack.)
 */
struct pol_long_key {
	struct pol_dir_key dir;
	__u64 hash;
	__u32 len;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_long_key) == 40, "pol_long_key");

struct pol_long_value {
	struct pol_rule_value rule;
	__u32 pad;
	__u64 name[POL_NAME_SIZE / 8];
};
_Static_assert(sizeof(struct pol_long_value) == 16 + POL_NAME_SIZE, "pol_long_value");

#define POL_NAME_HASH_START 0xcbf29ce484222325ull /* FNV-1a's, by 8-byte words */
#define POL_NAME_HASH(hash, word) (((hash) ^ (word)) * 0x100000001b3ull)

#define POL_GUEST_KNOWN 1u /* the generation has this guest; else: identity kept, nothing allowed */
#define POL_GUEST_KILL 2u  /* on_exceed = "kill": a ceiling passed ends the whole guest */
/* Knobs. What is not set is the default. */
#define POL_GUEST_STAT 4u	 /* stat = "deny": attributes outside the rules are not shown */
#define POL_GUEST_NO_WX 8u	 /* wx = "deny" */
#define POL_GUEST_MEMFD_EXEC 16u /* memfd_exec = "allow" */
#define POL_GUEST_IO_URING 32u	 /* io_uring = "allow" */
#define POL_GUEST_USERNS 64u	 /* userns = "allow" */
#define POL_GUEST_MOUNTS 128u	 /* mounts = "allow" */
#define POL_GUEST_NO_INHERIT 256u /* inherited_fds = "refuse" */
#define POL_GUEST_TMP 512u	 /* tmp = "private"; policyctl's, no program looks at it */
/* events = [...]: what is not refused is told, too */
#define POL_GUEST_EVENT_FORK 1024u
#define POL_GUEST_EVENT_EXEC 2048u
#define POL_GUEST_EVENT_ALLOW 4096u
#define POL_GUEST_SHADOW 8192u /* shadow.paths is not empty; the loader's, no program looks at it */
#define POL_GUEST_SHADOW_EXEC 16384u /* ... and shadow.exec = true */
#define POL_HELD_MAX 4096u /* descriptors among which a refused stat looks for its object */
#define POL_INHERIT_MAX (1u << 20) /* fs.nr_open's default: descriptors that are looked at over exec */
#define POL_NO_CEILING 0xffffffffu /* fds: nothing is counted */

/**
 * struct pol_guest_config - what one generation says of a guest (map "guests", by guest id).
 * @ruleset: its rules; 0: none.
 * @mode: enum pol_mode.
 * @err: what a refused access to a file returns, a positive errno.
 * @flags: POL_GUEST_*.
 * @fds: ceiling of open file descriptions over all its processes; POL_NO_CEILING: not counted.
 * @pids: ceiling of tasks, threads counted; POL_NO_CEILING: none.
 */
struct pol_guest_config {
	__u32 ruleset;
	__u32 mode;
	__u32 err;
	__u32 flags;
	__u32 fds;
	__u32 pids;
};
_Static_assert(sizeof(struct pol_guest_config) == 24, "pol_guest_config");

/*
 * struct pol_guest_state.counts: open file descriptions charged to the guest, its tasks, and the
 * instance that both belong to, in one word, so that one compare-and-swap moves them together.
 */
#define POL_COUNT_BITS 20
#define POL_COUNT_MASK ((1u << POL_COUNT_BITS) - 1)
#define POL_COUNT_FDS(word) ((__u32)(word) & POL_COUNT_MASK)
#define POL_COUNT_TASKS(word) ((__u32)((word) >> POL_COUNT_BITS) & POL_COUNT_MASK)
#define POL_COUNT_INSTANCE(word) ((__u32)((word) >> (2 * POL_COUNT_BITS)))
#define POL_COUNT_INSTANCE_SPARE (32 - (64 - 2 * POL_COUNT_BITS)) /* bits of a __u32 it leaves */
/* Whether instance @nr came after @than: they are counted around. */
#define POL_INSTANCE_IS_NEWER(nr, than)                                                            \
	((__s32)(((nr) - (than)) << POL_COUNT_INSTANCE_SPARE) > 0)
#define POL_COUNT_ONE_FD 1ull
#define POL_COUNT_ONE_TASK (1ull << POL_COUNT_BITS)
#define POL_COUNT_ONE_INSTANCE (1ull << (2 * POL_COUNT_BITS))
_Static_assert(POL_FILES_MAX <= POL_COUNT_MASK && POL_TASKS_MAX <= POL_COUNT_MASK, "counts");

/**
 * struct pol_guest_state - counters of a guest over all generations (map "states", by guest id).
 * @seq: sequence number last given to one of its records, lost ones included.
 * @denials: refusals, exact whatever happens to records.
 * @would_deny: refusals that audit did not make.
 * @folded, @folded_would: of @denials, of @would_deny those that made no record of their own: they are
 *	    in the @repeats of another.
 * @share: CLOCK_BOOTTIME up to which its share of a ring that fills up is used (pol_ring_admits()).
 * @lost: by type, records that found the ring full, or were held back for others' sake.
 * @lost_last: by type, sequence number of the last one lost.
 * @lost_repeats: records of repeats that are lost, of @lost of violations. @folded_lost: of @folded and
 *	    @folded_would what they would have told.
 * @counts: POL_COUNT_*: open file descriptions charged to it, tasks that live and were born, or
 *	    labelled, as the guest, and its instance: a number that moves when the last task ends.
 * @orphaned: descriptions charged to an earlier instance that somebody still holds.
 * @charges: charges of tasks so far: tells two of one address apart.
 * @refused: by enum pol_resource, what a ceiling has refused.
 * @pressure: POL_PRESSURE() of the thresholds passed and reported.
 * @killed: a ceiling with on_exceed = "kill" was passed; back to 0 when its last task ends.
 * @ooms: what the memory controller had counted as "oom" of its cgroup when the last task so ended:
 *	the lower half; the upper one: the number of that cgroup's directory.
 * @oom_instance: the instance, and 1, of which that was reported; 0: none.
 *
 * Written by the programs with atomic operations; user space only reads.
 */
struct pol_guest_state {
	__u64 seq;
	__u64 denials;
	__u64 would_deny;
	__u64 folded;
	__u64 folded_would;
	__u64 share;
	__u64 escapes;
	__u64 counts;
	__u64 fds_peak;
	__u64 tasks_peak;
	__u64 orphaned;
	__u64 charges;
	__u64 refused[POL_RESOURCES_CNT];
	__u32 pressure;
	__u32 killed;
	__u64 ooms;
	__u32 oom_instance;
	__u32 pad;
	__u64 lost[POL_TYPES_CNT];
	__u64 lost_last[POL_TYPES_CNT];
	__u64 lost_repeats;
	__u64 folded_lost;
};

/*
 * Pressure is reported when a count comes to 80 % and to 95 % of its ceiling (events.md), once
 * until it has fallen 5 points below the threshold again.
 */
#define POL_PRESSURE_LOW 80
#define POL_PRESSURE_HIGH 95
#define POL_PRESSURE_REARM 5
#define POL_PRESSURE(resource, high) (1u << (2 * (resource) + (high)))

/**
 * struct pol_file_charge - value of map "files", by the address of a struct file: who it is charged
 * to, from its allocation or first receipt until the kernel frees it.
 * @instance: POL_COUNT_INSTANCE() of the guest then; another one now: an orphan.
 * @flags: POL_FILE_*.
 */
struct pol_file_charge {
	__u32 guest;
	__u32 instance;
	__u32 flags;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_file_charge) == 16, "pol_file_charge");
#define POL_FILE_BASELINE 1u /* held at adoption: known, not counted */
#define POL_FILE_FREED 2u    /* the count was moved down for it; the entry is about to go */

/**
 * struct pol_sender - who has sent a signal.
 * @tgid: its process; 0: not known, or the kernel.
 * @guest: what it is; 0: no guest. @comm: of its thread group's leader.
 */
struct pol_sender {
	__u32 tgid;
	__u32 guest;
	char comm[POL_COMM_SIZE];
};
_Static_assert(sizeof(struct pol_sender) == 24, "pol_sender");

/**
 * struct pol_task_charge - value of map "tasks", by the address of a struct task_struct, from its
 * charge until the kernel frees it. Also the identity where 6.1 gives up a look-up in task storage.
 * @serial: of this charge: (guest << 32) + its number in struct pol_guest_state; 0: taken back, it
 *	    has ended. Who changes it to 0 moves the count down.
 * @flags: POL_END_*, set atomically.
 * @signal: on a thread group's leader: the signal that somebody has sent and nothing holds off from
 *	    ending the process; 0: none; POL_SIGNAL_CHANGING: one is being written.
 * @sender: of that signal.
 * @instance: POL_COUNT_INSTANCE() of the guest at the charge.
 */
struct pol_task_charge {
	__u64 serial;
	__u32 guest;
	__u32 flags;
	__u32 signal;
	__u32 instance;
	struct pol_sender sender;
};
_Static_assert(sizeof(struct pol_task_charge) == 48, "pol_task_charge");
#define POL_SIGNAL_CHANGING 0xffffffffu
#define POL_END_REPORTED 1u /* on a thread group's leader: somebody makes the exit record */

/**
 * struct pol_file_owner - whose doing a file's signals are (map "owners", by address of the file).
 * @set_by: the guest that has set the owner; 0: none. @signal_by: the guest that has chosen the signal.
 */
struct pol_file_owner {
	__u32 set_by;
	__u32 signal_by;
};
_Static_assert(sizeof(struct pol_file_owner) == 8, "pol_file_owner");

/* struct pol_cgroup_slot - open-addressing table of the guests' cgroups (map "cgroups"). */
#define POL_CGROUP_FREE 0ull
#define POL_CGROUP_GONE 1ull /* was used: a probe goes on past it. Id 1 is the root's, no guest */
struct pol_cgroup_slot {
	__u64 id; /* kernfs id of the cgroup, as in current->cgroups->dfl_cgrp->kn->id */
	__u32 guest;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_cgroup_slot) == 16, "pol_cgroup_slot");

#define POL_CGROUP_HASH(id) ((__u32)(((__u64)(id) * 0x9E3779B97F4A7C15ull) >> 40))

#define POL_LABEL_LAUNCHER 1u /* not confined itself; its children are born as the guest */
#define POL_LABEL_THREAD 4u   /* adopted as a thread (attach --tid): it has no cgroup of its own */
#define POL_LABEL_STARTING 8u /* born of a launcher, before its execve: its descriptors are ours */
#define POL_LABEL_LOOSE 16u   /* born of a thread that was adopted as one: no cgroup either */
#define POL_LABEL_ADOPTING 32u /* an attach has not settled it yet: its descriptors are no guest's */

/**
 * struct pol_label - a task's identity (task storage "labels").
 * @guest: guest id.
 * @flags: POL_LABEL_*.
 * @origin: id of the cgroup an adopted task came from; 0: born as the guest.
 * @nofile_soft, @nofile_hard: RLIMIT_NOFILE before adoption; @nofile_base: the highest descriptor
 *	     then, and one. All 0: RLIMIT_NOFILE was left alone.
 * @audited: in audit, address of the dentry whose refusal was just reported: what the same system
 *	     call does next to it is not reported again. An address to compare, never to follow.
 * @asked: the uncached name that the task's system call was told to ask for once more, as a number
 *	   to compare (path_mknod); 0: none.
 * @judged: the generation under which all descriptors of its table were judged, or told, over an
 *	    exec; 0: not yet.
 * @exe_len, @exe_flags, @exe: the executable as of the last execve, as in struct pol_event: a task
 *	     that exits has none to ask any more. The second half is for the verifier alone.
 *
 * Inherited in task_alloc; changed only by the privileged loader. Wins over the cgroup.
 */
struct pol_label {
	__u32 guest;
	__u32 flags;
	__u64 origin;
	__u64 audited;
	__u64 asked;
	__u64 nofile_soft;
	__u64 nofile_hard;
	__u64 judged;
	__u32 nofile_base;
	__u32 pad;
	__u32 exe_len;
	__u32 exe_flags;
	char exe[2 * POL_EXE_SIZE];
};
_Static_assert(sizeof(struct pol_label) == 72 + 2 * POL_EXE_SIZE, "pol_label");

/**
 * struct pol_probe - whom an instance of the programs that is there for a probe judges, and for what
 * (map "probe", one entry; written by the probe's parent, bpf/probe.bpf.c).
 * @tgid: the probing process; 0: none yet. @guest: for which it asks; 0: none, all is allowed.
 * @look: rights that are asked for of what it looks at; 0: what it does is judged.
 * @op_hook: POL_OP_HOOK() of that operation. @device: 1: a device, which a rule has to name.
 */
struct pol_probe {
	__u32 tgid;
	__u32 guest;
	__u32 look;
	__u32 op_hook;
	__u32 device;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_probe) == 24, "pol_probe");
/* What the programs are told before they are loaded (bpf/config.bpf.h): pol_unlabelled. */
#define POL_UNLABELLED_CGROUP 0
#define POL_UNLABELLED_TASKS 1
#define POL_UNLABELLED_PROBE 2
#define POL_PROBE_ERR 125 /* ECANCELED: what a probe may do ends with */

/* struct pol_rebase - what the program pol_rebase shall do: @guest's charges become baseline. */
struct pol_rebase {
	__u32 guest;
	__u32 pad;
};

/* What happens to the engine itself, by cause (per-CPU map "fails"); words for status and docs. */
#define POL_FAILS(X)                                                                               \
	X(PATH_RACE, 0, "path_race")                                                               \
	X(PATH_TOO_DEEP, 1, "path_too_deep")                                                       \
	X(NO_RULES_MAP, 2, "no_rules_map")                                                         \
	X(NO_GUEST_MAP, 3, "no_guest_map")                                                         \
	X(NO_STATE, 4, "no_state")                                                                 \
	X(NO_STORAGE, 5, "no_storage")                                                             \
	X(READ_FAILED, 6, "read_failed")                                                           \
	X(RING_FULL, 7, "ring_full")                                                               \
	X(FILES_FULL, 8, "files_full")                                                             \
	X(TASKS_FULL, 9, "tasks_full")                                                             \
	X(COUNT_RACE, 10, "count_race")                                                            \
	X(EXITS_MISSED, 11, "exits_missed")                                                        \
	X(FDS_RECONCILED, 12, "fds_reconciled")                                                    \
	X(OWNERS_FULL, 13, "owners_full")                                                          \
	X(FDS_TOO_MANY, 14, "fds_too_many")                                                        \
	X(EXITS_NOT_KEPT, 15, "exits_not_kept")

#define X(name, nr, word) POL_FAIL_##name = (nr),
enum pol_fail { POL_FAILS(X) };
#undef X
#define POL_FAILS_CNT 16

/* ------------------------------------------------------------------------------------------- */
/* Shadows: sealed snapshots of files that are handed to guests (shadow.bpf.c, user/lib/shadow.h) */

#define POL_SHADOW_ACTIONS(X)                                                                      \
	X(NONE, 0, "")                                                                             \
	X(CREATED, 1, "created")                                                                   \
	X(STALE, 2, "stale")                                                                       \
	X(REFUSED, 3, "refused")                                                                   \
	X(FREED, 4, "freed")

#define X(name, nr, word) POL_SHADOW_##name = (nr),
enum pol_shadow_action { POL_SHADOW_ACTIONS(X) };
#undef X

/*
 * Snapshots in the hands of guests; the table has one entry more, which refusals are told by. Together a
 * power of two: the kernel rounds the table's buckets up to one, and all are walked.
 */
#define POL_SHADOWS_MAX 16383u
#define POL_SNAPSHOTS_MAX 4096u
#define POL_SHADOW_HOLDERS 4

/* struct pol_memory_file - a memfd: @ino is never used again, @dev is that of the kernel's own tmpfs. */
struct pol_memory_file {
	__u64 ino;
	__u32 dev;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_memory_file) == 16, "pol_memory_file");

/**
 * struct pol_source - value of map "sources", by struct pol_dir_key (ruleset 0): a file that has a
 * snapshot, or of which one is being made.
 * @changes: how often something was done to it that may change it.
 * @fresh: 1: it has snapshots that are not stale: the next change is told.
 */
struct pol_source {
	__u64 changes;
	__u32 fresh;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_source) == 16, "pol_source");

/* struct pol_holder - descriptor @fd of the process @tgid, if it is that still; @tgid 0: none. */
struct pol_holder {
	__u32 tgid;
	__u32 fd;
};

/**
 * struct pol_snapshot - value of map "snapshots", by struct pol_memory_file; goes with the memfd.
 * @source: of what. @changes: the source's when it was copied. @size: bytes. @flags: POL_SHADOW_*.
 * @holders: who was given it: from them it is handed on. User space's alone, and a hint: what is found
 *	there is this memfd or is not used.
 */
struct pol_snapshot {
	struct pol_dir_key source;
	__u64 changes;
	__u64 size;
	__u32 flags;
	__u32 pad;
	struct pol_holder holders[POL_SHADOW_HOLDERS];
};

/* struct pol_shadow_key - key of map "shadows": a snapshot in the hands of a guest. @ino 0: of a refusal. */
struct pol_shadow_key {
	__u64 ino;
	__u32 dev;
	__u32 guest;
};
_Static_assert(sizeof(struct pol_shadow_key) == 16, "pol_shadow_key");

/**
 * struct pol_shadow_value - value of map "shadows"; goes with the memfd.
 * @source, @size: as in struct pol_snapshot. @boot_ns: CLOCK_BOOTTIME at which it was handed over.
 * @op: enum pol_op of what made it stale; 0: the file was open for writing when it was copied.
 * @path, @path_len: of the file as it was named, a text as in struct pol_event; POL_SHADOW_CUT: the
 *	uppermost directories lack.
 */
struct pol_shadow_value {
	struct pol_dir_key source;
	__u64 size;
	__u64 boot_ns;
	__u32 flags;
	__u32 op;
	__u32 path_len;
	__u32 pad;
	char path[POL_PATH_SMALL];
};
#define POL_SHADOW_EXEC 1u /* it may be executed and mapped so */
#define POL_SHADOW_OLD 2u  /* stale */
#define POL_SHADOW_CUT 4u
#define POL_SHADOW_LAZY 8u /* populated by its guest's faults: userfaultfd(2) */

/**
 * struct pol_shadow_note - what user space tells through the program pol_shadow_note.
 * @key: which, an entry of "shadows". @generation: of the policy.
 * @action: CREATED: from now on changes of its source make it stale; REFUSED: with @err, a positive errno.
 * @changes: of CREATED: the source's when it was copied: more by now, or @writers: it is stale at once.
 */
struct pol_shadow_note {
	struct pol_shadow_key key;
	__u64 generation;
	__u64 changes;
	__u32 action;
	__u32 err;
	__u32 writers;
	__u32 pad;
};

/* ------------------------------------------------------------------------------------------- */
/* Events                                                                                      */

/**
 * struct pol_event_process - the process an event is about.
 * @tgid: what users call pid. @tid: the thread.
 * @start_ns, @parent_start_ns: start_boottime of the thread group's leader, CLOCK_BOOTTIME.
 * @cgroup: id of its cgroup in the cgroup2 tree.
 */
struct pol_event_process {
	__u64 start_ns;
	__u64 cgroup;
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 gid;
	__u32 parent_tgid;
	__u32 pad;
	char comm[POL_COMM_SIZE];
	char parent_comm[POL_COMM_SIZE];
};
_Static_assert(sizeof(struct pol_event_process) == 72, "pol_event_process");

/**
 * struct pol_event_access - body of violation, allow and escape.
 * @inode: the object; the parent directory where the object does not exist yet (create).
 * @access: rights the operation needs. @missing: those of them that the rule lacks.
 * @rule: id in @generation, and @rule_access its rights; valid with POL_EVENT_HAS_RULE.
 * @repeats: 0: the refusal itself. Else the record is of so many more like it, within a second of
 *	     the first: that one's record once more, with a number and a time of its own.
 * @magic: s_magic of the filesystem.
 */
struct pol_event_access {
	struct pol_inode_key inode;
	__u32 access;
	__u32 missing;
	__u32 rule;
	__u32 rule_access;
	__u32 op;     /* enum pol_op */
	__u32 hook;   /* enum pol_hook */
	__u32 reason; /* enum pol_reason */
	__u32 err;    /* positive errno */
	__u32 repeats;
	__u32 magic;
};
_Static_assert(sizeof(struct pol_event_access) == 56, "pol_event_access");

#define POL_CAUSE_EXIT 1
#define POL_CAUSE_SIGNAL 2
#define POL_CAUSE_OOM 3
#define POL_CAUSE_CEILING 4
#define POL_CAUSE_POLICY 5
#define POL_CAUSE_UNKNOWN 6

/**
 * struct pol_event_exit - body of exit: a process (thread group) has ended.
 * @code: the wait status, as in wait(2): exit code << 8 | core 0x80 | signal.
 * @cause: POL_CAUSE_*.
 * @duration_ns: from the leader's start to this record. @utime_ns, @stime_ns: by the kernel's tick
 *	accounting.
 * @maxrss_bytes: high water of the resident set.
 * @backstop: 1 if only task_free saw it: the record was made when the kernel freed the process.
 * @fds_peak: the guest's; POL_NO_CEILING: not counted.
 * @sender: where @cause is POL_CAUSE_SIGNAL.
 */
struct pol_event_exit {
	__u64 duration_ns;
	__u64 utime_ns;
	__u64 stime_ns;
	__u64 maxrss_bytes;
	__u64 minflt;
	__u64 majflt;
	__u64 read_bytes;
	__u64 write_bytes;
	__u32 code;
	__u32 cause;
	__u32 backstop;
	__u32 fds_peak;
	struct pol_sender sender;
};
_Static_assert(sizeof(struct pol_event_exit) == 104, "pol_event_exit");

/**
 * struct pol_event_note - body of guest and policy: written by user space through the program
 * pol_note, so that it takes its number in the guest's sequence.
 * @action: enum pol_action. @by_uid, @by_tgid: who asked.
 */
struct pol_event_note {
	__u32 action;
	__u32 by_uid;
	__u32 by_tgid;
	__u32 guest; /* guest the note is about (0: the engine) */
	__u64 generation;
};
_Static_assert(sizeof(struct pol_event_note) == 24, "pol_event_note");

/**
 * struct pol_event_ceiling - body of ceiling: a count came near its ceiling, or was refused there.
 * @now, @ceiling: after the charge; a refused one is not in @now.
 * @resource: enum pol_resource. @percent: @now of @ceiling, rounded down; a ceiling of 0: 100.
 * @err: positive errno of what was refused; 0: pressure, memory.
 */
struct pol_event_ceiling {
	__u64 now;
	__u64 ceiling;
	__u32 resource;
	__u32 percent;
	__u32 err;
	__u32 pad;
};
_Static_assert(sizeof(struct pol_event_ceiling) == 32, "pol_event_ceiling");

/**
 * struct pol_event_shadow - body of shadow. @size: of the snapshot, bytes. @action: enum
 * pol_shadow_action. @op: of STALE, as in struct pol_shadow_value. @err: of REFUSED, a positive errno.
 * @flags: POL_SHADOW_*.
 */
struct pol_event_shadow {
	__u64 size;
	__u32 action;
	__u32 op;
	__u32 err;
	__u32 flags;
};
_Static_assert(sizeof(struct pol_event_shadow) == 24, "pol_event_shadow");

#define POL_EVENT_HAS_RULE 1u
#define POL_EVENT_PATH_TRUNCATED 2u
#define POL_EVENT_EXE_TRUNCATED 4u
#define POL_EVENT_PARENT_EXE_TRUNCATED 8u
#define POL_EVENT_HAS_PROCESS 16u
#define POL_EVENT_IS_DIR 32u /* the object is a directory */
#define POL_EVENT_DETACHED 64u /* the path ends in no mount of the reporter's tree: pipe:, memfd: ... */
/* The hook knows no mount: the path ends at the root of its filesystem (utime, xattr, acl). */
#define POL_EVENT_NO_MOUNT 128u

/**
 * struct pol_event - one record in a ring, fixed part; the path's bytes follow it.
 * @size: bytes of the whole record.
 * @abi: POL_ABI_VERSION. @type: enum pol_type. @verdict: enum pol_verdict.
 * @boot_ns: CLOCK_BOOTTIME. @seq: the guest's sequence number.
 * @path_len, @exe_len, @parent_exe_len: bytes used in the three texts.
 * @path_room: bytes after the fixed part, one of POL_PATH_*, or 0.
 *
 * A path text is the names from the object upwards, each followed by one '/': the path
 * /srv/web/a is "a/web/srv/". A name can hold neither '/' nor NUL, so this is unambiguous and
 * a cut (truncated) loses the end nearest to the root.
 */
struct pol_event {
	__u32 size;
	__u16 abi;
	__u8 type;
	__u8 verdict;
	__u64 boot_ns;
	__u64 seq;
	__u64 generation;
	__u32 guest;
	__u32 flags;
	__u16 path_len;
	__u16 exe_len;
	__u16 parent_exe_len;
	__u16 path_room;
	char exe[POL_EXE_SIZE];
	char parent_exe[POL_EXE_SIZE];
	struct pol_event_process process;
	union {
		struct pol_event_access access;
		struct pol_event_exit exit;
		struct pol_event_ceiling ceiling;
		struct pol_event_note note;
		struct pol_event_shadow shadow;
		__u64 body[23];
	};
	char path[];
};
_Static_assert(sizeof(struct pol_event) == 48 + 2 * POL_EXE_SIZE + 72 + 184, "pol_event");
/* The verifier must see POL_NAME_SIZE bytes after either executable's text (path.bpf.h). */
_Static_assert(sizeof(struct pol_event) >= 48 + 2 * POL_EXE_SIZE + POL_NAME_SIZE, "pol_event");

/* ------------------------------------------------------------------------------------------- */
/* Exits that are kept: who comes later, or shares the ring with another reader, finds them here */

/**
 * struct pol_exit_record - what is kept of one exit record: it, without executables.
 * @boot_ns, @seq, @generation, @guest: as in struct pol_event.
 */
struct pol_exit_record {
	__u64 boot_ns;
	__u64 seq;
	__u64 generation;
	__u32 guest;
	__u32 pad;
	struct pol_event_process process;
	struct pol_event_exit exit;
};
_Static_assert(sizeof(struct pol_exit_record) == 208, "pol_exit_record");

#define POL_EXIT_SETS 16u    /* a guest's number modulo this is its set */
#define POL_EXIT_SLOTS 1024u /* newest exits kept of each set's guests */

/**
 * struct pol_exit_slot - one kept exit.
 * @turn: 0: free; POL_EXIT_WRITING; else one more than the turn it was written in. Who reads it
 *	  before and after @record, twice the same, has a whole one.
 */
#define POL_EXIT_WRITING 0xffffffffffffffffull
struct pol_exit_slot {
	__u64 turn;
	struct pol_exit_record record;
};

/* struct pol_exit_set - value of map "exits", by set. @next: turns given out; turn % SLOTS is the slot. */
struct pol_exit_set {
	__u64 next;
	__u64 pad[7];
	struct pol_exit_slot slots[POL_EXIT_SLOTS];
};
_Static_assert(sizeof(struct pol_exit_set) == 64 + 216 * POL_EXIT_SLOTS, "pol_exit_set");

/**
 * struct pol_exit_ends - of one instance of a guest.
 * @cnt: exits so far; 0: unused. @first: of the process that had started first, of those that have
 * ended. @last: the one of the highest sequence number.
 */
struct pol_exit_ends {
	__u64 cnt;
	__u32 instance;
	__u32 pad;
	struct pol_exit_record first;
	struct pol_exit_record last;
};
_Static_assert(sizeof(struct pol_exit_ends) == 16 + 2 * 208, "pol_exit_ends");

/**
 * struct pol_guest_ends - value of map "ends", by guest id: its instance of now and the one before,
 * each at its number modulo 2. User space reads it with BPF_F_LOCK.
 */
struct pol_guest_ends {
#ifdef __bpf__
	struct bpf_spin_lock lock;
#else
	__u32 lock;
#endif
	__u32 pad;
	struct pol_exit_ends of[2];
};
_Static_assert(sizeof(struct pol_guest_ends) == 8 + 2 * 432, "pol_guest_ends");

/* ------------------------------------------------------------------------------------------- */
/* Iterators: what they write for user space, one fixed record after the other                 */

/**
 * struct pol_anchor_record - of the iterator pol_anchor: one open descriptor of the loader.
 * @self, @parent: keys of the object and of the directory that holds its name.
 * @magic: s_magic. @sb_flags: s_flags. @mode: i_mode. @nlink: i_nlink.
 * @layer_magic: on overlayfs s_magic of the layer that the directory is of, @self or, of a file,
 *	@parent; 0 elsewhere, and of an overlay's root. @self_layer: the same of @self, also of a file.
 * @writers: 1: it is open for writing, or mapped so that it can be.
 * @name_len, @name: last component, as the dentry has it.
 * @above: 1: not the descriptor's object but a directory above it in its own filesystem, of which
 *	   the path may say nothing: only @self and @fd are valid.
 */
struct pol_anchor_record {
	struct pol_dir_key self;
	struct pol_dir_key parent;
	__u64 sb_flags;
	__u32 fd;
	__u32 magic;
	__u32 mode;
	__u32 nlink;
	__u32 name_len;
	__u32 is_root; /* the dentry is its filesystem's root */
	__u32 above;
	__u32 layer_magic;
	__u32 writers;
	__u32 self_layer;
	char name[POL_NAME_SIZE];
};
_Static_assert(sizeof(struct pol_anchor_record) == 96 + POL_NAME_SIZE, "pol_anchor_record");

/**
 * struct pol_task_record - of the iterator pol_tasks: one task that is a guest's; by POL_ITER_TREE
 * and POL_ITER_ADOPT one of the tree, a guest's or not.
 * @origin: of its label. @cgroup: where it is now.
 */
struct pol_task_record {
	__u32 guest;
	__u32 tgid;
	__u32 tid;
	__u32 flags; /* the label's, and POL_TASK_* */
	__u64 origin;
	__u64 cgroup;
};
#define POL_TASK_BY_CGROUP 0x80000000u /* it has no label */
#define POL_TASK_NEW 0x40000000u       /* it got its label just now */
#define POL_TASK_FULL 0x20000000u      /* no memory for its label, or, before 6.2, it was busy */
#define POL_TASK_EXITING 0x10000000u   /* it has ended, or is about to */
_Static_assert(sizeof(struct pol_task_record) == 32, "pol_task_record");
#define POL_TREE_DEPTH (1u << 22) /* PID_MAX_LIMIT: no chain of ancestors is longer */

/**
 * struct pol_fd_record - of the iterator pol_fds: a descriptor that a process holds and that the
 * guest could not open now.
 * @missing: rights. @reason: enum pol_reason.
 */
struct pol_fd_record {
	__u32 guest;
	__u32 tgid;
	__u32 fd;
	__u32 missing;
	__u32 reason;
};
_Static_assert(sizeof(struct pol_fd_record) == 20, "pol_fd_record");

/**
 * struct pol_file_record - of the iterator pol_files: a descriptor that a process holds.
 * @charge: what the engine knew of the file before the iterator did anything.
 */
struct pol_file_record {
	__u32 guest;
	__u32 tgid;
	__u32 fd;
	__u32 charge; /* POL_CHARGE_* */
};
#define POL_CHARGE_NONE 0u
#define POL_CHARGE_COUNTED 1u
#define POL_CHARGE_BASELINE 2u
_Static_assert(sizeof(struct pol_file_record) == 16, "pol_file_record");

/**
 * struct pol_iter_command - what the iterators shall do (map "iter", one entry).
 * @tgid: the process; 0: every one (pol_tasks, pol_files).
 * @tid: pol_tasks: this thread alone; 0: all of them. TREE, ADOPT: the process that is left out.
 * @guest: pol_tasks: restrict to this guest, 0: any; POL_ITER_LABEL: whose the tasks become;
 *	   pol_files: whose the charges are.
 * @action: POL_ITER_*.
 * @label_flags: POL_ITER_LABEL: of the new label. @nofile_soft and on: POL_ITER_NOFILE.
 */
#define POL_ITER_LIST 0u
#define POL_ITER_LABEL 1u     /* pol_tasks: give the thread @tid a label of @guest */
#define POL_ITER_UNLABEL 2u   /* pol_tasks: take the labels of @tgid's (or @tid's) tasks away */
#define POL_ITER_BASELINE 3u  /* pol_files: what @tgid holds and nobody has is baseline */
#define POL_ITER_CHARGE 4u    /* pol_files: ... is charged */
#define POL_ITER_RECONCILE 5u /* pol_files: what guests hold and nobody has is charged to them */
#define POL_ITER_NOFILE 6u    /* pol_tasks: write nofile_* into the labels of @guest's tasks */
#define POL_ITER_TREE 7u      /* pol_tasks: list the process @tgid with all its descendants */
#define POL_ITER_ADOPT 8u     /* pol_tasks: and give those that have none a label of @guest */
#define POL_ITER_SETTLED 9u   /* pol_tasks: @guest's tasks are not ADOPTING any more */
#define POL_ITER_ARM 10u      /* pol_folds: make every window's timer */
#define POL_ITER_FLUSH 11u    /* pol_folds: tell of every window that has repeats */
struct pol_iter_command {
	__u32 tgid;
	__u32 tid;
	__u32 guest;
	__u32 action;
	__u32 label_flags;
	__u32 nofile_base;
	__u64 nofile_soft;
	__u64 nofile_hard;
};
