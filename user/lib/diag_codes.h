/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The closed list of diagnostic codes. Stable: a code keeps its meaning and is never reused.
 * Documentation/diagnostics.rst says of each what it means and what to do; a test compares the two.
 *
 * P00 the file, P01 its shape, P02 rules and profiles, P03 what this version lacks, P05 places in
 * the filesystem, P06 warnings.
 */
#pragma once

#define POL_P_READ	       "P0001" /* the file cannot be read */
#define POL_P_FILE_SIZE	       "P0002" /* the file is too large */
#define POL_P_SYNTAX	       "P0003" /* no TOML */
#define POL_P_FILE_MODE	       "P0004" /* warning: others may write the file */
#define POL_P_KEY	       "P0101" /* unknown key */
#define POL_P_TYPE	       "P0102" /* wrong type */
#define POL_P_MISSING	       "P0103" /* a required key is missing */
#define POL_P_VERSION	       "P0104" /* unknown version of the language */
#define POL_P_WORD	       "P0105" /* not one of the words that a key takes */
#define POL_P_NAME	       "P0106" /* a name of a guest or profile that cannot be one */
#define POL_P_RANGE	       "P0107" /* a number out of range */
#define POL_P_SIZE	       "P0108" /* no size */
#define POL_P_KEY_PLACE	       "P0109" /* a key that stands elsewhere */
#define POL_P_CGROUP	       "P0110" /* defaults.cgroup is no clean relative path */
#define POL_P_KEYS_BOTH	       "P0111" /* path and path_hex in one rule or test */
#define POL_P_GUESTS_MAX       "P0112" /* too many guests */
#define POL_P_TEST_GUEST       "P0113" /* a test names a guest that is not there */
#define POL_P_MEMBER_CGROUP    "P0114" /* a cgroup that cannot be a member */
#define POL_P_MEMBER_UNIT      "P0115" /* no name of a unit that can be one */
#define POL_P_MEMBER_PID       "P0116" /* no process id, or pid 1 */
#define POL_P_MEMBER_TWICE     "P0117" /* a member stands twice, or two cgroups lie in each other */
#define POL_P_RELATIVE	       "P0201" /* a path is not absolute */
#define POL_P_DOTDOT	       "P0202" /* '..' in a path */
#define POL_P_PATH	       "P0203" /* a path that can name nothing: NUL, a name over 255 bytes */
#define POL_P_HEX	       "P0204" /* path_hex is no hex */
#define POL_P_PATH_TWICE       "P0205" /* a path twice in one list */
#define POL_P_PROFILES	       "P0206" /* two profiles differ on a path */
#define POL_P_INCLUDE	       "P0207" /* an unknown profile is included */
#define POL_P_INCLUDE_CYCLE    "P0208"
#define POL_P_ACCESS	       "P0209" /* unknown word in access */
#define POL_P_RULES_MAX	       "P0210" /* too many rules */
#define POL_P_GUEST_ROOT       "P0211" /* something would be the guest's whole root */
#define POL_P_GUEST_TWICE      "P0212" /* two things at one path of the guest's */
#define POL_P_GUEST_PATH       "P0213" /* guest_path beside glob or in = "guest" */
#define POL_P_GLOB	       "P0221" /* a pattern that is refused */
#define POL_P_UNAVAILABLE      "P0301" /* what this version does not have yet */
#define POL_P_PARENT	       "P0501" /* the parent directory of a rule's path is missing */
#define POL_P_NOT_DIRECTORY    "P0502"
#define POL_P_SYMLINK_LOOP     "P0503"
#define POL_P_SYMLINK_STEERED  "P0504" /* a guest could point the next load elsewhere */
#define POL_P_SYMLINK_DANGLING "P0505"
#define POL_P_FILESYSTEM       "P0506" /* no rules on this filesystem */
#define POL_P_SAME_PLACE       "P0507" /* two rules of a guest differ on what is one place */
#define POL_P_LOOKUP	       "P0508" /* a path cannot be looked at */
#define POL_P_ANCHOR_GONE      "P0509" /* a directory that the running policy anchored is missing */
#define POL_P_ANCHOR_SWAPPED   "P0510" /* ... or is another one where a guest can put one */
#define POL_P_TREE	       "P0511" /* btrfs or overlayfs: what a directory's key rests on lacks */
#define POL_P_PROCFS	       "P0512" /* a process's directory, or deep in /proc/sys */
#define POL_P_FOLDS_CASE       "P0513" /* a rule by name where one name has several spellings */
#define POL_P_DEVICE	       "P0514" /* a device of io that is no block device */
#define POL_P_DEVICE_TWICE     "P0515" /* two devices of io that are on one disk */
#define POL_P_MEMBER	       "P0516" /* a member that is refused */
#define POL_P_GUEST_RUNS       "P0517" /* a new rule with in = "guest", and the guest has tasks */
#define POL_P_BELOW_FILE       "P0518" /* a guest_path below that of a file */
#define POL_P_GLOB_NONE	       "P0521" /* a glob matches nothing */
#define POL_P_GLOB_STEERED     "P0522" /* a guest could choose what a glob matches */
#define POL_P_GLOBS_DIFFER     "P0523" /* two globs that match one path differ */
#define POL_P_ROOT	       "P0601"
#define POL_P_NO_EFFECT	       "P0602" /* a rule that can never match */
#define POL_P_REPEATS	       "P0603" /* a rule that repeats a nearer one */
#define POL_P_WRITE_EXECUTE    "P0604"
#define POL_P_LINKS	       "P0605" /* files with several names beneath a rule */
#define POL_P_CREATE_BLIND     "P0606"
#define POL_P_PENDING	       "P0607" /* optional, and its directory is not there */
/* P0608 was: a right that is not mediated; there is none any more */
/* P0609 was: tests that are read and not run */
#define POL_P_MOUNT	       "P0610" /* a mount below a rule that no rule can be made for */
#define POL_P_FDS_BASELINE     "P0611" /* fds_baseline where nothing is counted */
#define POL_P_FDS_SUM	       "P0612" /* ceilings that the engine cannot count up to together */
#define POL_P_NEVER	       "P0613" /* rights that no rule gives on procfs and its like */
#define POL_P_MEMBER_ABSENT    "P0614" /* a member that is not there */
#define POL_P_MEMBER_EACH      "P0615" /* ceilings that each of a guest's cgroups has in full */
#define POL_P_CEILING	       "P0616" /* a ceiling that this host has no controller for */
#define POL_P_GLOB_WAITS       "P0621" /* optional, and the glob matches nothing */
#define POL_P_TMP_HIDDEN       "P0631" /* a rule below /tmp beside tmp = "private" */
#define POL_P_SHADOW_CLAMPED   "P0641" /* shadow.max_size above what a snapshot may have */
#define POL_P_SHADOW_OFF       "P0642" /* shadow without paths */
#define POL_P_SHADOW_BUDGET    "P0643" /* shadow.budget below max_size */
#define POL_P_SHADOW_SYMLINK   "P0644" /* a path of shadow.paths that leads over a symlink */
#define POL_P_SHADOW_WRITABLE  "P0645" /* shadow.exec, where a guest may write */
