"""`pixread parse`: pictures, HTML files and addresses in, readings out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from pixread.cli.formats import SUFFIXES, Format, written
from pixread.cli.models import Dtype, Likeness, load_reader
from pixread.cli.report import Report
from pixread.cli.terminal import Show, fail, progress_bar, result, say, shown
from pixread.filenames import find_path, is_address, is_page_name, is_system_file
from pixread.files import claimed, write_text
from pixread.records import Box

if TYPE_CHECKING:
    from PIL import Image

    from pixread.generate.options import DecodingKeywords
    from pixread.reader.line_by_line import PageReader
    from pixread.reader.reader import Reader
    from pixread.records import Reading
    from pixread.render.browser import Browser

    Read = Callable[[Image.Image, Show], Reading]

REPORT = "report.html"


class OcrProgram(StrEnum):
    """Programs that can read the words in our place."""

    rapidocr = "rapidocr"
    tesseract = "tesseract"


def region_box(text: str) -> Box:
    """X,Y,W,H in pixels."""
    try:
        x, y, width, height = (float(part) for part in text.split(","))
        return Box(x, y, width, height)
    except ValueError as error:
        raise typer.BadParameter(f"a region is four numbers X,Y,W,H in pixels, got {text!r}") from error


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """How every picture is read."""

    question: str | None
    region: Box | None
    max_patches: int | None
    max_new_tokens: int | None
    beams: int | None

    def read(self, reader: Reader | PageReader, image: Image.Image, show: Show) -> Reading:
        """The reading of one picture: the answer to a question, or all that it shows."""
        limits: DecodingKeywords = {
            "max_patches": self.max_patches,
            "max_new_tokens": self.max_new_tokens,
            "beams": self.beams,
        }
        if self.question is not None:
            return reader.read(image, self.question, region=self.region, **limits)
        return reader.parse(image, region=self.region, progress=lambda done, total: show(done, total, ""), **limits)


def parse(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures, HTML files, http(s) addresses.")],
    model: Annotated[
        str | None, typer.Option(help="Checkpoint folder, training run or Hub name; else the shipped page reader.")
    ] = None,
    question: Annotated[str | None, typer.Option(help="Ask a checkpoint this about the picture.")] = None,
    region: Annotated[
        Box | None, typer.Option(parser=region_box, metavar="X,Y,W,H", help="Read this part only; pixels.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="An outline, simplified HTML, or JSON lines.")] = Format.text,
    max_patches: Annotated[int | None, typer.Option(min=1, help="Patches of 16x16 pixels of a checkpoint.")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(min=1, help="Longest output of a checkpoint.")] = None,
    beams: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Outputs searched side by side; else as the checkpoint says.")
    ] = None,
    dtype: Annotated[Dtype, typer.Option(help="What the model computes in.")] = Dtype.auto,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, or what torch calls it.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Also write one file a picture, and report.html, to this folder.")
    ] = None,
    words: Annotated[
        OcrProgram | None,
        typer.Option(help="Have this program read the words, in every script it knows; the tree is ours."),
    ] = None,
    like: Annotated[
        Likeness, typer.Option(help="Whom to follow where transformers differs from the original.")
    ] = Likeness.original,
) -> None:
    """Read pictures of pages."""
    from pixread.memory import enough_memory

    parse_options = ParseOptions(question, region, max_patches, max_new_tokens, beams)
    read: Read
    if words is None:
        reader = load_reader(model, device=device, dtype=dtype, like=like.value)
        name, read = reader.name, partial(parse_options.read, reader)
    else:
        options = {"--model": model, "--question": question, "--region": region, "--max-patches": max_patches}
        options |= {"--max-new-tokens": max_new_tokens, "--beams": beams}
        name, read = _read_by(words, options)
    failures = 0
    with Sources() as sources, Output(out, form, model=name, many=len(files) > 1) as output:
        for file in files:
            try:
                with enough_memory(file), progress_bar(file) as show:
                    image = sources.open(file)
                    reading = read(image, show)
            except ValueError as error:
                if len(files) > 1 and is_system_file(Path(file).name):
                    say(f"left out {file}, which the system put beside the pictures")
                    continue
                failures += 1
                fail(str(error) if file in str(error) else f"{file}: {error}")
                continue
            output.add(file, image, reading)
    if out is not None and output.count:
        say(f"wrote {out / REPORT}")
    if failures:
        raise typer.Exit(1)


def _read_by(words: OcrProgram, options: Mapping[str, object]) -> tuple[str, Read]:
    """A program's name, and how it reads. options: those that only a model knows."""
    from pixread.reader.given_words import OcrReader

    if given := [name for name, value in options.items() if value is not None]:
        raise typer.BadParameter(f"--words {words} reads whole pages without a model: leave out {', '.join(given)}")
    if words is OcrProgram.rapidocr:
        from pixread.recognition.rapidocr import RapidOcr

        reader = OcrReader(RapidOcr())
    else:
        from pixread.recognition.tesseract import Tesseract

        reader = OcrReader(Tesseract())
    return reader.name, lambda image, show: reader.parse(image)


class Sources:
    """Opens one source after the other. The browser is started when the first page needs it, and ended at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self, source: str) -> Image.Image:
        """The picture, or the screenshot of the page. Raises ValueError, in one sentence that names the source."""
        from pixread.images.open import open_picture

        if is_address(source):
            return open_picture(self._screenshot(source, allow_network=True), name=source)
        if is_page_name(Path(source).name) and not is_system_file(Path(source).name):
            return open_picture(self._screenshot(str(find_path(source) or source), allow_network=False), name=source)
        return open_picture(source)

    def _screenshot(self, source: str, *, allow_network: bool) -> bytes:
        """allow_network: a file may load only what lies beside it; who names an address wants what it shows."""
        from pixread.render.page import RenderError, RenderSettings, render_page

        browser = self._open_browser(allow_network=allow_network)
        try:
            return render_page(browser, source, settings=RenderSettings(allow_network=allow_network)).png
        except RenderError as error:
            raise ValueError(str(error) if source in str(error) else f"{source}: {error}") from error

    def _open_browser(self, *, allow_network: bool) -> Browser:
        """The browser at hand, or one that is as open to the network as it should be."""
        from pixread.render.browser import Browser

        if self._browser is None or self._browser.allow_network != allow_network:
            self._stack.close()
            self._browser = None
            self._browser = self._stack.enter_context(Browser(allow_network=allow_network))
        return self._browser


class Output:
    """Prints readings as they come; with a folder, also writes a file for each, and a report at the end."""

    def __init__(self, folder: Path | None, form: Format, *, model: str, many: bool) -> None:
        self._folder, self._form, self._model, self._many = folder, form, model, many
        self._report: Report | None = None
        self._taken = {REPORT}
        self._stack = ExitStack()
        self.count = 0

    def __enter__(self) -> Output:
        if self._folder is not None:
            self._stack.enter_context(claimed(self._folder))
            self._report = Report(self._folder / REPORT, model=self._model)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        with self._stack:
            if self._report is not None:
                # An earlier report stays where nothing could be read this time.
                self._report.close(keep=kind is None and self.count > 0)

    def add(self, file: str, image: Image.Image, reading: Reading) -> None:
        """One more reading."""
        self.count += 1
        text = written(reading, self._form, file=file, model=self._model)
        if self._many and self._form is Format.text:
            result(f"== {shown(file)} ==\n\n{text}\n")
        else:
            result(shown(text) if self._form is Format.json else text)
        if self._folder is not None and self._report is not None:
            write_text(self._folder / self._name(file), f"{text}\n", errors="replace")
            self._report.add(file, image, reading)

    def _name(self, file: str) -> str:
        """The name of the file that a reading goes to: that of its picture, numbered where it is taken."""
        stem = re.sub(r"[^\w.-]+", "-", Path(file).stem if "://" not in file else file).strip("-.") or "picture"
        name, number = f"{stem}{SUFFIXES[self._form]}", 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}{SUFFIXES[self._form]}"
        self._taken.add(name)
        return name
