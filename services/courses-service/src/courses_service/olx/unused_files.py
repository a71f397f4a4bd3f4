"""Reports the files of an archive that no block of the course uses."""

from collections.abc import Set
from pathlib import PurePosixPath

from courses_service.olx.archive import Archive
from courses_service.olx.report import Report

_KNOWN_FOLDERS = {
    "about": ("course page", "only a description is taken over"),
    "assets": ("asset list", "files beside the lessons aren't stored"),
    "drafts": ("draft", "it wasn't published"),
    "info": ("course news", "updates and handouts aren't supported"),
    "policies": ("policy", "grading and course policies aren't supported"),
    "static": ("static file", "files beside the lessons aren't stored"),
    "tabs": ("course page", "pages of their own aren't supported"),
}


def report_unused_files(archive: Archive, used: Set[str], report: Report) -> None:
    """Add each file that is not in `used` to the report."""
    for path in sorted(set(archive.files) - used):
        folder, _, rest = path.partition("/")
        if folder in _KNOWN_FOLDERS and rest:
            kind, reason = _KNOWN_FOLDERS[folder]
        elif rest and path in archive.texts:
            kind, reason = folder, "no part of the course refers to it"
        else:
            kind, reason = "file", "it isn't part of a course archive"
        report.skip(kind, PurePosixPath(path).name if kind == folder else path, reason)
