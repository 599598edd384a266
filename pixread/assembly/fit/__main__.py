"""`python -m pixread.assembly.fit structure|style`: fits the small networks of the assembly anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pixread.assembly.classifier import STRUCTURE_WEIGHTS, read_classifiers
from pixread.assembly.fit.labelled_page import render_labelled_pages
from pixread.assembly.fit.structure import SETTINGS, fit_structure
from pixread.assembly.fit.style import fit_style
from pixread.files import write_text

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def structure(
    listing: Annotated[
        Path, typer.Argument(metavar="LIST", help="Text file with one HTML file a line, from the folder of the list.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="Weights file, written after each classifier.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help=f"Classifiers to fit: {', '.join(SETTINGS)}; all if left out."),
    ] = None,
) -> None:
    """Fit the classifiers to rendered pages. Those not named are taken from OUT.json or, without it, the shipped ones.

    The shipped ones are fitted to the first 1024 pixels of 636 pages, at most sixteen of a site.
    """
    unknown = set(names or []) - set(SETTINGS)
    if unknown:
        raise typer.BadParameter(f"the classifiers are {', '.join(SETTINGS)}, got {', '.join(sorted(unknown))}")
    classifiers = read_classifiers(out if out.exists() else STRUCTURE_WEIGHTS)
    pages = list(render_labelled_pages(listing, warn=lambda sentence: typer.echo(sentence, err=True)))
    for fitted in fit_structure(pages, classifiers, [name for name in SETTINGS if name in (names or SETTINGS)]):
        classifiers[fitted.name] = fitted.classifier
        stored = {name: classifier.to_json() for name, classifier in classifiers.items()}
        write_text(out, json.dumps(stored) + "\n")
        counts = f"{fitted.num_samples} samples of {len(pages)} pages"
        typer.echo(f"{fitted.name}: {counts}, {fitted.accuracy:.1%} right")


@app.command()
def style(
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="Weights file.")],
    pages: Annotated[int, typer.Argument(min=1, help="Pages to render.")] = 120,
) -> None:
    """Fit the style network to pages of invented words in the installed fonts, a tenth of whose lines is scored."""
    try:
        fitted = fit_style(pages)
    except ValueError as error:
        typer.echo(f"pixread: {error}", err=True)
        raise typer.Exit(1) from error
    fitted.network.save(out)
    accuracy = ", ".join(f"{name} {share:.1%}" for name, share in fitted.accuracy.items())
    typer.echo(f"{fitted.num_lines} lines of {pages} pages; right of {fitted.num_words} words held out: {accuracy}")


if __name__ == "__main__":
    app()
