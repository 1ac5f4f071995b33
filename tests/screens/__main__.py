"""`make screens`: a picture of every page, and one page with all of them to look through."""

from __future__ import annotations

import argparse
import html
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.screens import region
from tests.screens.region import region_pages
from tests.screens.touchscreen import LANGUAGES, NAMES, SIZES, touchscreen
from tests.system.chromium import CHROMIUM, QUIET

PORT = 25240
VARIANTS = {"": {}, "high": {"high_contrast": True}, "text200": {"text": 200}}
STYLE = """body { font: 16px sans-serif; margin: 16px } figure { display: inline-block; margin: 6px }
img { width: 420px; border: 1px solid #888 }"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for all pictures."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def of_the_room(browser: Browser, out: Path, names: Iterable[str], languages: Iterable[str]) -> Iterator[str]:
    """Each page at both sizes in each language; in Swedish also in high contrast and with text at 200 %."""
    for number, size in enumerate(SIZES):
        with touchscreen(browser, PORT + number, size) as screen:
            for language in languages:
                for variant, choices in VARIANTS.items() if language == "sv" else [("", {})]:
                    for name in names:
                        screen.show(name, language, **choices)
                        screen.page.wait_for_timeout(80)
                        parts = ["room", f"{size[0]}x{size[1]}", language, variant, name]
                        file = "-".join(part for part in parts if part) + ".png"
                        screen.page.screenshot(path=out / file)
                        yield file


def of_the_region(browser: Browser, out: Path) -> Iterator[str]:
    """Each page of the region in both its languages."""
    with region_pages(browser, PORT + len(SIZES)) as pages:
        for language in region.LANGUAGES:
            pages.speak(language)
            for name in region.PAGES:
                file = f"region-{language}-{name}.png"
                pages.show(name).screenshot(path=out / file, full_page=True)
                yield file


def write_index(out: Path, files: list[str]) -> None:
    """A sheet of contacts."""
    figures = "\n".join(
        f'<figure><a href="{file}"><img src="{file}" alt="" loading="lazy"></a>'
        f"<figcaption>{html.escape(file.removesuffix('.png'))}</figcaption></figure>"
        for file in files
    )
    page = f"<!doctype html><meta charset=utf-8><title>Hälsorum</title><style>{STYLE}</style>\n{figures}\n"
    (out / "index.html").write_text(page, "utf-8")


def main() -> None:
    """Take them all, or those asked for."""
    parser = argparse.ArgumentParser(prog="make screens", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/screens"))
    parser.add_argument("--only", nargs="*", default=NAMES, help="names of the touchscreen's states")
    parser.add_argument("--languages", nargs="*", default=LANGUAGES)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        files = list(of_the_room(browser, asked.out, asked.only, asked.languages))
        if asked.only == NAMES:
            files += of_the_region(browser, asked.out)
    write_index(asked.out, files)
    print(f"{len(files)} pictures: {asked.out / 'index.html'}")


if __name__ == "__main__":
    main()
