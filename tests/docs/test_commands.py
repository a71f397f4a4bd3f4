"""Every command in README, tutorials and guides runs as it is written."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pages import ROOT, Block, blocks, pages, script

pytestmark = pytest.mark.xdist_group("docs")
DOCKER = os.environ.get("COGNIFLOW_DOCS_DOCKER") == "1"
_TIME_LIMIT_S = 600


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_has_commands_that_run(page: Path) -> None:
    assert any(block.runs for block in blocks(page)), f"{page.name} has no block that a test runs"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_block_of_commands_is_found(page: Path) -> None:
    opened = re.findall(r"^```(?:sh|bash|shell)\b", page.read_text(), re.MULTILINE)
    assert len(opened) == len(blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_the_commands_of_a_page_run(page: Path, stack_home: Path, tmp_path: Path) -> None:
    # The study uses the program of the tutorial before it, which may have run in another stack or not yet.
    read = [page.with_name("first-program.md"), page] if page.name == "first-study.md" else [page]
    chosen = [block for one in read for block in blocks(one) if block.runs and not block.needs_docker]
    if not chosen:
        pytest.skip("every command of this page needs Docker")
    run(chosen, tmp_path, {"COGNIFLOW_HOME": str(stack_home)})


@pytest.mark.slow
@pytest.mark.skipif(not DOCKER, reason="COGNIFLOW_DOCS_DOCKER=1 runs these where a Docker engine is ready")
@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_the_commands_of_a_page_run_with_docker(page: Path, tmp_path: Path) -> None:
    chosen = [block for block in blocks(page) if block.needs_docker]
    if not chosen:
        pytest.skip("no command of this page needs Docker")
    run(chosen, tmp_path, {"COMPOSE_PROJECT_NAME": "cogniflow-docs"})


def run(chosen: list[Block], folder: Path, environment: dict[str, str]) -> None:
    """Run the blocks in one shell, in the root of the checkout.

    A refused request fails its command; one that is answered 503 is repeated, as clients have to.
    """
    (folder / ".curlrc").write_text("fail\nshow-error\nretry = 5\nmax-time = 60\n")
    done = subprocess.run(
        ["bash", "-x", "-c", script(chosen)],
        cwd=ROOT,
        env={**os.environ, "CURL_HOME": str(folder), "TMPDIR": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIME_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
