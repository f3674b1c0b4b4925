"""What the logs of the box's programs say of a limit of the machine, which none of them can tell in any other way."""

from collections.abc import Iterator
from pathlib import Path

_LIMIT = "too many open files"  # as the kernel says it also of inotify instances, of which one user has 128 by default
_ADVICE = (
    "The machine's limit of inotify instances is most likely reached, as by a fifth cluster on it: "
    'raise it with "sysctl fs.inotify.max_user_instances=512", then start the engines again.'
)
_SHOWN = 200


class Logs:
    """The logs of a folder from now on: what an earlier box wrote into them is no reason of this one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = {path: path.stat().st_size for path in folder.glob("*.log")}

    def limit(self) -> str:
        """Say as sentences which program met the machine's limit and what to do; nothing where none did."""
        for path in sorted(self._folder.glob("*.log")):
            for line in self._fresh(path):
                if _LIMIT in line.lower():
                    return f'The log of {path.stem} says "{line.strip()[-_SHOWN:]}". {_ADVICE}'
        return ""

    def _fresh(self, path: Path) -> Iterator[str]:
        known = self._known.get(path, 0)
        with path.open(errors="replace") as log:
            log.seek(known if known <= path.stat().st_size else 0)  # one that grew too long has begun anew
            yield from log
