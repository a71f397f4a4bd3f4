"""A course for checkouts without the Open edX demo course beside them."""

import io
import tarfile


def small_course() -> bytes:
    """An Open edX archive, gzipped."""
    files = {
        "course/course.xml": '<course org="o" course="c" url_name="r"/>',
        "course/course/r.xml": '<course display_name="Small"><chapter url_name="a"/></course>',
        "course/chapter/a.xml": '<chapter display_name="A"><sequential url_name="b"/></chapter>',
        "course/sequential/b.xml": '<sequential display_name="B"><vertical url_name="v"/></sequential>',
        "course/vertical/v.xml": '<vertical display_name="V"><html url_name="h"/></vertical>',
        "course/html/h.xml": '<html filename="h" display_name="H"/>',
        "course/html/h.html": "<p>Spacing practice over time helps to remember.</p>",
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()
