"""The examples of the pages about checkpoints and generation run, on small checkpoints of a stand-in hub.

The links of all pages lead somewhere.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from pixread.models.pix2struct.image_processor import ImageProcessor
from tests.checkpoints.hub_client import Client
from tests.checkpoints.hub_server import Hub, serve
from tests.conftest import MakeCheckpoint

DOCS = Path(__file__).parent.parent / "docs"
CHECKPOINTS, GENERATION = ((DOCS / name).read_text(encoding="utf-8") for name in ("checkpoints.md", "generation.md"))
GPU = "<!-- needs a GPU -->\n"


def blocks(text: str) -> list[tuple[str, str]]:
    """The mark of each block of Python, and its code."""
    return re.findall(rf"({GPU})?^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Those of a page that lead to files of the repository, or into the page."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


PAGES = [*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]
BLOCKS = blocks(CHECKPOINTS)
WRITING = [code for _, code in blocks(GENERATION)]
EVERYWHERE = [code for mark, code in BLOCKS if not mark]
WITH_GPU = [code for mark, code in BLOCKS if mark]
NAMES = sorted(set(re.findall(r'pixread\.load\("([^"]+/[^"]+)"', "".join(EVERYWHERE + WITH_GPU + WRITING))))


@pytest.fixture
def hub(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> Iterator[Hub]:
    with serve() as running:
        for name in NAMES:
            folder = tmp_path / "served" / name
            shutil.copytree(make_checkpoint(), folder)
            settings = ImageProcessor(is_vqa="vqa" in name, max_patches=64).to_json()
            (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
            running.add(name, folder)
        yield running


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Client:
    return Client(hub, tmp_path / "home")


def run(client: Client, code: str, folder: Path) -> str:
    """What the code prints, run where there are the pictures that it names."""
    folder.mkdir()
    for name in ("invoice.png", "chart.png", "photo.jpg"):
        Image.radial_gradient("L").convert("RGB").save(folder / name)
    done = client.run("-c", f"import os; os.chdir({str(folder)!r})\n{code}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_something_to_run():
    assert len(EVERYWHERE) >= 4
    assert len(WITH_GPU) == 1
    assert len(NAMES) >= 4
    assert len(WRITING) == 6


def test_the_examples_run(client: Client, tmp_path: Path):
    """All in one process, one after another: torch takes seconds to start."""
    printed = run(client, "\n".join(EVERYWHERE), tmp_path / "here")
    assert len(printed.splitlines()) >= len(EVERYWHERE)


def test_the_examples_of_writing_run(client: Client, tmp_path: Path):
    printed = run(client, "\n".join(WRITING), tmp_path / "here")
    assert printed.strip()
    assert "False" not in printed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_examples_for_a_gpu_run(client: Client, tmp_path: Path):
    assert run(client, WITH_GPU[0], tmp_path / "here")


@pytest.mark.parametrize(("page", "link"), [(page, link) for page in PAGES for link in links(page)])
def test_links_lead_somewhere(page: Path, link: str):
    file, _, anchor = link.partition("#")
    target = page.parent / file if file else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_repository_are_where_a_page_says(page: Path):
    """By the end of their paths: `cpu/linear.py` stands for `pixread/cpu/linear.py`."""
    root = DOCS.parent
    paths = [
        f"/{path.relative_to(root)}" for room in ("pixread", "tests", "runs") for path in (root / room).rglob("*.[jp]*")
    ]
    named = re.findall(r"`((?:[\w-]+/)+[\w-]+\.(?:py|js))`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in paths)] == []
