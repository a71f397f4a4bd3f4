"""Builds course archives, valid and malicious."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

DEMO_COURSE = Path(__file__).resolve().parents[5] / "shared" / "data" / "olx" / "openedx-demo-course.tar.gz"
DEMO_COURSE_MISSING = f"the Open edX demo course isn't at {DEMO_COURSE}"

SMALL: dict[str, str] = {
    "course.xml": '<course url_name="2026" org="Acme" course="CS1"/>',
    "course/2026.xml": (
        '<course display_name="Small course" language="en"><chapter url_name="c1"/>'
        '<wiki slug="Acme"/></course>'
    ),
    "chapter/c1.xml": '<chapter display_name="Basics"><sequential url_name="s1"/></chapter>',
    "sequential/s1.xml": '<sequential display_name="First steps"><vertical url_name="v1"/></sequential>',
    "vertical/v1.xml": (
        '<vertical display_name="Hello"><html url_name="h1"/><problem url_name="p1"/>'
        '<video url_name="x1" youtube="1.00:abc"/></vertical>'
    ),
    "html/h1.xml": '<html filename="h1" display_name="Greeting"/>',
    "html/h1.html": '<p>Hello <b onclick="x()">there</b>.</p><script>alert(1)</script>',
    "problem/p1.xml": (
        '<problem display_name="Check"><multiplechoiceresponse><label>1 + 1?</label><choicegroup>'
        '<choice correct="false">1</choice><choice correct="true">2</choice>'
        "</choicegroup></multiplechoiceresponse></problem>"
    ),
    "static/logo.png": "not really a picture",
}


def with_vertical(xml: str, **more: str) -> dict[str, str]:
    """The small course with `xml` as its only unit. A keyword `a__b` adds the file a/b.xml."""
    files = {**SMALL, "vertical/v1.xml": f'<vertical display_name="Hello">{xml}</vertical>'}
    return files | {f"{name.replace('__', '/')}.xml": text for name, text in more.items()}


def tar(files: Mapping[str, str | bytes], *special: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in special:
            archive.addfile(member)
    return packed.getvalue()


def targz(files: Mapping[str, str | bytes] = SMALL, *special: tarfile.TarInfo) -> bytes:
    return gzip.compress(tar(files, *special), compresslevel=1, mtime=0)


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member
