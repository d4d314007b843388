"""The lock of a folder, as `prognet fleet train` takes it: a file that says which process works there. Locks of processes that have ended are taken over, by one taker only."""

import contextlib
import datetime
import hashlib
import os
import pathlib
import re
import socket
import time

from records import FleetError, write_whole

# The number that a machine's first namespace of process ids has (PROC_PID_INIT_INO of Linux); those of others mean nothing after the boot.
FIRST_NAMESPACE = 4026531836
TOKEN = re.compile(r"([1-9]\d{0,9})-(\d{1,15})-([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,15}) ")


def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return None


def boot():
    found = read("/proc/sys/kernel/random/boot_id")
    return "00000000" if found is None else short(found.strip())


def namespace():
    try:
        return int(re.search(r"\[(\d{1,15})\]", os.readlink("/proc/self/ns/pid"))[1])
    except (OSError, TypeError):
        return 0


def status(pid):
    """State letter and start of a process in clock ticks since the boot (proc(5)); None where that cannot be read."""
    found = read(f"/proc/{pid}/stat")
    if found is None:
        return None
    # The second field, the name, may hold blanks and brackets.
    fields = found[found.rindex(")") + 2 :].split(" ")
    return fields[0], int(fields[19])


def owner():
    """This process, as names of temporary files and locks have it."""
    pid = os.getpid()
    return f"{pid}-{(status(pid) or ('', 0))[1]}-{boot()}-{short(socket.gethostname())}-{namespace()}"


def alive(text):
    """False only where the owner certainly has ended: one of another host or container counts as alive."""
    token = TOKEN.match(text)
    if token is None:
        return False
    pid, start, booted, host, space = int(token[1]), int(token[2]), token[3], token[4], int(token[5])
    own = namespace()
    if host != short(socket.gethostname()) or (space != own and space != 0 and own != 0):
        return True
    if booted != boot() and "00000000" not in (booted, boot()):
        return space not in (0, FIRST_NAMESPACE)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    found = status(pid)
    return found is None or (found[0] not in "ZX" and start in (0, found[1]))


def made(path, text):
    try:
        with open(path, "x") as file:
            file.write(text)
        return True
    except FileExistsError:
        return False


def taken_over(path, stale, text):
    """Two takers may have seen it: only the one that holds `lock.takeover` may replace it, and looks again first."""
    mutex = path.with_name(f"{path.name}.takeover")
    if not made(mutex, text):
        other = read(mutex)
        if other is not None and not alive(other):
            mutex.unlink(missing_ok=True)
        return False
    try:
        if read(path) != stale:
            return False
        write_whole(path, text.encode())
        return True
    finally:
        mutex.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder):
    """Raises FleetError where another process works in the folder."""
    path = pathlib.Path(folder) / "lock"
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    text = f"{owner()} host {socket.gethostname()} since {now}Z\n"
    for attempt in range(100):
        if made(path, text):
            break
        other = read(path)
        if other is not None and alive(other):
            since = re.search(r" since (\S+)", other)
            raise FleetError(f"{path}: process {other.split('-')[0]} works here since {since[1] if since else 'an unknown time'}, wait for it or stop it")
        # An empty one is being written at this moment.
        if other is not None and (other.strip() != "" or attempt > 20) and taken_over(path, other, text):
            break
        time.sleep(0.005)
    else:
        raise FleetError(f"{path}: is taken by others again and again, expected one process that works here")
    try:
        yield
    finally:
        if read(path) == text:
            path.unlink()
