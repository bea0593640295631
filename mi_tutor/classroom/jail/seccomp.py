"""Seccomp: calls of the kernel that a submission has no business to make answer "not permitted".

Threads of its own may be started, other processes not; nothing may be run, signalled or looked into; no
network, no clock, no permissions. What is not listed is allowed: torch and Python use hundreds of calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from mi_tutor.classroom.jail.kernel import architecture, prctl, prctl_pointer

_SECCOMP, _FILTER, _NO_NEW_PRIVS = 22, 2, 38
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Where they stand in what a filter reads; _FIRST: the call's first argument.
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000

# (x86_64, aarch64); None: the machine has no such call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242), "sendmmsg": (307, 269),
    "setsid": (112, 157), "setpgid": (109, 154), "setuid": (105, 146), "setgid": (106, 144),
    "setreuid": (113, 145), "setregid": (114, 143), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "personality": (135, 92),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "userfaultfd": (323, 282),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "fsopen": (430, 430), "fsmount": (432, 432),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    "fsconfig": (431, 431), "fspick": (433, 433), "move_mount": (429, 429),
    "open_tree": (428, 428), "mount_setattr": (442, 442), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89), "quotactl": (179, 60),
    "bpf": (321, 280), "perf_event_open": (298, 241), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "syslog": (103, 116), "setpriority": (141, 140), "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "setrlimit": (160, 164),
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "inotify_init1": (294, 26), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
    "mknod": (133, None), "mknodat": (259, 33), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "seccomp": (317, 277), "vhangup": (153, 58),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
}  # fmt: skip
# Allowed on oneself, by one's own number or by 0.
_BY_NUMBER = {"kill": (62, 129), "tgkill": (234, 131)}
_BY_ZERO = {"prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
_CLONE, _CLONE3 = (56, 220), (435, 435)


def confine() -> None:
    """From now on, for this process and whatever it starts. It cannot be undone.

    Raises:
        OSError: the kernel has no seccomp, or this machine is of a kind that has no list here.
    """
    if architecture() is None:
        raise OSError(errno.ENOSYS, f"no list of system calls for {platform.machine()}")
    program = _program(os.getpid())
    code = (ctypes.c_char * len(program)).from_buffer_copy(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    prctl(_NO_NEW_PRIVS, 1)
    whole = Program(len(program) // 8, ctypes.addressof(code))
    prctl_pointer(_SECCOMP, _FILTER, ctypes.byref(whole))


def _program(own: int) -> bytes:
    """The filter, in the kernel's bytecode: each block answers, or falls through to the next."""
    here = 0 if platform.machine() == "x86_64" else 1
    refuse = _REFUSE | errno.EPERM
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture() or 0),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if here == 0:  # the same calls by other numbers
        lines += [(_JUMP_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, refuse)]
    for numbers in REFUSED.values():
        if numbers[here] is not None:
            lines += [(_JUMP_EQUAL, 0, 1, numbers[here]), (_RETURN, 0, 0, refuse)]
    # clone3 keeps its flags where no filter can read them: libraries then fall back to clone.
    lines += [(_JUMP_EQUAL, 0, 1, _CLONE3[here]), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    lines += _asked(_CLONE[here], (_JUMP_SET, _CLONE_THREAD), refuse)
    for numbers in _BY_NUMBER.values():
        lines += _asked(numbers[here], (_JUMP_EQUAL, own), refuse)
    for numbers in _BY_ZERO.values():
        lines += _asked(numbers[here], (_JUMP_EQUAL, 0), refuse)
    lines += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _asked(number: int, test: tuple[int, int], refuse: int) -> list[tuple[int, int, int, int]]:
    """One call is allowed if its first argument passes a test, and else refused."""
    jump, value = test
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _FIRST),
        (jump, 0, 1, value),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refuse),
    ]
