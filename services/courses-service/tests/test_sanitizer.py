"""Sanitizing untrusted HTML, and converting it to plain text."""

import pytest

from courses_service.content.sanitizer import (
    MAX_CHARACTERS,
    MAX_TAGS,
    MAX_UNCLOSED_ELEMENTS,
    MarkupTooComplex,
    one_line,
    plain_text,
    removed_by_sanitizing,
    sanitize,
)


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<iframe src=javascript:alert(1)></iframe>",
        "<a href=' javascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
        "<p style='background:url(javascript:alert(1))'>x</p>",
        "<form action=//evil.example><input name=password></form>",
        "<b a='>' onmouseover=alert(1)>x</b>",
        "<style>@import '//evil.example'</style>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<template><script>alert(1)</script></template>",
        "<img alt='\"><script>alert(1)</script>'>",
    ],
)
def test_scripts_styles_and_loaded_resources_are_removed(html: str) -> None:
    clean = sanitize(html).lower()
    for danger in (
        "<script",
        "<img",
        "<svg",
        "<iframe",
        "<style",
        "<form",
        "<input",
        "src=",
        "href=",
        "style=",
    ):
        assert danger not in clean
    assert sanitize(clean) == clean


def test_structure_and_links_are_kept() -> None:
    html = '<h2>Title</h2>\n<p>Some <em>words</em> and <a href="https://example.org/">a link</a>.</p>'
    assert 'href="https://example.org/"' in sanitize(html)
    assert "<h2>Title</h2>" in sanitize(html)


def test_images_are_replaced_by_their_descriptions() -> None:
    assert sanitize('<img src="/static/a.png" alt="A &lt;map>">') == "<em>[Image: A &lt;map&gt;]</em>"
    assert sanitize('<img src="https://tracker.example/pixel.gif">') == ""


def test_removed_elements_are_counted() -> None:
    html = "<script>1</script><IMG src=x><a href=/jump/1>a</a><a href='https://b'>b</a><p><my-widget/></p>"
    assert removed_by_sanitizing(html) == {"script": 1, "img": 1, "relative link": 1, "my-widget": 1}


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("x" * (MAX_CHARACTERS + 1), id="too long"),
        pytest.param("<br>" * (MAX_TAGS + 1), id="too many tags"),
        pytest.param("<div>" * (MAX_UNCLOSED_ELEMENTS + 1), id="too deep"),
        pytest.param("<div></span>" * (MAX_UNCLOSED_ELEMENTS + 1), id="too deep behind wrong ends"),
        pytest.param(
            "".join(f"<x{i}>" for i in range(MAX_UNCLOSED_ELEMENTS + 1)), id="too deep in many names"
        ),
        pytest.param("".join(f"<font a={i}><p>" for i in range(9000)), id="formatting that multiplies"),
    ],
)
def test_too_complex_markup_is_refused(html: str) -> None:
    with pytest.raises(MarkupTooComplex):
        sanitize(html)


def test_formatting_with_distinct_attributes_stays_linear() -> None:
    """Without preparation, the HTML parser turns such a page into gigabytes."""
    page = "".join(f"<font a={i}><p>x" for i in range(MAX_UNCLOSED_ELEMENTS))
    assert len(sanitize(page)) < 100 * len(page)


def test_plain_text_keeps_paragraphs_lists_and_rows() -> None:
    html = (
        "<h2>Title</h2><p>One\n  <b>two</b>.</p><ul><li>first</li><li><p>second</p></li></ul>"
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td> <td>2</td></tr></table>"
        "<pre>def f():\n    return 1</pre><p>x &lt; y &amp; z</p>"
    )
    assert plain_text(sanitize(html)) == (
        "Title\n\nOne two.\n\n- first\n- second\n\na | b\n1 | 2\n\ndef f():\n    return 1\n\nx < y & z"
    )


def test_control_characters_are_removed() -> None:
    assert plain_text(sanitize("<p>a\x00b\x07c</p>")) == "abc"


def test_one_line_joins_and_shortens_text() -> None:
    assert one_line("  a \n b\t", 10) == "a b"
    assert one_line("word " * 10, 10) == "word word…"
