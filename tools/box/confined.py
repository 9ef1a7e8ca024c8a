"""Programs that cannot leave a folder: the kernel keeps them in it (Linux' Landlock), whatever links and paths say.

A small launcher limits itself and then becomes the program, so everything that it starts is limited too: it may
change files below its folders only, read what programs are made of (`/usr`...), and see no other process. It may still change the times and the mode of
files that it cannot open, where their owner may, and speak to a socket that lies in the file system.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jigwork.errors import ConfigurationError

__all__ = ["can_confine", "confined", "landlock_version", "require_confinement"]

_CREATE_RULESET = 444
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix")
_SETTINGS = tuple(
    f"/etc/{name}"
    for name in (
        "alternatives ca-certificates group hostname hosts ld.so.cache ld.so.conf ld.so.conf.d localtime magic"
        " mime.types nsswitch.conf os-release passwd pki profile protocols resolv.conf services ssl terminfo timezone"
    ).split()
)
"""Of /etc only what programs need: keys and passwords lie there too."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_LAUNCHER = """
import ctypes, json, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *args)
    if result < 0: raise OSError(ctypes.get_errno(), 'landlock')
    return result
N = ctypes.c_size_t
def rule(ruleset, path, access):
    try: fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError: return
    if not os.path.isdir(path): access &= 1 | 2 | 4 | 1 << 14 | 1 << 15
    attr = struct.pack('=Qi', access & handled, fd)
    call(445, ctypes.c_int(ruleset), ctypes.c_int(1), attr, ctypes.c_uint(0))
    os.close(fd)
try:
    given = json.loads(sys.argv[1])
    abi = call(444, None, N(0), ctypes.c_uint(1))
    handled = (1 << 13) - 1 | (abi >= 2) << 13 | (abi >= 3) << 14 | (abi >= 5) << 15
    net = 0 if given['network'] or abi < 4 else 3
    attr = struct.pack('=QQQ', handled, net, 3 if abi >= 6 else 0)[:8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = call(444, attr, N(len(attr)), ctypes.c_uint(0))
    everything = handled & ~(1 << 6 | 1 << 11)
    for path in given['write']: rule(ruleset, path, everything)
    for path in given['read']: rule(ruleset, path, 1 | 4 | 8)
    for path in given['devices']: rule(ruleset, path, 2 | 4)
    if libc.prctl(38, 1, 0, 0, 0): raise OSError('no_new_privs')
    call(446, ctypes.c_int(ruleset), ctypes.c_uint(0))
except BaseException as error:
    sys.stderr.write('The program was not started: it could not be confined (%s).\\n' % error)
    os._exit(126)
environment = {**given['environment'], **{k: v for k, v in os.environ.items() if k == 'JIGWORK_PROGRAM'}}
try: os.execve(sys.argv[2], sys.argv[2:], environment)
except OSError as error:
    sys.stderr.write('%s could not be started: %s.\\n' % (sys.argv[2], error.strerror.lower()))
    os._exit(127)
"""


def can_confine() -> bool:
    """Tell whether this system can keep a program in a folder: Linux 5.13 or later, with Landlock switched on."""
    return landlock_version() >= 1


@cache
def landlock_version() -> int:
    """Return which Landlock the kernel has, 0 for none. From 4 on it can refuse TCP connections."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return max(int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))), 0)
    except (OSError, AttributeError):
        return 0


def require_confinement() -> None:
    """Raise ConfigurationError where programs cannot be kept in a folder."""
    if not can_confine():
        raise ConfigurationError(
            "this system cannot keep a program in a folder (that takes Linux with Landlock): run in a container and"
            " say confine=False, or give a tool of your own"
        )


def confined(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folders: Sequence[str | Path],
    network: bool,
    readable: Sequence[str | Path] = (),
) -> list[str]:
    """Return the command that runs `command` (an absolute path first) so that it stays in `folders`.

    It gets `environment`; the launcher itself has to be started with one that nobody else has written in, as a loader
    does what that says before anything is limited. `network` lets it open TCP connections (only kernels of 6.7 and later can refuse them; UDP is never refused).
    """
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    given = {
        "write": [str(folder) for folder in folders],
        "read": [*_SYSTEM, *_SETTINGS, *sorted(python), *(str(path) for path in readable)],
        "devices": list(_DEVICES),
        "network": network,
        "environment": dict(environment),
    }
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, json.dumps(given), *command]
